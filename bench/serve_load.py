#!/usr/bin/env python3
"""Many clients at once, good and bad, against `heft serve`; checks that the server keeps its word.

    bench/serve_load.py build/heft                       # 64 clients, 2 minutes
    bench/serve_load.py build/heft --seconds 10 --clients 16 --json

Streaming clients of every API, clients that leave, clients that hardly read, malformed requests and a
key with limits, all at random, on the built-in model with --deterministic. Checked:

  errors      no status but those that the request deserves
  tokens      every complete answer is the one that a lone request got for the same seed
  memory      what the process holds grows by less than 5 % after the first 30 s
  counters    /metrics agrees with what the clients counted, and with itself

Only Python's standard library is needed. Exit code 1: a check failed.
"""
import argparse
import asyncio
import collections
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

PROMPTS = ["Hello", "Tell me a story about a fox and a lantern.", "Once upon a time", "Who are you?",
           "The mouse said: " + "wait, " * 20, "Ünïcödé ✓"]
READ_S = 120        # a client gives up on a server that is silent for so long
SETTLE_S = 30       # memory is compared from then on
GROWTH = 0.05
CACHE_MIB = 24      # less than the clients would use: some are put back and computed again


class Failed(Exception):
    """The server did not do what it should."""


# --- HTTP/1.1, as much as is needed ---------------------------------------------------------------

def request_bytes(method, path, body=b"", headers=None, length=None):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json",
             f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Connection:
    """One request and its answer."""

    def __init__(self, port):
        self.port = port

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_):
        self.writer.close()

    async def send(self, raw):
        self.writer.write(raw)
        await self.writer.drain()

    async def head(self):
        text = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), READ_S)
        status, *lines = text.decode().split("\r\n")
        self.headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
        self.status = int(status.split()[1])
        return self.status

    async def chunks(self, pause=0.0):
        """The body as it comes; `pause` between reads."""
        if "content-length" in self.headers:
            yield await asyncio.wait_for(
                self.reader.readexactly(int(self.headers["content-length"])), READ_S)
            return
        while True:
            size = int(await asyncio.wait_for(self.reader.readuntil(b"\r\n"), READ_S), 16)
            chunk = await asyncio.wait_for(self.reader.readexactly(size + 2), READ_S)
            if size == 0:
                return
            yield chunk[:-2]
            if pause:
                await asyncio.sleep(pause)

    async def body(self, pause=0.0):
        return b"".join([chunk async for chunk in self.chunks(pause)])


# --- the APIs: a request for one answer, and what it says -----------------------------------------

def events(text):
    return [json.loads(line[6:]) for line in text.splitlines()
            if line.startswith("data: ") and line != "data: [DONE]"]


def openai(case, stream):
    body = {"messages": [{"role": "user", "content": case["prompt"]}], "max_tokens": case["n"],
            "seed": case["seed"], "temperature": case["temperature"], "stream": stream}
    if stream:
        body["stream_options"] = {"include_usage": True}
    return "/v1/chat/completions", body


def openai_said(text, stream):
    if not stream:
        tree = json.loads(text)
        return tree["choices"][0]["message"]["content"], tree["usage"]["completion_tokens"]
    if "data: [DONE]" not in text:
        raise Failed("a stream without its end: " + text[-200:])
    said, made = "", 0
    for event in events(text):
        for choice in event["choices"]:
            said += choice["delta"].get("content") or ""
        made = (event.get("usage") or {}).get("completion_tokens", made)
    return said, made


def ollama(case, stream):
    return "/api/chat", {"messages": [{"role": "user", "content": case["prompt"]}], "stream": stream,
                         "options": {"num_predict": case["n"], "seed": case["seed"],
                                     "temperature": case["temperature"]}}


def ollama_said(text, stream):
    lines = [json.loads(line) for line in text.splitlines()]
    if not lines[-1]["done"]:
        raise Failed("a stream without its end: " + text[-200:])
    return "".join(line["message"]["content"] for line in lines), lines[-1]["eval_count"]


def responses(case, stream):
    return "/v1/responses", {"input": case["prompt"], "max_output_tokens": case["n"],
                             "temperature": case["temperature"], "stream": stream, "store": False,
                             "seed": case["seed"]}


def responses_said(text, stream):
    tree = json.loads(text) if not stream else events(text)[-1]["response"]
    said = "".join(part["text"] for item in tree["output"] if item["type"] == "message"
                   for part in item["content"])
    return said, tree["usage"]["output_tokens"]


APIS = [(openai, openai_said), (ollama, ollama_said), (responses, responses_said)]

BAD = [  # method, path, body, the status it deserves
    ("POST", "/v1/chat/completions", b"{", 400),
    ("POST", "/v1/chat/completions", b"\xff\xfe", 400),
    ("POST", "/v1/chat/completions", b"[" * 100_000, 400),
    ("POST", "/v1/chat/completions", b'{"messages": []}', 400),
    ("POST", "/v1/chat/completions", b'{"messages": [{"role": "user", "content": 5}]}', 400),
    ("POST", "/v1/completions", b'{"prompt": "a", "n": 100000}', 400),
    ("POST", "/v1/completions", b'{"prompt": "%s"}' % (b"many words " * 5000), 400),
    ("POST", "/v1/chat/completions",
     b'{"model": "none", "messages": [{"role": "user", "content": "a"}]}', 404),
    ("POST", "/v1/messages", b'{"max_tokens": -1, "messages": []}', 400),
    ("GET", "/no/such/path", b"", 404),
    ("DELETE", "/v1/chat/completions", b"", 405),
    ("GET", "/v1/responses/resp_none", b"", 404),
]


class Load:
    def __init__(self, port, process, options):
        self.port, self.process, self.options = port, process, options
        self.random = random.Random(options.seed)
        self.cases = [{"prompt": prompt, "n": n, "seed": seed, "temperature": temperature}
                      for seed, prompt in enumerate(PROMPTS)
                      for n, temperature in ((3, 0), (24, 0.9), (60, 1.3))]
        self.statuses = collections.Counter()  # of answers whose head was seen
        self.did = collections.Counter()
        self.unseen = 0        # requests whose client left before it saw a status
        self.answers = 0       # complete answers of a model
        self.made = 0          # their tokens
        self.first_token_s, self.memory, self.failures = [], [], []

    def key(self, name="load"):
        return {"Authorization": f"Bearer {self.options.keys[name]}"}

    async def ask(self, method, path, body=b"", headers=None, pause=0.0):
        async with Connection(self.port) as connection:
            await connection.send(request_bytes(method, path, body, headers or self.key()))
            self.statuses[await connection.head()] += 1
            return connection, (await connection.body(pause)).decode(errors="replace")

    async def learn(self):
        """What each case is answered, alone."""
        for case in self.cases:
            path, body = openai(case, False)
            connection, text = await self.ask("POST", path, json.dumps(body).encode())
            if connection.status != 200:
                raise Failed(text)
            case["said"], case["made"] = openai_said(text, False)
            self.answers += 1
            self.made += case["made"]

    async def fill_cache(self):
        """Every block of the cache is touched once: what memory grows by later is not the cache."""
        for _ in range(2 * CACHE_MIB):
            body = {"model": "tiny", "max_tokens": 1,
                    "prompt": [self.random.randrange(300, 2000) for _ in range(900)]}
            connection, text = await self.ask("POST", "/v1/completions", json.dumps(body).encode())
            if connection.status != 200:
                raise Failed(text)
            self.answers += 1
            self.made += json.loads(text)["usage"]["completion_tokens"]

    # --- what clients do ---

    async def whole(self, pause=0.0):
        case, stream = self.random.choice(self.cases), self.random.random() < 0.8
        api, said = self.random.choice(APIS)
        path, body = api(case, stream)
        if api is not ollama:
            body["model"] = self.random.choice(["tiny", "tiny:latest"])
        else:
            body["model"] = "tiny"
        start = time.monotonic()
        async with Connection(self.port) as connection:
            await connection.send(request_bytes("POST", path, json.dumps(body).encode(), self.key()))
            status = await connection.head()
            self.statuses[status] += 1
            text = b""
            async for chunk in connection.chunks(pause):
                if not text and stream:
                    self.first_token_s.append(time.monotonic() - start)
                text += chunk
        if status == 429:  # the queue is full: bounded, and said so
            if "retry-after" not in connection.headers:
                raise Failed("429 without Retry-After")
            return
        if status != 200:
            raise Failed(f"{path}: {status} {text[:300]}")
        got = said(text.decode(), stream)
        self.answers += 1
        self.made += got[1]
        if got != (case["said"], case["made"]):
            raise Failed(f"{path}: {got} is not what a lone request got: "
                         f"{case['said'], case['made']}")

    async def slow(self):
        await self.whole(pause=0.05)

    async def leave(self):
        """Takes a part of a stream."""
        path, body = openai({**self.random.choice(self.cases), "n": 400}, True)
        body["ignore_eos"] = True
        async with Connection(self.port) as connection:
            await connection.send(request_bytes("POST", path, json.dumps(body).encode(), self.key()))
            self.statuses[await connection.head()] += 1
            if connection.status != 200:
                return
            n_left = self.random.randrange(1, 20)
            async for _ in connection.chunks():
                n_left -= 1
                if n_left == 0:
                    break
            connection.writer.transport.abort()

    async def leave_early(self):
        """In the middle of the request, or at once behind it."""
        path, body = openai(self.random.choice(self.cases), True)
        raw = request_bytes("POST", path, json.dumps(body).encode(), self.key())
        self.unseen += 1
        async with Connection(self.port) as connection:
            await connection.send(raw[:self.random.choice([0, 10, len(raw) - 5, len(raw)])])
            connection.writer.transport.abort()

    async def malformed(self):
        method, path, body, deserves = self.random.choice(BAD)
        connection, text = await self.ask(method, path, body)
        if connection.status != deserves:
            raise Failed(f"{method} {path} {body[:60]}: {connection.status}, not {deserves}: {text}")
        json.loads(text)

    async def stranger(self):
        connection, _ = await self.ask("GET", "/v1/models", headers={"x-api-key": "no such key"})
        if connection.status != 401:
            raise Failed(f"a wrong key got {connection.status}")

    async def limited(self):
        path, body = openai(self.random.choice(self.cases), False)
        connection, text = await self.ask("POST", path, json.dumps(body).encode(),
                                          self.key("limited"))
        if connection.status == 429 and "retry-after" in connection.headers:
            return
        if connection.status != 200:
            raise Failed(f"the limited key got {connection.status}: {text}")
        self.answers += 1
        self.made += openai_said(text, False)[1]
        self.did["limited key: answered"] += 1

    async def client(self, until):
        acts = [(self.whole, 60), (self.leave, 12), (self.slow, 6), (self.leave_early, 6),
                (self.malformed, 10), (self.limited, 4), (self.stranger, 2)]
        while time.monotonic() < until and len(self.failures) < 20:
            act = self.random.choices([a for a, _ in acts], [w for _, w in acts])[0]
            self.did[act.__name__] += 1
            try:
                await act()
            except Exception as error:  # whatever it is, it is the server's
                self.failures.append(f"{act.__name__}: {type(error).__name__} {error}")

    async def watch(self, until):
        while time.monotonic() < until:
            self.memory.append((time.monotonic(), resident(self.process.pid)))
            await asyncio.sleep(0.5)

    # --- what must hold afterwards ---

    async def numbers(self):
        """/metrics, once nothing is under way any more."""
        for _ in range(200):
            _, text = await self.ask("GET", "/metrics")
            found = {}
            for line in text.splitlines():
                if line and not line.startswith("#"):
                    name, value = line.rsplit(" ", 1)
                    found[name] = float(value)
            at = lambda name: found[f'{name}{{model="tiny"}}']
            if at("heft_jobs_running") == 0 and at("heft_jobs_waiting") == 0 \
                    and found["heft_connections"] <= 1:
                return found
            await asyncio.sleep(0.05)
        raise Failed("answers are under way though every client has gone")

    def check_counters(self, found):
        total = lambda name: int(sum(v for k, v in found.items() if re.match(name + r"(\{|$)", k)))
        of = lambda name: int(found[f'{name}{{model="tiny"}}'])
        labelled = lambda name, label, value: int(found.get(f'{name}{{{label}="{value}"}}', 0))

        def same(what, a, b, more=0):
            if not b <= a <= b + more:
                self.failures.append(f"counters: {what}: {a}, but {b} (+{more}) expected")

        # Of requests whose clients left early the server may have seen all or nothing. The request
        # that asks for these numbers is not over when they are made.
        seen = self.statuses - collections.Counter({200: 1})
        same("requests", total("heft_http_requests_total"), sum(seen.values()), self.unseen)
        for status, count in seen.items():
            more = self.unseen if status in (200, 400, 499) else 0
            same(f"status {status}", labelled("heft_http_requests_total", "status", status), count,
                 more)
        same("jobs", of("heft_jobs_total"),
             of("heft_jobs_done_total") + of("heft_jobs_failed_total")
             + of("heft_jobs_cancelled_total"))
        same("failed jobs", of("heft_jobs_failed_total"), 0)
        same("jobs done", of("heft_jobs_done_total"), self.answers,
             self.did["leave"] + self.did["leave_early"])
        same("tokens", total("heft_answer_tokens_total"), of("heft_tokens_made_total"))
        if total("heft_answer_tokens_total") < self.made:
            self.failures.append("counters: fewer tokens were made than clients have read")
        same("blocks in use", of("heft_cache_blocks_used"), 0)
        if of("heft_prompt_tokens_cached_total") <= 0:
            self.failures.append("counters: no prompt was found in the cache")

    def check_memory(self, began):
        settled = [kib for at, kib in self.memory if at >= began + SETTLE_S]
        if len(settled) < 20:
            return None
        tenth = len(settled) // 10
        before, after = max(settled[:tenth + 1]), max(settled[-tenth - 1:])
        growth = after / before - 1
        if growth > GROWTH:
            self.failures.append(f"memory: from {before} to {after} KiB, {growth:+.1%}")
        return {"before_kib": before, "after_kib": after, "growth": round(growth, 4)}


def resident(pid):
    """KiB that are in no file."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+)", text).group(1))


def start(options, folder):
    keys = pathlib.Path(folder, "keys.yaml")
    options.keys = {}
    for name, more in (("load", []), ("limited", ["--requests", "12", "--concurrent", "2"])):
        made = subprocess.run([options.heft, "keys", "add", name, "--keys", keys, *more], check=True,
                              capture_output=True, text=True)
        options.keys[name] = made.stdout.strip()
    log = open(pathlib.Path(folder, "log"), "w+")
    process = subprocess.Popen(
        [options.heft, "serve", "--port", "0", "--metrics", "--deterministic", "--keys", keys,
         "--state", folder, "--cache-size", str(CACHE_MIB), "-t", str(options.threads)], stderr=log)
    for _ in range(6000):
        found = re.search(r"serving at http://.*:(\d+)", pathlib.Path(log.name).read_text())
        if found or process.poll() is not None:
            break
        time.sleep(0.01)
    if not found:
        raise Failed(pathlib.Path(log.name).read_text())
    return process, int(found.group(1)), log


async def run(options, folder):
    process, port, log = start(options, folder)
    load = Load(port, process, options)
    try:
        await load.learn()
        if options.seconds > SETTLE_S:
            await load.fill_cache()
        began = time.monotonic()
        until = began + options.seconds
        await asyncio.gather(load.watch(until), *(load.client(until) for _ in range(options.clients)))
        seconds = time.monotonic() - began
        load.check_counters(await load.numbers())
        memory = load.check_memory(began)
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
    if code != 0:
        load.failures.append(f"the server ended with {code}: " + pathlib.Path(log.name).read_text())
    waits = sorted(load.first_token_s)
    return {"schema": "heft.serve-load/1", "clients": options.clients, "seconds": round(seconds, 1),
            "requests": sum(load.statuses.values()),
            "statuses": {str(k): v for k, v in sorted(load.statuses.items())},
            "acts": dict(load.did), "answers_checked": load.answers, "tokens": load.made,
            "first_chunk_s": {"p50": waits[len(waits) // 2] if waits else None,
                              "p99": waits[len(waits) * 99 // 100] if waits else None},
            "memory": memory, "failures": load.failures}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("heft", help="the program")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1, help="of the model")
    parser.add_argument("--seed", type=int, default=os.getpid(), help="of what clients do")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(run(options, folder))
    if options.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:16} {value}")
    return 1 if result["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
