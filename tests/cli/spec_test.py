"""--spec and --deterministic: what they change, and what they must not."""
import unittest

from support import USAGE, NOT_FOUND, QUESTION, TINY, Case

REPEATS = "Good night, moon. Good night, fox. Good night, owl. Good night, cat. Good night,"


class Spec(Case):
    def run_json(self, *args):
        return self.document("heft.run/1", "run", "tiny", "--raw", REPEATS, "-n", "40",
                             "--ignore-eos", *args)

    def test_the_text_is_the_same_and_the_statistics_say_what_was_guessed(self):
        for sampling in (["--temp", "0"], ["--seed", "3"],
                         ["--seed", "4", "--repeat-penalty", "1.2", "--stop", "moon"]):
            plain = self.run_json("--spec", "off", *sampling)
            self.assertEqual(plain["speculation"]["kind"], "off")
            self.assertEqual(plain["speculation"]["proposed"], 0)
            self.assertIsNone(plain["speculation"]["acceptance"])
            for spec in (["ngram"], ["ngram", "--spec-always"], ["tiny", "--spec-always"],
                         [TINY, "--draft-max", "3", "--draft-min", "2", "--draft-p-min", "0.2"]):
                guessed = self.run_json("--spec", *spec, *sampling)
                for key in ("text", "ids", "finish_reason", "usage"):
                    self.assertEqual(guessed[key], plain[key])
                told = guessed["speculation"]
                self.assertEqual(told["kind"], "ngram" if spec[0] == "ngram" else "draft")
                self.assertLessEqual(told["accepted"], told["proposed"])
                if "--spec-always" in spec and "--stop" not in sampling:
                    self.assertGreater(told["proposed"], 0)
                    self.assertAlmostEqual(told["acceptance"], told["accepted"] / told["proposed"])
                    self.assertGreaterEqual(told["tokens_per_pass"], 1)

    def test_the_last_line_tells_it(self):
        done = self.ok("run", "tiny", "--raw", REPEATS, "-n", "40", "--temp", "0", "--spec", "tiny",
                       "--spec-always")
        self.assertIn(b"right", done.stderr)
        self.assertIn(b"a pass", done.stderr)

    def test_a_conversation_is_the_same(self):
        args = ("chat", "tiny", "--seed", "5", "-n", "30")
        lines = f"{QUESTION}\nGo on.\n"
        plain = self.text(*args, "--spec", "off", stdin=lines)
        for spec in (["ngram", "--spec-always"], ["tiny"]):
            self.assertEqual(self.text(*args, "--spec", *spec, stdin=lines), plain)

    def test_what_has_no_meaning_is_refused(self):
        self.fails(NOT_FOUND, "run", "tiny", "Hi", "--spec", "no-such-model.gguf",
                   saying="no-such-model.gguf")
        self.fails(USAGE, "run", "tiny", "Hi", "--spec", "ngram", "--spec-max", "0", saying="1 to 64")
        self.fails(USAGE, "run", "tiny", "Hi", "--spec", "tiny", "--spec-p-min", "2", saying="0 to 1")


class Deterministic(Case):
    def test_chunks_do_not_change_a_bit(self):
        ids = ",".join(str(1 + 37 * i % 1000) for i in range(40))
        for precision in ("f32", "fast"):
            args = ("logits", "tiny", "--ids", ids, "--at", "all", "--deterministic", "--json",
                    "--precision", precision)
            whole = self.text(*args)
            for chunks in ("1", "3", "7", "7,16,1"):
                self.assertEqual(self.text(*args, "--chunks", chunks), whole)

    def test_run_takes_it(self):
        args = ("run", "tiny", QUESTION, "--temp", "0", "-n", "20")
        self.assertEqual(self.text(*args, "--deterministic", "--spec", "ngram", "--spec-always"),
                         self.text(*args, "--deterministic", "--spec", "off"))


if __name__ == "__main__":
    unittest.main()
