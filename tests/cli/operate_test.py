"""What operators do with a server: a configuration file, reloading, ps, stop, doctor, conform."""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from server import SECONDS, Server, chat, serving
from support import NOT_FOUND, ROOT, TINY, USAGE, Case, heft

CHAT = "/v1/chat/completions"
SELF_SIGNED = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
               "-nodes", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]


class InFolder(Case):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = self.folder / "heft.yaml"

    def write(self, text):
        self.file.write_text(text)
        return self.file

    def certificate(self, days=30):
        if not shutil.which("openssl"):
            self.skipTest("openssl is not installed")
        subprocess.run([*SELF_SIGNED, "-days", str(days), "-keyout", self.folder / "key.pem", "-out",
                        self.folder / "cert.pem"], check=True, capture_output=True)
        os.chmod(self.folder / "key.pem", 0o600)


class Configuration(InFolder):
    def test_every_mistake_is_told_with_its_line(self):
        self.write("prot: 8080\n"
                   "host: [127.0.0.1]\n"
                   "max_body: 5000\n"
                   "metrics: maybe\n"
                   "models:\n"
                   "  - name: a\n"
                   "    path: tiny\n"
                   "    ctx_sise: 8\n"
                   "  - name: b\n"
                   "nonsense_of_no_kind: 1\n")
        done = heft("serve", "--check", "--config", self.file)
        self.assertEqual(done.returncode, USAGE)
        said = done.stderr.decode()
        for line, words in ((1, 'did you mean "port"'), (3, "1 to 1024"), (4, "true or false"),
                            (8, 'did you mean "ctx_size"'), (9, "needs a path"),
                            (10, "--config-help")):
            self.assertRegex(said, rf"heft\.yaml:{line}: .*{re.escape(words)}", said)

    def test_files_that_are_no_settings(self):
        for text, saying in (("- a\n- b\n", "list of settings"), ("port: [", "line 1"),
                             ("port: 1\nport: 2\n", "given twice")):
            self.fails(USAGE, "serve", "--check", "--config", self.write(text), saying=saying)
        self.fails(NOT_FOUND, "serve", "--check", "--config", self.folder / "none.yaml", saying="none.yaml")
        for text, saying in (("models:\n  - path: nowhere.gguf\n", "nowhere.gguf"),
                             ("keys: none.yaml\n", "none.yaml")):
            self.fails(NOT_FOUND, "serve", "--check", "--config", self.write(text), saying=saying)
        for text, saying in (("cache_type_k: q9\n", "q9"), ("host: 0.0.0.0\n", "API keys"),
                             ("models:\n  - {name: a, path: tiny}\n  - {name: a, path: tiny}\n", "two models")):
            self.fails(USAGE, "serve", "--check", "--config", self.write(text), saying=saying)

    def test_the_packaged_file_is_good(self):
        self.assertIn("good: 1 model", self.text("serve", "--check", "--config", ROOT / "packaging/heft.yaml"))

    def test_flags_win_and_models_have_settings_of_their_own(self):
        self.write("port: 1\nslots: true\nctx_size: 256\nmodels:\n"
                   "  - {name: one, path: tiny, aliases: [gpt-4o-mini]}\n"
                   "  - {name: two, path: tiny, ctx_size: 128, keep_alive: 0}\n")
        with serving("--config", self.file) as server:  # with --port 0
            self.assertEqual(server.ask("GET", "/slots").status, 200)
            for name, n_ctx in (("gpt-4o-mini", 256), ("two", 128)):
                self.assertEqual(server.ask("POST", CHAT, {**chat(), "model": name}).status, 200)
            models = self.document("heft.ps/1", "ps", "--url", server.url)["models"]
            self.assertEqual([(m["name"], m["n_ctx"]) for m in models], [("one", 256), ("two", 128)])
            self.assertEqual(models[0]["aliases"], ["gpt-4o-mini"])
            listed = json.loads(server.ask("GET", "/v1/models").text)["data"]
            self.assertEqual([m["aliases"] for m in listed], [["gpt-4o-mini"], []])
            shown = json.loads(server.ask("GET", "/v1/models/gpt-4o-mini").text)
            self.assertEqual(shown, listed[0])

    def test_the_documentation_has_every_key(self):
        told = self.text("serve", "--config-help")
        document = (ROOT / "docs/operations.md").read_text()
        self.assertIn(told.strip(), document, "paste `heft serve --config-help` into docs/operations.md")
        for line in self.text("doctor", "--list").splitlines():
            self.assertIn(" ".join(line.split()), re.sub(r"[|`\s]+", " ", document))

    def test_the_documentation_has_every_metric(self):
        with serving("--metrics") as server:
            told = set(re.findall(r"^# HELP (\S+)", server.ask("GET", "/metrics").text, re.M))
        document = (ROOT / "docs/operations.md").read_text()
        self.assertEqual(set(re.findall(r"^\| `(heft_\w+)`", document, re.M)), told)


class Reload(InFolder):
    def names(self, server, key=None):
        headers = {"Authorization": "Bearer " + key} if key else {}
        answer = server.ask("GET", "/v1/models", headers=headers)
        return [m["id"] for m in json.loads(answer.text)["data"]] if answer.status == 200 else answer.status

    def test_models_come_change_and_go_while_an_answer_is_completed(self):
        self.write("models:\n  - {name: one, path: tiny}\n  - {name: two, path: tiny}\n")
        with serving("--config", self.file, "--slots") as server:
            body = json.dumps({**chat(100, stream=True, ignore_eos=True), "model": "two"}).encode()
            with socket.create_connection(("127.0.0.1", server.port), SECONDS) as client:
                client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                               b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
                got = client.recv(1)
                self.write("models:\n  - {name: one, path: tiny, ctx_size: 64}\n  - {name: three, path: tiny}\n")
                said = server.reload()
                while part := client.recv(1 << 16):
                    got += part
            self.assertIn(b"[DONE]", got)
            for words in ("models added: three", "models removed: two", "models changed, to be loaded anew: one"):
                self.assertIn(words, said)
            self.assertEqual(self.names(server), ["one", "three"])
            self.assertEqual(server.ask("POST", CHAT, {**chat(), "model": "two"}).status, 404)
            for name in ("one", "three"):
                self.assertEqual(server.ask("POST", CHAT, {**chat(), "model": name}).status, 200)
            self.assertEqual(json.loads(server.ask("GET", "/v1/models").text)["data"][0]["id"], "one")

    def test_no_request_is_dropped(self):
        """While the model, its name's settings and the limits change again and again."""
        text = "ctx_size: {}\nmax_body: {}\nmodels:\n  - {{name: one, path: tiny}}\n"
        self.write(text.format(128, 1))
        with serving("--config", self.file) as server:
            statuses, over = [], threading.Event()

            def ask():
                while not over.is_set():
                    statuses.append(server.ask("POST", CHAT, {**chat(8), "model": "one"}).status)

            threads = [threading.Thread(target=ask) for _ in range(4)]
            for thread in threads:
                thread.start()
            for i in range(6):
                self.write(text.format(128 + 64 * (i % 2 + 1), i + 1))
                n, deadline = len(statuses), time.time() + SECONDS
                self.assertIn("read again", server.reload())
                while len(statuses) < n + 6 and time.time() < deadline:
                    time.sleep(0.01)
            over.set()
            for thread in threads:
                thread.join()
        self.assertGreater(len(statuses), 36)
        self.assertEqual(set(statuses), {200})

    def test_a_broken_file_changes_nothing_and_is_told(self):
        self.write("metrics: true\nmodels:\n  - {name: one, path: tiny}\n")
        with serving("--config", self.file) as server:
            for text in ("models:\n  - {name: one, path: nowhere}\n", "prot: 1\n", "keys: none.yaml\n",
                         "access_log: /no/such/folder/log\n", "{"):
                self.write(text)
                self.assertIn("stays as it was", server.reload(), text)
                self.assertEqual(self.names(server), ["one"])
            text = server.ask("GET", "/metrics").text
            self.assertIn('heft_reloads_total{result="failed"} 5', text)
            self.assertIn("heft_configuration_stale 1", text)
            self.write("models:\n  - {name: uno, path: tiny}\n")
            server.reload()
            self.assertEqual(self.names(server), ["uno"])
            self.assertIn("heft_configuration_stale 0", server.ask("GET", "/metrics").text)

    def test_keys_come_into_use_and_go_out_of_it(self):
        key = self.text("keys", "add", "alice", "--keys", self.folder / "keys.yaml").strip()
        self.write("slots: true\n")
        with serving("--config", self.file) as server:
            self.assertEqual(self.names(server), ["tiny"])
            self.write("keys: keys.yaml\n")
            self.assertIn("keys are needed from now on", server.reload())
            self.assertEqual(self.names(server), 401)
            self.assertEqual(self.names(server, key), ["tiny"])
            self.write("")
            self.assertIn("no keys are needed any more", server.reload())
            self.assertEqual(self.names(server), ["tiny"])

    def test_limits_logs_and_origins_change_and_what_cannot_is_told(self):
        self.write("max_body: 1\n")
        with serving("--config", self.file) as server:
            large = b'"' + b"x" * (2 << 20) + b'"'
            self.assertEqual(server.ask("POST", CHAT, large).status, 413)
            self.write("max_body: 4\naccess_log: log\ncors_origin: https://a.example\nthreads_http: 3\nslots: true\n")
            said = server.reload()
            self.assertIn("--threads-http: changes when the server starts again", said)
            self.assertIn("--slots: changes when", said)
            self.assertEqual(server.ask("POST", CHAT, large).status, 400)
            answer = server.ask("GET", "/health", headers={"Origin": "https://a.example"})
            self.assertEqual(answer.getheader("Access-Control-Allow-Origin"), "https://a.example")
            lines = (self.folder / "log").read_text().splitlines()
            self.assertEqual([json.loads(line)["status"] for line in lines], [400, 200])


class Running(InFolder):
    def test_ps_says_what_is_loaded_and_stop_unloads_it(self):
        with serving("one=tiny", "two=tiny") as server:
            server.ask("POST", CHAT, {**chat(), "model": "two"})
            tree = self.document("heft.ps/1", "ps", "--url", server.url)
            self.assertEqual(tree["pid"], server.process.pid)
            loaded = lambda: [m["name"] for m in self.document("heft.ps/1", "ps", "--url", server.url)["models"]
                              if m["loaded"]]
            self.assertEqual(loaded(), ["two"])
            text = self.text("ps", env={"HEFT_URL": server.url})
            self.assertRegex(text, r"two .* loaded .*\d+ +0 +0")
            self.fails(NOT_FOUND, "stop", "three", "--url", server.url, saying="three")
            self.fails(USAGE, "stop", "--url", server.url, saying="--all")
            self.assertIn("one is not loaded", self.text("stop", "one", "--url", server.url))
            self.assertIn("two is unloaded", self.text("stop", "--all", "--url", server.url))
            deadline = time.time() + SECONDS
            while loaded() and time.time() < deadline:
                time.sleep(0.05)
            self.assertEqual(loaded(), [])

    def test_the_server_itself_is_stopped(self):
        server = Server()
        self.assertEqual(self.document("heft.stop/1", "stop", "--server", "--url", server.url)["server"], "stopping")
        self.assertEqual(server.process.wait(SECONDS), 0)
        self.fails(NOT_FOUND, "ps", "--url", server.url, saying="is the server running")

    def test_only_administrators_stop_it(self):
        file = self.folder / "keys.yaml"
        alice, admin = (self.text("keys", "add", *args, "--keys", file).strip()
                        for args in (("alice",), ("root", "--admin")))
        secret = self.folder / "key"
        secret.write_text(admin + "\n")
        with serving("--keys", file) as server:
            self.fails(USAGE, "ps", "--url", server.url, saying="HEFT_API_KEY")
            self.ok("ps", "--url", server.url, env={"HEFT_API_KEY": alice})
            asked = {"model": "tiny", "keep_alive": 0}
            headers = {"x-api-key": alice}
            self.assertEqual(server.ask("POST", "/api/generate", asked, headers=headers).status, 403)
            told = json.loads(server.ask("POST", "/api/generate", {**asked, "prompt": "a", "stream": False,
                                         "options": {"num_predict": 1}}, headers=headers).text)
            self.assertIn("keep_alive: only an administrator", told["heft"]["degraded"][0])
            self.fails(USAGE, "stop", "--all", "--url", server.url, env={"HEFT_API_KEY": alice}, saying="--admin")
            self.ok("stop", "--all", "--url", server.url, "--key-file", secret)
        with serving() as server:  # a proxy's clients are not this machine's
            answer = server.ask("POST", "/heft/stop", {"server": True}, {"X-Forwarded-For": "192.0.2.1"})
            self.assertEqual(answer.status, 403)
            for body in ("{", "[]", '{"server": false}', '{"model": ""}', '{"all": true, "server": true}'):
                self.assertEqual(server.ask("POST", "/heft/stop", body).status, 400, body)

    def test_readiness_for_containers(self):
        with serving() as server:
            self.assertIn("ready", self.text("ps", "--ready", "--url", server.url))
        self.assertEqual(heft("ps", "--ready", "--url", server.url).returncode, NOT_FOUND)

    def test_by_local_socket_and_by_tls(self):
        path = self.folder / "heft.sock"
        with serving("--host", path):
            self.ok("ps", "--url", f"unix:{path}")
        self.certificate()
        with serving("--ssl-cert-file", self.folder / "cert.pem", "--ssl-key-file", self.folder / "key.pem") as server:
            url = f"https://localhost:{server.port}"
            self.ok("ps", "--url", url, "--ca-file", self.folder / "cert.pem")
            self.ok("ps", "--url", url, "--insecure")
            self.fails(USAGE, "ps", "--url", url, saying="not trusted")
            by_other_name = f"https://127.0.0.1:{server.port}"
            self.fails(USAGE, "ps", "--url", by_other_name, "--ca-file", self.folder / "cert.pem", saying="not trusted")

    def test_systemd_is_told(self):
        path = str(self.folder / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(SECONDS)
            with serving(env={"NOTIFY_SOCKET": path}):
                self.assertIn(b"READY=1", manager.recv(4096))
            self.assertIn(b"STOPPING=1", manager.recv(4096))


class Doctor(InFolder):
    def findings(self, code, *args):
        done = heft("doctor", "--json", *args)
        self.assertEqual(done.returncode, code, done.stdout.decode() + done.stderr.decode())
        tree = json.loads(done.stdout)
        self.assertEqual(tree["schema"], "heft.doctor/1")
        return {(f["check"], f["verdict"]): f["what"] for f in tree["findings"]}

    def test_a_server_that_would_not_start(self):
        (self.folder / "broken.gguf").write_bytes(b"GGUF" + bytes(100))
        (self.folder / "keys.txt").write_text("a-long-secret\n")
        os.chmod(self.folder / "keys.txt", 0o666)
        with socket.create_server(("127.0.0.1", 0)) as other:
            self.write(f"port: {other.getsockname()[1]}\napi_key_file: keys.txt\nmodels:\n  - path: broken.gguf\n")
            found = self.findings(2, "--config", self.file)
        for check in ("models", "addresses", "secrets"):
            self.assertIn((check, "problem"), found)
        self.assertIn("broken", found["models", "problem"])

    def test_a_certificate_that_ends_soon(self):
        self.certificate(days=3)
        self.write("port: 0\nssl_cert_file: cert.pem\nssl_key_file: key.pem\n")
        done = heft("doctor", "--json", "--config", self.file)
        found = {f["check"]: f for f in json.loads(done.stdout)["findings"]}
        self.assertEqual(found["TLS"]["verdict"], "advice")
        self.assertRegex(found["TLS"]["what"], "ends in [23] days")
        self.certificate()
        (self.folder / "key.pem").write_text((self.folder / "cert.pem").read_text())
        found = self.findings(2, "--config", self.file)
        self.assertIn(("TLS", "problem"), found)

    def test_a_model_that_does_not_fit(self):
        found = self.findings(2, TINY, "--config", self.write("port: 0\ncache_size: 16000000\n"))
        self.assertIn(("plan", "problem"), found)
        self.assertIn(("models", "ok"), found)

    def test_what_is_wrong_with_the_file_is_told_beside_the_rest(self):
        found = self.findings(2, "--config", self.write("prot: 1\n"))
        self.assertIn("did you mean", found["configuration", "problem"])
        self.assertTrue(any(check == "instructions" for check, _ in found))

    def test_for_people(self):
        with serving() as server:
            done = heft("doctor", "--config", self.write(f"port: {server.port}\n"))
            self.assertIn("a server of heft answers there", done.stdout.decode())


class Conform(InFolder):
    def test_our_own_server_conforms(self):
        """With a model whose template has tool calls, so that nothing is left out."""
        for file in TINY.iterdir():
            if file.is_file():
                shutil.copy(file, self.folder)
        (self.folder / "chat_template.jinja").write_text(
            "{{ '<|begin_of_text|>' }}{% for m in messages %}{{ '<|start|>' + m['role'] + '\\n' "
            "+ (m['content'] or '') + '<|end|>\\n' }}{% endfor %}{% if tools %}{{ '<tool_call>' }}"
            "{% endif %}{{ '<|start|>assistant\\n' }}")
        with serving(f"painter={self.folder}", "--metrics", "--slots") as server:
            done = heft("conform", server.url, "--json")
        tree = json.loads(done.stdout)
        self.assertEqual(tree["schema"], "heft.conform/1")
        self.assertEqual([case for case in tree["cases"] if case["verdict"] != "pass"], [])
        self.assertEqual((done.returncode, tree["fail"]), (0, 0))
        self.assertGreater(tree["pass"], 70)

    def test_another_server_is_told_apart(self):
        """One that offers a single endpoint, and gets it wrong."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            import http.server

            class Wrong(http.server.BaseHTTPRequestHandler):
                protocol_version = "HTTP/1.1"

                def answer(self):
                    self.rfile.read(int(self.headers.get("Content-Length", 0)))
                    offered = self.path == "/v1/models"
                    body = b'{"object":"list","data":[{"id":"m"}]}' if offered else b"{}"
                    self.send_response(200 if offered else 404)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    if self.command != "HEAD":
                        self.wfile.write(body)

                do_GET = do_POST = do_HEAD = answer

                def log_message(self, *args):
                    pass

            server = http.server.ThreadingHTTPServer(listener.getsockname(), Wrong, bind_and_activate=False)
            server.socket.close()
            server.socket = listener
            threading.Thread(target=server.serve_forever, daemon=True).start()
            done = heft("conform", "http://127.0.0.1:%d" % listener.getsockname()[1])
            server.shutdown()
        text = done.stdout.decode()
        self.assertEqual(done.returncode, 1, text)
        self.assertIn("/data/0/object is missing", text)
        self.assertRegex(text, r"POST /api/chat +not offered")

    def test_errors(self):
        self.fails(NOT_FOUND, "conform", "http://127.0.0.1:1", saying="cannot be reached")
        self.fails(USAGE, "conform", "ftp://x", saying="neither http nor https")


if __name__ == "__main__":
    unittest.main()
