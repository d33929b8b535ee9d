"""heft serve: adapters that requests choose, memory, responses that outlive the program, deadlines."""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import random
import resource
import signal
import struct
import tempfile
import time
import unittest

from serve_test import Server, chat, serving
from support import EXHAUSTED, NOT_FOUND, TINY, USAGE, Case


def adapter(folder, seed):
    """A LoRA for the built-in model, in PEFT's form."""
    config = json.loads((TINY / "config.json").read_text())
    wide, narrow, rank = config["intermediate_size"], config["hidden_size"], 4
    numbers = random.Random(seed)
    tensors = {}
    for layer in range(config["num_hidden_layers"]):
        module = f"base_model.model.model.layers.{layer}.mlp.down_proj"
        tensors[module + ".lora_A.weight"] = (rank, wide)
        tensors[module + ".lora_B.weight"] = (narrow, rank)
    header, data = {}, b""
    for name, (rows, cols) in tensors.items():
        values = struct.pack(f"<{rows * cols}f", *(numbers.uniform(-0.2, 0.2)
                                                   for _ in range(rows * cols)))
        header[name] = {"dtype": "F32", "shape": [rows, cols],
                        "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    os.makedirs(folder)
    pathlib.Path(folder, "adapter_model.safetensors").write_bytes(
        struct.pack("<Q", len(text)) + text + data)
    pathlib.Path(folder, "adapter_config.json").write_text(
        json.dumps({"peft_type": "LORA", "r": rank, "lora_alpha": 2 * rank}))
    return str(folder)


def story(model, seed):
    return {"model": model, "prompt": "Once upon a time", "max_tokens": 24, "seed": seed,
            "temperature": 0.8}


def said(answer):
    tree = json.loads(answer.text)
    return tree["choices"][0]["text"] if "choices" in tree else tree


class Adapters(Case):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.paths = [adapter(f"{cls.folder.name}/{name}", name) for name in ("one", "two")]

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_each_request_gets_its_adapter_as_if_it_were_alone(self):
        alone = {}
        for model, more in (("tiny", []), ("tiny:one", ["--lora", self.paths[0]]),
                            ("tiny:two", ["--lora", self.paths[1] + ":-0.5"])):
            with serving("--deterministic", *more) as server:
                for seed in range(4):
                    alone[model, seed] = said(server.ask("POST", "/v1/completions",
                                                         story("tiny", seed)))
        self.assertEqual(len(set(alone.values())), len(alone))
        with serving("--deterministic", "--lora", "one=" + self.paths[0], "--lora",
                     f"two={self.paths[1]}:-0.5") as server:
            listed = [m["id"] for m in json.loads(server.ask("GET", "/v1/models").text)["data"]]
            self.assertEqual(listed, ["tiny", "tiny:one", "tiny:two"])
            tags = json.loads(server.ask("GET", "/api/tags").text)["models"]
            self.assertEqual([(m["name"], m["details"]["parent_model"]) for m in tags],
                             [("tiny", ""), ("tiny:one", "tiny"), ("tiny:two", "tiny")])
            with concurrent.futures.ThreadPoolExecutor(12) as clients:
                asked = {key: clients.submit(server.ask, "POST", "/v1/completions", story(*key))
                         for key in alone}
                for key, answer in asked.items():
                    self.assertEqual(said(answer.result()), alone[key], key)
            latest = server.ask("POST", "/v1/completions", story("tiny:one:latest", 0))
            self.assertEqual(said(latest), alone["tiny:one", 0])
            vector = lambda model: json.loads(server.ask(
                "POST", "/v1/embeddings", {"model": model, "input": "Hello"}).text)["data"][0]
            self.assertNotEqual(vector("tiny"), vector("tiny:two"))
            unknown = server.ask("POST", "/v1/completions", story("tiny:three", 0))
            self.assertEqual(unknown.status, 404)
            for name in ("tiny:three", "tiny:one", "tiny:two"):
                self.assertIn(name, unknown.text)

    def test_adapters_are_looked_at_before_anything_is_served(self):
        one = self.paths[0]
        self.fails(NOT_FOUND, "serve", "--lora", "x=/no/such/adapter", saying="/no/such/adapter")
        self.fails(USAGE, "serve", "--lora", f"latest={one}", saying="latest")
        self.fails(USAGE, "serve", "a=tiny", "b=tiny", "--lora", f"c:x={one}", saying="MODEL:NAME")
        self.fails(USAGE, "serve", "--lora", f"x={one}", "--lora", f"x={one}", saying="tiny:x")
        with serving("a=tiny", "b=tiny", "--lora", f"b:x={one}", "--lora", f"y={one}") as server:
            listed = [m["id"] for m in json.loads(server.ask("GET", "/v1/models").text)["data"]]
            self.assertEqual(listed, ["a", "a:y", "b", "b:x", "b:y"])

    def test_a_configuration_names_adapters_and_another_one_replaces_them(self):
        config = pathlib.Path(self.folder.name, "serve.yaml")
        write = lambda *lora: config.write_text(
            "models:\n  - {name: a, path: tiny, aliases: [z], lora: [" + ", ".join(lora) + "]}\n")
        write("one=one")  # beside the configuration
        with serving("--config", config, "--deterministic") as server:
            first = said(server.ask("POST", "/v1/completions", story("a:one", 1)))
            self.assertEqual(said(server.ask("POST", "/v1/completions", story("z:one", 1))), first)
            write("one=two", "two=two")
            server.process.send_signal(signal.SIGHUP)
            deadline = time.time() + 60
            while "read again" not in server.said() and time.time() < deadline:
                time.sleep(0.02)
            for name in ("a:one", "a:two"):
                answer = server.ask("POST", "/v1/completions", story(name, 1))
                self.assertEqual(answer.status, 200, answer.text)
                self.assertNotEqual(said(answer), first)

    def test_a_key_may_be_for_an_adapter_alone(self):
        file = pathlib.Path(self.folder.name, "keys.yaml")
        key = self.text("keys", "add", "alice", "--models", "tiny:one", "--keys", file).strip()
        with serving("--keys", file, "--lora", "one=" + self.paths[0]) as server:
            ask = lambda model: server.ask("POST", "/v1/completions", story(model, 1),
                                           {"x-api-key": key}).status
            self.assertEqual((ask("tiny:one"), ask("tiny")), (200, 403))


class Memory(Case):
    def test_what_does_not_fit_is_refused_in_words(self):
        error = self.fails(EXHAUSTED, "serve", "--cache-size", str(1 << 24), saying="GiB")
        self.assertIn("--cache-type-k", error)
        with serving("a=tiny", "b=tiny", "-c", str(1 << 31)) as server:
            answer = server.ask("POST", "/v1/chat/completions", chat(model="b"))
            self.assertEqual(answer.status, 503, answer.text)
            error = json.loads(answer.text)["error"]
            self.assertEqual(error["code"], "not_enough_memory")
            self.assertRegex(error["message"], r"takes [\d.]+ GiB.* and [\d.]+ GiB are to be had.*-c")
            self.assertTrue(answer.getheader("Retry-After"))
            self.assertEqual(server.ask("GET", "/health").status, 200)


class Responses(Case):
    def first(self, server, key=None, **more):
        headers = {"x-api-key": key} if key else {}
        answer = server.ask("POST", "/v1/responses", {"input": "Hello", "max_output_tokens": 4, **more},
                            headers)
        self.assertEqual(answer.status, 200, answer.text)
        return json.loads(answer.text)

    def test_they_outlive_the_program_and_belong_to_their_key(self):
        with tempfile.TemporaryDirectory() as folder:
            keys = ["--api-key", "key-of-alice", "--api-key", "key-of-bob", "--state", folder]
            server = Server(*keys)
            self.addCleanup(server.process.kill)
            kept = self.first(server, "key-of-alice")
            streamed = server.ask("POST", "/v1/responses",
                                  {"input": "Hi", "max_output_tokens": 3, "stream": True},
                                  {"x-api-key": "key-of-alice"})
            self.assertRegex(streamed.text, "event: response.(completed|incomplete)")
            self.fails(USAGE, "serve", "--state", folder, saying="another server")
            server.process.send_signal(signal.SIGKILL)
            server.process.wait()
            files = list(pathlib.Path(folder, "responses").iterdir())
            self.assertEqual(len(files), 3)  # and the lock
            self.assertEqual(pathlib.Path(folder, "responses").stat().st_mode & 0o777, 0o700)
            pathlib.Path(folder, "responses", "." + "0" * 64 + ".1-1.part").write_text("torn")
            pathlib.Path(folder, "responses", "f" * 64).write_text("[" * 1000)
            with serving(*keys) as server:
                self.assertFalse(list(pathlib.Path(folder, "responses").glob("*.part")))
                path = "/v1/responses/" + kept["id"]
                as_key = lambda method, path, key: server.ask(method, path, None, {"x-api-key": key})
                self.assertEqual(json.loads(as_key("GET", path, "key-of-alice").text), kept)
                self.assertEqual(as_key("GET", path, "key-of-bob").status, 404)
                self.assertEqual(as_key("DELETE", path, "key-of-bob").status, 404)
                items = json.loads(as_key("GET", path + "/input_items", "key-of-alice").text)
                self.assertEqual(items["data"][0]["content"][0]["text"], "Hello")
                more = self.first(server, "key-of-alice", previous_response_id=kept["id"])
                self.assertGreater(more["usage"]["input_tokens"], kept["usage"]["input_tokens"])
                items = json.loads(as_key("GET", f"/v1/responses/{more['id']}/input_items?order=asc",
                                          "key-of-alice").text)
                self.assertEqual([i["role"] for i in items["data"]], ["user", "assistant", "user"])
                self.assertEqual(as_key("DELETE", path, "key-of-alice").status, 200)
                self.assertEqual(as_key("GET", path, "key-of-alice").status, 404)

    def test_a_request_id_of_somebody_else_replaces_nothing(self):
        with serving("--api-key", "key-of-alice", "--api-key", "key-of-bob") as server:
            ask = lambda key, text: json.loads(server.ask(
                "POST", "/v1/responses", {"input": text, "max_output_tokens": 2},
                {"x-api-key": key, "x-request-id": "the-same"}).text)
            mine = ask("key-of-alice", "Hello")
            self.assertEqual(ask("key-of-bob", "Hi")["id"], mine["id"])
            again = server.ask("GET", "/v1/responses/" + mine["id"], None,
                               {"x-api-key": "key-of-alice"})
            self.assertEqual(json.loads(again.text), mine)

    def test_where_there_is_no_room_the_answer_says_that_it_was_not_kept(self):
        with tempfile.TemporaryDirectory() as folder:
            # A limit on the size of files is as good as a full disk.
            with serving_with_small_files("--state", folder) as server:
                answer = self.first(server)
                self.assertFalse(answer["store"])
                self.assertIn("store: ", " ".join(answer["heft"]["degraded"]))
                self.assertEqual(server.ask("GET", "/v1/responses/" + answer["id"]).status, 404)
                self.assertEqual(self.first(server, store=False)["heft"]["degraded"], [])

    def test_a_folder_that_cannot_be_used_is_told_at_the_start(self):
        with tempfile.NamedTemporaryFile() as file:
            self.fails(USAGE, "serve", "--state", file.name, saying=file.name)


@contextlib.contextmanager
def serving_with_small_files(*args):
    """A server whose files cannot grow beyond a kilobyte."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the server inherits that
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, before[1]))
    try:
        with serving(*args) as server:
            yield server
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)


class Deadlines(Case):
    def test_what_takes_too_long_ends_in_time(self):
        long = chat(900, ignore_eos=True)
        path = "/v1/chat/completions"
        with serving("--request-timeout", "600") as server:
            late = server.ask("POST", path, long, {"x-request-timeout": "0.05"})
            self.assertEqual(late.status, 504, late.text)
            self.assertEqual(json.loads(late.text)["error"]["code"], "request_timeout")
            streamed = server.ask("POST", path, {**long, "stream": True},
                                  {"x-request-timeout": "0.2"})
            self.assertIn("request_timeout", streamed.text)
            self.assertNotIn("[DONE]", streamed.text)
            self.assertEqual(server.ask("POST", path, chat(), {"x-request-timeout": "60"}).status, 200)
            for bad in ("soon", "-1", "0", "1s", "nan"):
                self.assertEqual(server.ask("POST", path, chat(), {"x-request-timeout": bad}).status,
                                 400, bad)


if __name__ == "__main__":
    unittest.main()
