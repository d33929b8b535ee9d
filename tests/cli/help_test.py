"""What the program says of itself."""
import unittest

from support import VERBS, USAGE, heft, Case


class Help(Case):
    def test_every_verb_fits_a_screen_and_has_an_example(self):
        for verb in VERBS:
            for flag in ("--help", "-h"):
                lines = self.text(verb, flag).splitlines()
                self.assertLessEqual(len(lines), 24, verb)
                self.assertLessEqual(max(map(len, lines)), 100, verb)
                self.assertTrue(any(f"Example: heft {verb}" in line for line in lines), verb)

    def test_a_verb_of_a_verb_says_its_whole_name(self):
        self.assertIn("Usage:   heft eval kl MODEL", self.text("eval", "kl", "--help"))

    def test_the_program_lists_its_verbs(self):
        text = self.text("--help")
        for verb in VERBS:
            self.assertIn(verb, text)
        self.assertLessEqual(len(text.splitlines()), 24)

    def test_wrong_use_is_told_apart_from_everything_else(self):
        self.fails(USAGE, saying="--help")
        self.fails(USAGE, "sing")
        self.fails(USAGE, "run", "tiny", "x", "--no-such-option")
        self.fails(USAGE, "run", "tiny", "x", "-n", "many")
        self.fails(USAGE, "tokenize")
        self.fails(USAGE, "logits", "tiny")

    def test_no_colours_in_pipes(self):
        for args in (["--help"], ["version"], ["inspect", "tiny"], ["run", "tiny", "Hi", "-n", "2"]):
            done = self.ok(*args)
            self.assertNotIn(b"\x1b", done.stdout + done.stderr)


class Version(Case):
    def test_document(self):
        tree = self.document("heft.version/1", "version")
        self.assertIn(tree["isa"]["used"], tree["isa"]["found"])
        self.assertGreaterEqual(tree["cpus"], 1)
        for key in ("version", "commit", "compiler", "build_type"):
            self.assertTrue(tree[key])
        self.assertIn(tree["version"], self.text("version"))

    def test_is_what_the_flag_tells(self):
        self.assertEqual(self.text("--version"), self.text("version"))


if __name__ == "__main__":
    unittest.main()
