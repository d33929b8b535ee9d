"""heft chat, on a terminal of its own."""
import json
import os
import pathlib
import pty
import select
import signal
import tempfile
import time
import unittest

from support import HEFT, USAGE, NOT_FOUND, heft, Case


class Chat(Case):
    def test_lines_in_answers_out(self):
        done = self.ok("chat", "tiny", "--temp", "0", "-n", "12", stdin="Hello.\n\nAnd a fox?\n")
        self.assertGreaterEqual(len(done.stdout.splitlines()), 2)
        self.assertNotIn(b"> ", done.stdout)

    def test_document_and_memory(self):
        tree = self.document("heft.chat/1", "chat", "tiny", "--temp", "0", "-n", "12",
                             "-s", "Be brief.", stdin="Hello.\nAnd a fox?\n/exit\nnot read\n")
        self.assertEqual([m["role"] for m in tree["messages"]],
                         ["system", "user", "assistant", "user", "assistant"])
        alone = self.document("heft.run/1", "run", "tiny", "Hello.", "-s", "Be brief.",
                              "--temp", "0", "-n", "12")["text"]
        self.assertEqual(tree["messages"][2]["content"], alone)

    def test_commands(self):
        with tempfile.TemporaryDirectory() as folder:
            saved = os.path.join(folder, "chat.json")
            lines = ["/system Be brief.", "Hello.", "/stats", f"/save {saved}", "/reset",
                     f"/load {saved}", "/retry", "/help", '"""two', 'lines"""', "one\\", "text"]
            tree = self.document("heft.chat/1", "chat", "tiny", "--temp", "0", "-n", "8",
                                 stdin="\n".join(lines) + "\n")
            stored = json.loads(pathlib.Path(saved).read_text())
        self.assertEqual(stored["schema"], "heft.chat/1")
        self.assertEqual(stored["messages"], tree["messages"][:3])
        self.assertEqual(tree["messages"][3]["content"], "two\nlines")
        self.assertEqual(tree["messages"][5]["content"], "one\ntext")

    def test_errors_end_a_piped_conversation(self):
        self.fails(USAGE, "chat", "tiny", stdin="/nonsense\n", saying="/nonsense")
        self.fails(USAGE, "chat", "tiny", stdin="/retry\n")
        self.fails(NOT_FOUND, "chat", "tiny", stdin="/load /nonexistent\n")

    def test_on_a_terminal(self):
        """Line editing, history in a private file, Ctrl-C at the prompt, Ctrl-D."""
        with tempfile.TemporaryDirectory() as state:
            pid, terminal = pty.fork()
            if pid == 0:
                os.environ.update(XDG_STATE_HOME=state, TERM="xterm")
                os.execv(HEFT, [HEFT, "chat", "tiny", "--temp", "0", "-n", "5"])
            seen = self.expect(terminal, b"> ")
            os.write(terminal, b"not this")
            time.sleep(0.2)
            os.write(terminal, b"\x03")
            self.expect(terminal, b"> ")
            os.write(terminal, b"Hello fox\n")
            seen = self.expect(terminal, b"> ", after=b"fox")
            self.assertEqual(self.leave(pid, terminal), 0, seen)
            history = pathlib.Path(state) / "heft" / "chat_history"
            self.assertEqual(history.stat().st_mode & 0o777, 0o600)
            self.assertIn("fox", history.read_text())
            self.assertNotIn("this", history.read_text())

    def leave(self, pid, terminal):
        """Ctrl-D, again while the program is not listening: what is typed just before it does is
        text, which Ctrl-U takes away."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            os.write(terminal, b"\x15\x04")
            time.sleep(0.2)
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        self.fail("Ctrl-D did not end it")

    def expect(self, terminal, wanted, after=b""):
        seen, end = b"", time.monotonic() + 60
        while time.monotonic() < end:
            if select.select([terminal], [], [], 0.5)[0]:
                try:
                    seen += os.read(terminal, 4096)
                except OSError:
                    break
            at = seen.find(after)
            if at >= 0 and wanted in seen[at + len(after):]:
                return seen
        self.fail(f"{wanted} did not come: {seen}")


if __name__ == "__main__":
    unittest.main()
