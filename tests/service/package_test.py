"""The package as a file, the units as texts: what is in it, what it needs, and that what it says is so."""
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import service

HERE = Path(__file__).resolve().parent


def output(*command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stdout}")
    return done.stdout


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        found = list((service.build_directory() / "package").glob("cloister_*.deb"))
        assert len(found) == 1, f"one package is expected, by ./dev package; there are {found}"
        cls.package = found[0]
        listing = output("dpkg-deb", "-c", cls.package).splitlines()
        cls.files = {line.split()[5].removeprefix("."): line.split()[:2] for line in listing}

    def test_all_that_the_programs_look_for_is_in_it_with_the_modes_that_it_needs(self):
        for name, mode in (("/usr/sbin/cloisterd", "-rwxr-xr-x"), ("/usr/bin/cloister", "-rwxr-xr-x"),
                           ("/usr/libexec/cloister/cloister-probe", "-rwxr-xr-x"),
                           ("/usr/libexec/cloister/cloister-container", "-rwxr-xr-x"),
                           ("/usr/libexec/cloister/cloister-analyst", "-rwxr-xr-x"),
                           ("/etc/cloister/cloister.jsonc", "-rw-r--r--"),
                           ("/usr/lib/systemd/system/cloisterd.service", "-rw-r--r--"),
                           ("/usr/lib/sysusers.d/cloister.conf", "-rw-r--r--"),
                           ("/usr/share/man/man8/cloisterd.8.gz", "-rw-r--r--"),
                           ("/usr/share/doc/cloister/copyright", "-rw-r--r--")):
            self.assertIn(name, self.files)
            self.assertEqual(self.files[name], [mode, "root/root"], name)

    def test_every_policy_and_all_data_of_every_runtime_is_in_it_and_no_source(self):
        source = service.SOURCE
        built_with = re.compile(r"/runtimes/[^/]+\.(cpp|h|py|md|txt)$|CMakeLists\.txt$|/grammars/(?!common\.jsonc)")
        clients = {f"/usr/share/cloister/clients/{name}" for name in (
            "python/cloister.py", "python/example.py", "typescript/cloister.ts", "typescript/example.ts")}
        wanted = {f"/usr/share/cloister/{path.relative_to(source)}" for top in ("policies", "runtimes")
                  for path in (source / top).rglob("*") if path.is_file()
                  and (top == "runtimes" or path.suffix == ".jsonc")}
        wanted = {name for name in wanted if not built_with.search(name)}
        packed = {name for name in self.files if name.startswith("/usr/share/cloister/") and not name.endswith("/")}
        self.assertEqual(packed, wanted | clients | {"/usr/share/cloister/docker.conf"})

    def test_it_depends_on_the_libraries_that_its_programs_are_linked_with(self):
        depends = output("dpkg-deb", "-f", self.package, "Depends")
        for name in ("libc6", "libstdc++6", "libseccomp2", "libsqlite3-0", "libnettle8", "systemd"):
            self.assertRegex(depends, rf"(^|, ){re.escape(name)}\b")
        self.assertEqual(output("dpkg-deb", "-I", self.package, "conffiles").split(), ["/etc/cloister/cloister.jsonc"])

    def test_no_path_of_the_machine_that_made_it_is_in_it(self):
        folder = self.enterContext(tempfile.TemporaryDirectory(prefix="cloister-package-"))
        output("dpkg-deb", "-R", self.package, folder)
        for path in Path(folder).rglob("*"):
            if path.is_file() and not path.is_symlink():
                self.assertFalse(str(service.SOURCE).encode() in path.read_bytes(), path)

    def test_maintainer_scripts_are_sound_shell(self):
        for name in ("postinst", "prerm", "postrm"):
            script = service.SOURCE / "systemd/debian" / name
            output("sh", "-n", script)
            self.assertIn("set -e", script.read_text())


class Units(unittest.TestCase):
    def test_no_door_is_open_without_a_reason_and_exposure_is_low(self):
        self.assertIn("0 without a reason", output(sys.executable, HERE / "exposure.py"))

    def test_the_check_of_exposure_sees_a_door_that_was_opened(self):
        sys.path.insert(0, str(HERE))
        import exposure
        self.assertIsNone(exposure.reason_for("NoNewPrivileges=", exposure.reasons()))
        self.assertIsNotNone(exposure.reason_for("PrivateNetwork=", exposure.reasons()))

    def test_manual_pages_are_without_fault(self):
        pages = sorted((service.SOURCE / "docs/man").iterdir())
        self.assertEqual(len(pages), 3)
        for page in pages:
            done = subprocess.run(["man", "--warnings", "-l", page], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  env={"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "MANPAGER": "cat", "MANWIDTH": "90"})
            self.assertEqual((done.returncode, done.stderr), (0, ""), page)
            self.assertGreater(len(done.stdout.splitlines()), 60, page)

    def test_the_manual_pages_know_every_option_and_command_of_the_programs(self):
        for program, page in (("cloisterd", "cloisterd.8"), ("cloister", "cloister.1")):
            usage = output(service.build_directory() / program, "--help")
            text = (service.SOURCE / "docs/man" / page).read_text().replace("\\-", "-")
            for option in set(re.findall(r"--[a-z-]+", usage)):
                self.assertIn(option, text, f"{page} lacks {option}")
            for command in set(re.findall(r"^(?:usage:|      ) cloister ([a-z-]+)", usage, re.M)):
                self.assertIn(command, text, f"{page} lacks {command}")


if __name__ == "__main__":
    unittest.main()
