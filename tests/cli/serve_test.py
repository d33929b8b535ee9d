"""heft serve as clients and operators see it: the real program, the built-in model, real sockets."""
import contextlib
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

from server import SECONDS, Server, chat, serving
from support import NOT_FOUND, USAGE, Case, heft


class Paths(Case):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("--metrics", "--slots")

    @classmethod
    def tearDownClass(cls):
        assert cls.server.stop() == 0

    def ask(self, *args, **kwargs):
        return self.server.ask(*args, **kwargs)

    def test_operators_paths(self):
        for path in ("/health", "/ready", "/version", "/metrics", "/slots"):
            self.assertEqual(self.ask("GET", path).status, 200, path)
            head = self.ask("HEAD", path)
            self.assertEqual((head.status, head.text), (200, ""))

    def test_an_answer_and_its_numbers(self):
        answer = self.ask("POST", "/v1/chat/completions", chat())
        self.assertEqual(answer.status, 200, answer.text)
        self.assertEqual(json.loads(answer.text)["usage"]["completion_tokens"], 4)
        text = self.ask("GET", "/metrics").text
        self.assertRegex(text, r'heft_jobs_done_total\{model="tiny"\} [1-9]')
        self.assertRegex(text, r'heft_http_requests_total\{status="200"\} [1-9]')
        for line in text.splitlines():
            self.assertRegex(line, r'^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"\})? [-+.e\d]+)$')

    def test_a_stream_ends_with_done(self):
        answer = self.ask("POST", "/v1/chat/completions", chat(stream=True))
        self.assertEqual(answer.getheader("Content-Type").split(";")[0], "text/event-stream")
        self.assertTrue(answer.text.rstrip().endswith("data: [DONE]"), answer.text)

    def test_unknown_paths_and_wrong_methods(self):
        self.assertEqual(self.ask("GET", "/no/such/path").status, 404)
        wrong = self.ask("GET", "/v1/chat/completions")
        self.assertEqual(wrong.status, 405)
        self.assertIn("POST", wrong.getheader("Allow"))
        self.assertIn("message", json.loads(wrong.text)["error"])

    def test_request_ids(self):
        ask = lambda i: self.ask("GET", "/health", headers={"X-Request-Id": i}).getheader("x-request-id")
        self.assertEqual(ask("abc-1.2_3"), "abc-1.2_3")
        for bad in ("a b", "x" * 200, '"'):
            self.assertTrue(ask(bad).startswith("req-"), bad)

    def test_pages_elsewhere_are_refused(self):
        for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example:8080"}):
            self.assertEqual(self.ask("GET", "/version", headers=headers).status, 403, headers)
        own = f"127.0.0.1:{self.server.port}"
        self.assertEqual(self.ask("GET", "/version", headers={"Origin": "http://" + own}).status, 200)

    def test_hostile_requests(self):
        rows = [
            (b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * (1 << 20) + b"\r\n\r\n", 431),
            (b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n", 413),
            (b"\x00\xff\xfe garbage\r\n\r\n", 400),
        ]
        for bytes_, status in rows:
            with socket.create_connection(("127.0.0.1", self.server.port), SECONDS) as client:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    client.sendall(bytes_)
                self.assertEqual(int(client.recv(4096).split()[1]), status)
        for body in (b"\xff\xfe", b"[" * 100_000, b"{", b""):
            answer = self.ask("POST", "/v1/chat/completions", body,
                              {"Content-Type": "application/json"})
            self.assertEqual(answer.status, 400, answer.text)

    def test_a_client_that_leaves_frees_its_place(self):
        body = json.dumps(chat(200, stream=True, ignore_eos=True)).encode()
        for _ in range(4):
            with socket.create_connection(("127.0.0.1", self.server.port), SECONDS) as client:
                client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
                               b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
                client.recv(100)
        # The last one's answer may not have begun yet: none is seen several times in a row.
        deadline, n_none = time.time() + SECONDS, 0
        while n_none < 5 and time.time() < deadline:
            n_none = 0 if json.loads(self.ask("GET", "/slots").text) else n_none + 1
            time.sleep(0.05)
        self.assertEqual(n_none, 5)


class Access(Case):
    def test_a_server_that_others_can_reach_needs_keys(self):
        self.fails(USAGE, "serve", "--host", "0.0.0.0", "--port", "0", saying="--api-key")

    def test_keys_and_their_limits(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "keys.yaml")
            new = lambda *args: self.text("keys", "add", *args, "--keys", file).strip()
            alice, bob = new("alice"), new("bob", "--requests", "1", "--models", "other")
            self.assertNotIn(alice, file.read_text())
            self.assertEqual(file.stat().st_mode & 0o777, 0o600)
            self.assertIn("bob", self.text("keys", "list", "--keys", file))
            self.fails(NOT_FOUND, "keys", "revoke", "carol", "--keys", file, saying="carol")
            log = pathlib.Path(folder, "log")
            with serving("--keys", file, "--api-key", "a-literal-key", "--access-log", log) as server:
                path = "/v1/chat/completions"
                bearer = lambda key: {"Authorization": "Bearer " + key}
                self.assertEqual(server.ask("GET", "/health").status, 200)
                self.assertEqual(server.ask("POST", path, chat()).status, 401)
                self.assertEqual(server.ask("POST", path, chat(), bearer("wrong")).status, 401)
                self.assertEqual(server.ask("POST", path, chat(), bearer(alice)).status, 200)
                self.assertEqual(server.ask("POST", path, chat(), {"x-api-key": "a-literal-key"}).status, 200)
                self.assertEqual(server.ask("POST", path, chat(), bearer(bob)).status, 403)
                limited = server.ask("POST", path, chat(), bearer(bob))
                self.assertEqual(limited.status, 429)
                self.assertGreater(int(limited.getheader("Retry-After")), 30)
                # Revoked while it serves.
                self.ok("keys", "revoke", "alice", "--keys", file)
                server.reload()
                self.assertEqual(server.ask("POST", path, chat(), bearer(alice)).status, 401)
            lines = [json.loads(line) for line in log.read_text().splitlines()]
            self.assertIn(("alice", 200), [(line["key"], line["status"]) for line in lines])
            self.assertNotIn("Hello", log.read_text())

    def test_cors_is_open_only_where_asked(self):
        with serving("--cors-origin", "https://app.example") as server:
            ok = server.ask("GET", "/health", headers={"Origin": "https://app.example"})
            self.assertEqual(ok.getheader("Access-Control-Allow-Origin"), "https://app.example")
            asked = server.ask("OPTIONS", "/v1/chat/completions", headers={
                "Origin": "https://app.example", "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization"})
            self.assertEqual((asked.status, asked.getheader("Access-Control-Allow-Headers")),
                             (204, "authorization"))

    def test_a_full_disk_costs_log_lines_only(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        with serving("--access-log", "/dev/full") as server:
            self.assertEqual(server.ask("GET", "/health").status, 200)


class Sockets(Case):
    def test_a_local_socket(self):
        with tempfile.TemporaryDirectory() as folder:
            path = folder + "/heft.sock"
            with serving("--host", path):
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(path)
                    client.sendall(b"GET /health HTTP/1.0\r\n\r\n")
                    self.assertIn(b"200 OK", client.recv(4096))
            self.assertFalse(os.path.exists(path))

    def test_many_idle_connections(self):
        import resource
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        n = min(10_000, hard - 300)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        with serving() as server, contextlib.ExitStack() as stack:
            before = server.memory_kib()
            for _ in range(n):
                stack.enter_context(socket.create_connection(("127.0.0.1", server.port), SECONDS))
            self.assertEqual(server.ask("GET", "/health").status, 200)
            self.assertLess((server.memory_kib() - before) / n, 8, "KiB a connection")

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
    def test_tls_and_a_new_certificate_while_it_serves(self):
        with tempfile.TemporaryDirectory() as folder:
            cert, key = folder + "/cert.pem", folder + "/key.pem"

            def make(name):
                subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                                "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
                                cert, "-days", "1", "-subj", f"/CN={name}"], check=True,
                               capture_output=True)

            make("first")
            with serving("--ssl-cert-file", cert, "--ssl-key-file", key) as server:
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

                def connect():
                    raw = socket.create_connection(("127.0.0.1", server.port), SECONDS)
                    return context.wrap_socket(raw)

                def health(client):
                    client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    return client.recv(4096)

                old = connect()
                self.assertIn(b"200 OK", health(old))
                first = old.getpeercert(True)
                make("second")
                deadline, second = time.time() + SECONDS, first
                while second == first and time.time() < deadline:
                    time.sleep(0.2)
                    with connect() as client:
                        second = client.getpeercert(True)
                self.assertNotEqual(first, second)
                self.assertIn(b"200 OK", health(old))
                old.close()
                old_fashioned = subprocess.run(
                    ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_1"],
                    stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS)
                self.assertNotEqual(old_fashioned.returncode, 0)


class Life(Case):
    def test_errors_at_the_start_are_sentences(self):
        self.fails(NOT_FOUND, "serve", "/no/such/model.gguf", saying="model.gguf")
        self.fails(USAGE, "serve", "--ssl-cert-file", "x", saying="--ssl-key-file")
        self.fails(USAGE, "serve", "--keep-alive", "soon", saying="5m")
        self.fails(USAGE, "serve", "a=tiny", "a=tiny", saying="NAME=MODEL")
        with serving() as server:
            for port in ("70000", server.port):  # told before a model is loaded
                self.fails(USAGE, "serve", "--port", port, saying=port)

    def test_models_are_loaded_when_asked_for_and_let_go_of(self):
        with serving("one=tiny", "two=tiny", "--keep-alive", "1") as server:
            loaded = lambda: [m["name"].split(":")[0] for m in
                              json.loads(server.ask("GET", "/api/ps").text)["models"]]
            self.assertEqual(loaded(), [])
            self.assertEqual(server.ask("POST", "/v1/chat/completions",
                                        {**chat(), "model": "two"}).status, 200)
            self.assertEqual(server.ask("POST", "/v1/chat/completions",
                                        {**chat(), "model": "three"}).status, 404)
            deadline = time.time() + SECONDS
            while loaded() and time.time() < deadline:
                time.sleep(0.1)
            self.assertEqual(loaded(), [])

    def test_an_answer_under_way_is_completed_at_the_end(self):
        with serving() as server:
            body = json.dumps(chat(64, stream=True)).encode()
            with socket.create_connection(("127.0.0.1", server.port), SECONDS) as client:
                client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
                               b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
                got = client.recv(1000)
                server.process.terminate()
                server.told_to_stop = True
                while True:
                    part = client.recv(4096)
                    if not part:
                        break
                    got += part
            self.assertIn(b"[DONE]", got)


if __name__ == "__main__":
    unittest.main()
