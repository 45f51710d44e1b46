"""How the page is served: its files, their forms, what a browser may keep, and what the page may do."""
import gzip
import re
import shutil
import subprocess

import cases
import service
import wire

ROOM = "/api/v1/ws/room/page_test"


class Served(cases.Case):
    def ask(self, path, method="GET", **fields):
        """(status, fields by lower-case name, body as bytes)"""
        daemon = service.shared()
        lines = {"Host": f"{daemon.host}:{daemon.port}", "Connection": "close"}
        lines |= {name.replace("_", "-"): value for name, value in fields.items()}
        raw = wire.Raw(daemon.host, daemon.port)
        self.addCleanup(raw.close)
        raw.send((f"{method} {path} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in lines.items()) + "\r\n").encode())
        head = raw.until(b"\r\n\r\n").decode().split("\r\n")
        names = [line.split(":", 1)[0].lower() for line in head[1:]]
        self.assertEqual(len(names), len(set(names)), head)
        return int(head[0].split()[1]), {n.lower(): v.strip() for n, v in (line.split(":", 1) for line in head[1:])}, raw.all()

    def assets(self):
        """The addresses that the page names, in all its files."""
        found, seen = set(re.findall(rb"/assets/[\w.-]+", self.ask(wire.PATH)[2])), set()
        while found - seen:
            for path in sorted(found - seen):
                seen.add(path)
                if path.endswith((b".js", b".css")):
                    names = re.findall(rb"""["'(](?:\./|/assets/)([\w.-]+-[\w-]{6,}\.(?:js|css|svg|woff2))["')]""",
                                       self.ask(path.decode())[2])
                    found |= {b"/assets/" + name for name in names}
        return sorted(path.decode() for path in seen)

    def test_every_file_that_the_page_names_is_there(self):
        paths = self.assets()
        self.assertTrue([path for path in paths if path.endswith(".js")])
        kinds = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml",
                 "woff2": "font/woff2"}
        for path in paths:
            with self.subTest(path):
                status, head, body = self.ask(path)
                self.assertEqual((status, head["content-type"]), (200, kinds[path.rsplit(".", 1)[1]]))
                self.assertEqual(int(head["content-length"]), len(body))
                self.assertNotIn("content-encoding", head)
                self.assertEqual(head["cache-control"], "public, max-age=31536000, immutable")
                self.assertEqual(head["x-content-type-options"], "nosniff")
                self.assertEqual(head["cross-origin-resource-policy"], "same-origin")
                self.assertEqual(self.ask(path, Host="evil.example")[0], 403)
                self.assertEqual(self.ask(path, method="POST")[0], 405)
                self.assertEqual(self.ask(path + "x")[0], 404)

    def test_the_smallest_form_is_sent_that_is_taken(self):
        path = max(self.assets(), key=lambda one: len(self.ask(one)[2]))
        plain = self.ask(path)[2]
        _, head, packed = self.ask(path, Accept_Encoding="gzip, deflate")
        self.assertEqual((head["content-encoding"], head["vary"]), ("gzip", "Accept-Encoding"))
        self.assertEqual(int(head["content-length"]), len(packed))
        self.assertLess(len(packed), len(plain))
        self.assertEqual(gzip.decompress(packed), plain)
        _, head, smallest = self.ask(path, Accept_Encoding="gzip, deflate, br, zstd")
        self.assertEqual(head["content-encoding"], "br")
        self.assertLess(len(smallest), len(packed))
        if shutil.which("node"):
            script = "process.stdout.write(require('zlib').brotliDecompressSync(require('fs').readFileSync(0)))"
            self.assertEqual(subprocess.run(["node", "-e", script], input=smallest, stdout=subprocess.PIPE, check=True).stdout, plain)
        self.assertEqual(self.ask(path, Accept_Encoding="br;q=0, gzip;q=0")[2], plain)

    def test_what_a_browser_has_is_not_sent_again(self):
        path = self.assets()[0]
        tags = set()
        for coding in ("identity", "gzip", "br"):
            status, head, _ = self.ask(path, Accept_Encoding=coding)
            tags.add(head["etag"])
            self.assertRegex(head["etag"], r'^"[0-9a-f]{32}(-gzip|-br)?"$')
            for known in (head["etag"], f'"other", W/{head["etag"]}', "*"):
                status, again, body = self.ask(path, Accept_Encoding=coding, If_None_Match=known)
                self.assertEqual((status, body, again["etag"]), (304, b"", head["etag"]))
                self.assertNotIn("content-length", again)
                self.assertIn("immutable", again["cache-control"])
            self.assertEqual(self.ask(path, Accept_Encoding=coding, If_None_Match='"other"')[0], 200)
        self.assertEqual(len(tags), 3)

    def test_a_connection_goes_on_behind_what_was_not_sent(self):
        daemon, path = service.shared(), self.assets()[0]
        tag = self.ask(path)[1]["etag"]
        raw = wire.Raw(daemon.host, daemon.port)
        self.addCleanup(raw.close)
        for words, status in ((f"If-None-Match: {tag}\r\n", b"304"), ("", b"200"), (f"If-None-Match: {tag}\r\n", b"304")):
            raw.send(f"GET {path} HTTP/1.1\r\nHost: {daemon.host}:{daemon.port}\r\n{words}\r\n".encode())
            head = raw.until(b"\r\n\r\n")
            self.assertIn(b"HTTP/1.1 " + status, head)
            size = re.search(rb"Content-Length: (\d+)", head)
            raw.take(int(size.group(1)) if size else 0)

    def test_heads_without_bodies(self):
        for path in (wire.PATH, ROOM, self.assets()[0]):
            status, head, body = self.ask(path, method="HEAD", Accept_Encoding="gzip")
            self.assertEqual((status, body), (200, b""))
            self.assertEqual(int(head["content-length"]), len(self.ask(path, Accept_Encoding="gzip")[2]))

    def test_the_page_may_do_what_it_needs_and_nothing_else(self):
        daemon = service.shared()
        seen = set()
        for path in (wire.PATH, ROOM, wire.PATH + "?hl=ko&theme=dark", wire.PATH):
            status, head, body = self.ask(path)
            self.assertEqual((status, head["content-type"]), (200, "text/html; charset=utf-8"))
            self.assertEqual(head["cache-control"], "no-cache")
            self.assertNotIn("etag", head)
            self.assertEqual(head["cross-origin-opener-policy"], "same-origin")
            self.assertEqual(head["cross-origin-resource-policy"], "same-origin")
            self.assertEqual(head["permissions-policy"], "microphone=(self), camera=(self), display-capture=(self)")
            rules = dict((rule.split(" ", 1) + [""])[:2] for rule in head["content-security-policy"].split("; "))
            nonce = re.search(r"'nonce-([A-Za-z0-9+/=]{24})'", rules["style-src"]).group(1)
            self.assertNotIn(nonce, seen)
            seen.add(nonce)
            self.assertNotIn(b"{{", body)
            self.assertNotIn(f"nonce-{nonce}", rules["script-src"])
            self.assertEqual(rules, {
                "default-src": "'none'", "script-src": "'self'", "style-src": f"'self' 'nonce-{nonce}'",
                "style-src-attr": "'unsafe-inline'",
                "connect-src": f"'self' ws://{daemon.host}:{daemon.port} wss://{daemon.host}:{daemon.port}",
                "img-src": "'self' data:", "font-src": "'self'", "media-src": "'self' blob:", "base-uri": "'none'",
                "form-action": "'none'", "frame-ancestors": "'none'"})

    def test_the_page_needs_nothing_from_elsewhere(self):
        page = self.ask(wire.PATH)[2].decode()
        self.assertIsNone(re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page))
        self.assertNotIn("<style", page)
        self.assertIsNone(re.search(r"\son[a-z]+=", page))

    def test_other_answers_are_kept_by_nobody(self):
        for path in ("/healthz", "/api/v1/runtimes", "/assets/none-00000000.js"):
            status, head, _ = self.ask(path)
            self.assertEqual(head["cache-control"], "no-cache")
            self.assertEqual(head["content-security-policy"], "default-src 'none'; frame-ancestors 'none'")
            self.assertNotIn("permissions-policy", head)

    def test_slow_readers_of_files_cost_no_copies(self):
        """Hundreds who ask for the largest file and never read it: what waits for them is not copied."""
        daemon = service.shared()
        path = max(self.assets(), key=lambda one: len(self.ask(one)[2]))

        def resident():
            text = open(f"/proc/{daemon.front()}/status").read()
            return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) << 10
        before = resident()
        size = len(self.ask(path)[2])
        readers = [wire.Raw(daemon.host, daemon.port, receive_buffer=4096) for _ in range(100)]
        for raw in readers:
            self.addCleanup(raw.close)
            raw.send(f"GET {path} HTTP/1.1\r\nHost: {daemon.host}:{daemon.port}\r\n\r\n".encode())
        for raw in readers:
            raw.until(b"\r\n\r\n")
        self.assertLess(resident() - before, max(100 * size // 3, 12 << 20))
