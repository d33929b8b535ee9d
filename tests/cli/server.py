"""A running `heft serve`, for the tests that need one."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

from support import HEFT

SECONDS = 60


class Server:
    """A running `heft serve` on a free port, or on a local socket."""

    def __init__(self, *args, env=None, **more):
        self.told_to_stop = False
        self.log = tempfile.NamedTemporaryFile("w+")
        self.process = subprocess.Popen(
            [HEFT, "serve", "-t", "1", "--port", "0", *map(str, args)], stderr=self.log,
            env={**os.environ, **(env or {})}, **more)
        deadline = time.time() + SECONDS
        while "serving at" not in self.said() and self.process.poll() is None:
            if time.time() > deadline:
                self.process.kill()
                raise AssertionError(self.said())
            time.sleep(0.02)
        port = re.search(r"serving at https?://.*:(\d+)", self.said())
        self.port = int(port.group(1)) if port else None

    def said(self):
        return pathlib.Path(self.log.name).read_text()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def wait_for(self, text, times=1):
        """Until the log has said it so many times."""
        deadline = time.time() + SECONDS
        while self.said().count(text) < times:
            if time.time() > deadline or self.process.poll() is not None:
                raise AssertionError(f"no {text!r} in:\n" + self.said())
            time.sleep(0.02)

    def reload(self):
        """By SIGHUP; answers what the log says of it."""
        before = self.said()
        self.process.send_signal(signal.SIGHUP)
        deadline = time.time() + SECONDS
        while time.time() < deadline:
            new = self.said()[len(before):]
            if "read again" in new or "stays as it was" in new:
                return new
            time.sleep(0.02)
        raise AssertionError("no reload: " + self.said())

    def memory_kib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        answer.text = answer.read().decode()
        connection.close()
        return answer

    def stop(self):
        if self.process.poll() is None and not self.told_to_stop:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(SECONDS)
        self.log.close()
        return code


@contextlib.contextmanager
def serving(*args, **kwargs):
    server = Server(*args, **kwargs)
    try:
        if server.process.poll() is not None:
            raise AssertionError(server.said())
        yield server
    finally:
        code = server.stop()
    if code != 0:
        raise AssertionError(f"heft serve ended with {code}")


def chat(n=4, **more):
    return {"model": "tiny", "max_tokens": n, "messages": [{"role": "user", "content": "Hello"}],
            **more}
