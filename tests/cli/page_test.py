"""The files of the page and its two documents, as the server sends them; tests/js/page/ is
about what the page does."""
import contextlib
import http.client
import json
import unittest

from serve_test import chat, serving
from support import Case

FILES = {"/": "text/html", "/app.js": "text/javascript", "/app.css": "text/css",
         "/icon.svg": "image/svg+xml", "/licences.md": "text/markdown"}


@contextlib.contextmanager
def answering(server, headers):
    """While a long answer to these headers is in the making."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    body = json.dumps(chat(900, ignore_eos=True, stream=True))
    connection.request("POST", "/v1/chat/completions", body, headers)
    connection.getresponse().read(4000)  # it has begun in earnest
    yield
    connection.close()


class Page(Case):
    def test_files_come_with_a_strict_policy_and_not_again_when_they_are_known(self):
        with serving("--api-key", "a-key-for-tests") as server:  # of which the page needs none
            for path, kind in FILES.items():
                whole = server.ask("GET", path)
                self.assertEqual(whole.status, 200, path)
                self.assertTrue(whole.getheader("content-type").startswith(kind), path)
                policy = whole.getheader("content-security-policy").split("; ")
                for rule in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
                             "img-src 'self' data:", "frame-ancestors 'none'", "trusted-types 'none'"):
                    self.assertIn(rule, policy, path)
                self.assertNotIn("unsafe", str(policy))
                self.assertEqual(whole.getheader("x-content-type-options"), "nosniff")
                self.assertEqual(whole.getheader("referrer-policy"), "no-referrer")
                tag = whole.getheader("etag")
                for known in (tag, f'"other", W/{tag}', "*"):
                    again = server.ask("GET", path, headers={"If-None-Match": known})
                    self.assertEqual((again.status, again.text), (304, ""), path)
                changed = server.ask("GET", path, headers={"If-None-Match": '"other"'})
                self.assertEqual(changed.text, whole.text)
                head = server.ask("HEAD", path)
                self.assertEqual((head.status, head.text), (200, ""))
                self.assertEqual(head.getheader("content-length"), str(len(whole.text.encode())), path)

    def test_files_name_no_other_place(self):
        with serving() as server:
            index = server.ask("GET", "/").text
            self.assertNotIn("http", index.replace("http-equiv", ""))
            for inline in ("<style", "style=", " onload", "<script>"):
                self.assertNotIn(inline, index)

    def test_models_come_with_their_licence_and_openness(self):
        with serving() as server:
            told = json.loads(server.ask("GET", "/heft/models").text)
            self.assertEqual(told["schema"], "heft.models/1")
            [tiny] = told["models"]
            self.assertEqual((tiny["name"], tiny["default"], tiny["loaded"], tiny["n_ctx"]), ("tiny", True, True, 1024))
            self.assertEqual(tiny["card"]["licence"]["names"], ["Apache License 2.0"])
            self.assertEqual(tiny["card"]["licence"]["commercial_use"]["sentence"], "allowed")
            self.assertEqual(tiny["card"]["openness"]["level"], 3)
            self.assertGreater(tiny["cache"]["bytes"], 0)
            self.assertEqual(tiny["degraded"], [])
        with serving("-c", 256) as server:
            [tiny] = json.loads(server.ask("GET", "/heft/models").text)["models"]
            self.assertEqual(tiny["degraded"], ["context: 256 tokens, where the model could have 1024"])

    def test_live_counts_and_shows_a_key_its_own_answers_alone(self):
        keys = ("--api-key", "a-key-for-tests", "--api-key", "another-key-for-tests")
        for more in ((), ("--slots",)):
            with serving(*keys, *more) as server:
                mine, other = ({"Authorization": f"Bearer {key}"} for key in keys[1::2])
                self.assertEqual(server.ask("GET", "/heft/live").status, 401)
                self.assertEqual(server.ask("GET", "/heft/models").status, 401)
                self.assertEqual(server.ask("POST", "/v1/chat/completions", chat(5), mine).status, 200)
                with answering(server, mine):
                    own, others = (json.loads(server.ask("GET", "/heft/live", headers=who).text)["models"][0]
                                   for who in (mine, other))
                for told in (own, others):
                    self.assertEqual((told["done"], told["running"]), (1, 1))
                    self.assertGreaterEqual(told["made_tokens"], 5)
                self.assertEqual(len(own["slots"]), 1)
                self.assertEqual(len(others["slots"]), 1 if more else 0)
                self.assertEqual("owner" in own["slots"][0], bool(more))

    def test_no_page_where_that_is_asked_for(self):
        with serving("--no-page") as server:
            for path in (*FILES, "/heft/models", "/heft/live"):
                self.assertIn(server.ask("GET", path).status, (404, 405), path)
            self.assertEqual(server.ask("HEAD", "/").status, 200)  # Ollama's clients look for a server so


if __name__ == "__main__":
    unittest.main()
