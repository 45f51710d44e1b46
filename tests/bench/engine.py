"""Hello world through `docker run`, as cheap for docker as it can be: the image has a few links and empty folders
and is made here, without a registry; the host's own /usr is shown in it, so that interpreter and compiler are those
that our boxes use. The limits are those of our default policy. Each language has its source run as it comes:
`python3 main.py`; `javac` and `java` in one container."""
import io
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

IMAGE = "cloister-bench-hello"
# How often each language has a turn: one takes longer than all of ours together.
ROUNDS = 5
SECONDS = 60
LINKS = ("bin", "sbin", "lib", "lib64")


class LeftOut(Exception):
    """Why docker takes no part, or not in a language."""


def docker(*words, seconds=SECONDS, **more):
    """What it says. Raises LeftOut with its first words when it fails: the last ones name `--help`."""
    try:
        done = subprocess.run(["docker", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=seconds, **({"stdin": subprocess.DEVNULL} if "input" not in more else more))
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LeftOut(str(error)) from error
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["it says nothing"]
        raise LeftOut(lines[0])
    return done.stdout.decode(errors="replace")


def root():
    """A tar: what the image has."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as tar:
        for name in ("usr", "etc", "tmp", "src"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            tar.addfile(folder)
        for name in LINKS:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, f"usr/{name}"
            tar.addfile(link)
    return held.getvalue()


def program_of(language):
    """(words to run in the container, paths that they need beside /usr). Raises LeftOut."""
    tools = [shutil.which(name, path="/usr/bin") for name in {"python": ["python3"], "java": ["javac", "java"]}[language]]
    if not all(tools):
        raise LeftOut("not installed")
    # /usr/bin/java leads through /etc/alternatives, which is not in the container.
    tools = [str(Path(tool).resolve()) for tool in tools]
    if language == "python":
        return [tools[0], "/src/main.py"], []
    # A JDK of Debian's has links to its settings below /etc.
    links = (path for path in Path(tools[1]).parents[1].rglob("*") if path.is_symlink())
    targets = {path.resolve() for path in links}
    beside = {Path(*path.parts[:3]) for path in targets if path.parts[1] == "etc" and path.exists()}
    return ["/bin/sh", "-c", f"{tools[0]} -d /tmp /src/Main.java && {tools[1]} -cp /tmp Main"], sorted(beside)


def command(words, beside, source):
    shown = [word for path in ("/usr", *beside) for word in ("-v", f"{path}:{path}:ro")]
    return ["run", "--rm", "--name", IMAGE, "--network", "none", "--memory", "128m", "--cpus", "0.5", "--pids-limit",
            "64", "--cap-drop", "ALL", *shown, "-v", f"{source}:/src:ro", IMAGE, *words]


class Engine:
    """The languages that work through docker here, for the length of a with-block, after which nothing of it is
    left. `left_out`: what to reason."""

    def __init__(self, work, sources):
        self.work, self.sources = Path(work), sources
        self.commands, self.left_out, self.made = {}, {}, False

    def __enter__(self):
        try:
            self._find()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _find(self):
        try:
            if not all(Path("/", name).is_symlink() for name in ("bin", "lib", "lib64")):
                raise LeftOut("/bin and /lib are no links into /usr on this host")
            try:
                docker("version", seconds=20)
            except LeftOut as reason:
                raise LeftOut("no engine answers") from reason
            docker("import", "-", IMAGE, input=root())
            self.made = True
        except LeftOut as reason:
            self.left_out["docker run, hello world"] = str(reason)
            return
        for language, (path, code) in self.sources.items():
            source = self.work / language
            source.mkdir()
            (source / path).write_text(code)
            try:
                self.commands[language] = command(*program_of(language), source)
                self.ask(language)  # not counted
            except LeftOut as reason:
                self.commands.pop(language, None)
                self.left_out[f"docker run, {language}"] = str(reason)

    def ask(self, language):
        """Seconds from the command to its end."""
        begin = time.perf_counter()
        said = docker(*self.commands[language])
        took = time.perf_counter() - begin
        if said != "Hello, World!\n":
            raise LeftOut(f"it says {said!r}")
        return took

    def __exit__(self, *_):
        if not self.made:
            return
        for words in (("rm", "-f", IMAGE), ("rmi", "-f", IMAGE)):
            try:
                docker(*words)
            except LeftOut:
                pass  # not there
