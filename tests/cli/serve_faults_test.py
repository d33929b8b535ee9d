"""heft serve when things go wrong: killed, abandoned by its clients, out of disk, attacked."""
import contextlib
import json
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

from server import SECONDS, Server, chat, serving
from support import Case

CHAT = "/v1/chat/completions"
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"


def connect(server):
    return socket.create_connection(("127.0.0.1", server.port), SECONDS)


def request(**more):
    body = json.dumps(chat(**more)).encode()
    return HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def status_of(client):
    """Of the next answer; 0 when the connection ends without one."""
    got = b""
    with contextlib.suppress(ConnectionResetError, TimeoutError):
        while b"\r\n" not in got:
            part = client.recv(4096)
            if not part:
                break
            got += part
    return int(got.split()[1]) if got.startswith(b"HTTP/1.1 ") else 0


class Faults(Case):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def eventually(self, what, value):
        deadline = time.time() + SECONDS
        while what() != value and time.time() < deadline:
            time.sleep(0.05)
        self.assertEqual(what(), value)

    def assert_well(self, server):
        """It answers, and nothing of before is left in it."""
        self.assertEqual(server.ask("POST", CHAT, chat()).status, 200)
        self.eventually(lambda: json.loads(server.ask("GET", "/slots").text), [])
        self.assertIsNone(server.process.poll())

    def descriptors(self, server):
        return len(os.listdir(f"/proc/{server.process.pid}/fd"))


class Killed(Faults):
    def test_a_killed_server_starts_again_with_its_keys(self):
        keys, path = self.folder / "keys.yaml", self.folder / "heft.sock"
        key = self.text("keys", "add", "alice", "--keys", keys).strip()
        before = keys.read_bytes()
        server = Server("--host", "127.0.0.1", "--host", path, "--keys", keys)
        with connect(server) as client:
            client.sendall(request(n=300, stream=True, ignore_eos=True).replace(
                b"\r\n\r\n", b"\r\nAuthorization: Bearer " + key.encode() + b"\r\n\r\n", 1))
            self.assertEqual(status_of(client), 200)
            server.process.kill()
            self.assertEqual(server.process.wait(SECONDS), -9)
            with contextlib.suppress(ConnectionResetError):
                while client.recv(4096):
                    pass
        self.assertTrue(path.exists())  # nobody was there to remove it
        self.assertEqual(keys.read_bytes(), before)
        with serving("--host", "127.0.0.1", "--host", path, "--keys", keys) as again:
            self.assertEqual(again.ask("POST", CHAT, chat(), {"x-api-key": key}).status, 200)
            self.assertEqual(again.ask("POST", CHAT, chat()).status, 401)

    def test_keys_are_whole_or_absent_when_the_disk_is_full(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        keys = self.folder / "keys.yaml"
        self.ok("keys", "add", "alice", "--keys", keys)
        before = keys.read_bytes()
        os.symlink("/dev/full", self.folder / "keys.yaml.part")
        done = self.fails(8, "keys", "add", "bob", "--keys", keys, saying="No space left")
        self.assertNotIn("heft-", done)
        self.assertEqual(keys.read_bytes(), before)


class Clients(Faults):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("--slots", "--metrics", "--timeout", "2")

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0, "it did not end well"

    def test_a_client_may_leave_in_every_state(self):
        whole = request(n=400, ignore_eos=True)
        stream = request(n=400, stream=True, ignore_eos=True)
        n_files = self.descriptors(self.server)
        states = ((b"", 0), (b"PO", 0), (HEAD, 0), (whole[:-20], 0), (whole, 0), (stream, 0), (stream, 100),
                  (stream + stream, 1), (b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", 10))
        memory = []
        for _ in range(4):
            for bytes_, read in states * 4:
                for reset in (False, True):
                    with connect(self.server) as client:
                        if reset:  # at once, without a goodbye
                            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                        client.sendall(bytes_)
                        if read:
                            client.recv(read)
            self.assert_well(self.server)
            memory.append(self.server.memory_kib())
        self.assertLess(memory[-1] - memory[0], 8 << 10, memory)
        self.eventually(lambda: self.descriptors(self.server) <= n_files, True)

    def test_a_half_closed_client_gets_its_answer(self):
        with connect(self.server) as client:
            client.sendall(request(n=200, ignore_eos=True).replace(b"Host:", b"Connection: close\r\nHost:", 1))
            client.shutdown(socket.SHUT_WR)
            got = b""
            while part := client.recv(1 << 16):
                got += part
        self.assertIn(b" 200 OK\r\n", got)
        self.assertEqual(json.loads(got[got.index(b"{"):])["usage"]["completion_tokens"], 200)

    def test_hostile_requests_have_a_status(self):
        big = b"a" * (1 << 20)
        deep = b"[" * 100_000 + b"]" * 100_000
        body = lambda text: HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(text), text)
        message = lambda content: b'{"model":"tiny","messages":[{"role":"user","content":%s}]}' % content
        rows = [
            ("a header of 1 MB", HEAD + b"A: " + big + b"\r\n\r\n", 431),
            ("a target of 1 MB", b"GET /" + big + b" HTTP/1.1\r\nHost: x\r\n\r\n", (414, 431)),
            ("100,000 headers", HEAD + b"A: b\r\n" * 100_000 + b"\r\n", 431),
            ("a body of 1 GB, announced", HEAD + b"Content-Length: 1073741824\r\n\r\n", 413),
            ("a body of 2^64, announced", HEAD + b"Content-Length: 18446744073709551616\r\n\r\n", 400),
            ("chunks of 1 GB", HEAD + b"Transfer-Encoding: chunked\r\n\r\n40000000\r\n" + big * 40, 413),
            ("two lengths", HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
            ("length and chunks", HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS?\r\n\r\n", 400),
            ("zero bytes", bytes(100) + b"\r\n\r\n", 400),
            ("JSON 100,000 deep", body(deep), 400),
            ("JSON 100,000 deep, inside", body(message(deep)), 400),
            ("a schema 50,000 deep", body(b'{"model":"tiny","messages":[],"response_format":'
                                         + b'{"a":' * 50_000 + b"1" + b"}" * 50_001), 400),
            ("invalid UTF-8", body(message(b'"\xff\xfe\xc0\x80"')), 400),
            ("half a surrogate", body(message(b'"\\ud800"')), (200, 400)),
            ("a number of 100,000 digits", body(b'{"model":"tiny","seed":' + b"9" * 100_000 + b"}"), 400),
            ("the same key 100,000 times", body(b"{" + b'"a":1,' * 100_000 + b'"b":2}'), 400),
        ]
        for name, bytes_, wanted in rows:
            with self.subTest(name), connect(self.server) as client:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    client.sendall(bytes_)
                wanted = wanted if isinstance(wanted, tuple) else (wanted,)
                self.assertIn(status_of(client), wanted)
        self.assert_well(self.server)

    def test_slow_requests_are_ended(self):
        """A head that never ends (slow loris), and a body that never comes."""
        with connect(self.server) as head, connect(self.server) as body, connect(self.server) as idle:
            head.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
            body.sendall(HEAD + b"Content-Length: 1000\r\n\r\n{")
            head.settimeout(0.5)
            deadline = time.time() + SECONDS
            sent, got = 0, b""
            while not got and time.time() < deadline:
                with contextlib.suppress(TimeoutError, BrokenPipeError, ConnectionResetError):
                    head.sendall(b"A: b\r\n")
                    sent += 1
                    got = head.recv(4096)
            self.assertIn(b" 408 ", got)
            self.assertGreater(sent, 2)
            self.assertEqual(status_of(body), 408)
            idle.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")  # it was not in anybody's way
            self.assertEqual(status_of(idle), 200)
        self.assert_well(self.server)

    def test_a_client_that_does_not_read_cannot_hold_memory(self):
        before = self.server.memory_kib()
        with contextlib.ExitStack() as stack:
            body = json.dumps({**chat(), "n": 8, "logprobs": True, "top_logprobs": 20}).encode()
            many = (HEAD + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)) * 200
            for _ in range(16):
                client = stack.enter_context(socket.socket())
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(("127.0.0.1", self.server.port))
                client.settimeout(0.2)
                with contextlib.suppress(TimeoutError, BrokenPipeError, ConnectionResetError):
                    client.sendall(many)
            time.sleep(1)
            self.assertLess(self.server.memory_kib() - before, 128 << 10)
        self.assert_well(self.server)


class Disks(Faults):
    def test_logs_on_a_full_disk_cost_lines_which_are_counted(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        with serving("--access-log", "/dev/full", "--metrics") as server:
            for _ in range(3):
                self.assertEqual(server.ask("GET", "/health").status, 200)
            self.assertRegex(server.ask("GET", "/metrics").text, r"\nheft_log_lines_lost_total [3-9]\n")

    def test_a_log_that_may_not_grow_ends_nothing(self):
        """As a disk quota does: the limit of a file's size, whose signal would end the process."""
        log = self.folder / "log"
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        server = Server("--access-log", log, "--metrics", preexec_fn=limit)
        try:
            for _ in range(50):
                self.assertEqual(server.ask("GET", "/health").status, 200)
            self.assertLessEqual(log.stat().st_size, 2000)
            lost = server.ask("GET", "/metrics").text.split("\nheft_log_lines_lost_total ")[1].split()[0]
            self.assertGreater(int(lost), 20)
        finally:
            self.assertEqual(server.stop(), 0)


class Connections(Faults):
    def test_ten_thousand_idle_connections(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        n = min(10_000, hard - 300)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        with serving("--slots") as server:
            before, n_files = server.memory_kib(), self.descriptors(server)
            with contextlib.ExitStack() as stack:
                for _ in range(n):
                    stack.enter_context(connect(server))
                self.assert_well(server)
                self.assertGreaterEqual(self.descriptors(server), n)
                self.assertLess((server.memory_kib() - before) / n, 8, "KiB a connection")
            self.eventually(lambda: self.descriptors(server), n_files)
            self.assert_well(server)

    def test_more_connections_than_files_are_turned_away(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
        server = Server("--slots", preexec_fn=limit)
        try:
            n_files = self.descriptors(server)
            with contextlib.ExitStack() as stack:
                for _ in range(300):
                    stack.enter_context(connect(server))
                with connect(server) as client:
                    self.assertEqual(status_of(client), 503)
            self.eventually(lambda: self.descriptors(server), n_files)  # it has seen that they are gone
            self.assert_well(server)
        finally:
            self.assertEqual(server.stop(), 0)


@unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
class Certificates(Faults):
    def make(self, name):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                        "-nodes", "-keyout", self.folder / "key.pem", "-out", self.folder / "cert.pem",
                        "-days", "1", "-subj", f"/CN={name}"], check=True, capture_output=True)

    def test_broken_files_leave_the_certificate_in_use(self):
        import ssl
        self.make("first")
        with serving("--ssl-cert-file", self.folder / "cert.pem", "--ssl-key-file", self.folder / "key.pem") as server:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

            def certificate():
                with connect(server) as raw, context.wrap_socket(raw) as client:
                    return client.getpeercert(True)

            first = certificate()
            (self.folder / "key.pem").write_text("nonsense")
            server.wait_for("the one before stays in use")
            self.assertIn("stays as it was", server.reload())
            self.assertEqual(certificate(), first)
            with connect(server) as raw:  # no TLS at all
                raw.sendall(b"GET / HTTP/1.1\r\n\r\n")
                self.assertEqual(status_of(raw), 0)
            self.make("second")
            deadline = time.time() + SECONDS
            while certificate() == first and time.time() < deadline:
                time.sleep(0.1)
            self.assertNotEqual(certificate(), first)


if __name__ == "__main__":
    unittest.main()
