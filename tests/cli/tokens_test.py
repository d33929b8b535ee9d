"""heft tokenize, detokenize and template."""
import json
import tempfile
import unittest

from support import TINY, USAGE, NOT_FOUND, CORRUPT, heft, Case


class Tokens(Case):
    TEXTS = ["Hello there", "", " ", "naïve — “日本語” 🦊\n\n\tx  ", "<|end|>", "a" * 5000]

    def ids(self, text, *args):
        return self.document("heft.tokens/1", "tokenize", "tiny", text, *args)["ids"]

    def test_document_and_text_say_the_same(self):
        tree = self.document("heft.tokens/1", "tokenize", "tiny", "Hello there fox")
        self.assertEqual(list(tree), ["schema", "ids", "pieces"])
        self.assertEqual(len(tree["ids"]), len(tree["pieces"]))
        lines = self.text("tokenize", "tiny", "Hello there fox").splitlines()
        self.assertEqual([int(line.split()[0]) for line in lines], tree["ids"])
        self.assertEqual(self.text("tokenize", "tiny", "Hello there fox", "--ids").strip(),
                         ",".join(map(str, tree["ids"])))

    def test_there_and_back(self):
        for text in self.TEXTS:
            ids = self.ids(text, "--no-special")
            back = self.ok("detokenize", "tiny", stdin=",".join(map(str, ids))).stdout
            self.assertEqual(back.decode(), text)

    def test_text_from_argument_file_and_pipe(self):
        text = "The fox found a lantern.\nIt glowed."
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(text)
            file.flush()
            from_file = self.document("heft.tokens/1", "tokenize", "tiny", "--file", file.name)
            self.fails(USAGE, "tokenize", "tiny", "x", "--file", file.name)
        piped = self.document("heft.tokens/1", "tokenize", "tiny", stdin=text)
        dash = self.document("heft.tokens/1", "tokenize", "tiny", "-", stdin=text)
        self.assertEqual(from_file["ids"], self.ids(text))
        self.assertEqual(piped["ids"], self.ids(text))
        self.assertEqual(dash["ids"], self.ids(text))

    def test_control_tokens_only_where_asked_for(self):
        self.assertGreater(len(self.ids("<|end|>", "--no-special")), 1)
        self.assertEqual(self.ids("<|end|>", "--no-special", "--parse-special"), [3])
        self.assertEqual(self.text("detokenize", "tiny", "3"), "")
        self.assertEqual(self.text("detokenize", "tiny", "3", "--special"), "<|end|>")

    def test_the_embedded_model_and_its_folder_agree(self):
        for text in self.TEXTS:
            self.assertEqual(self.ids(text), self.document("heft.tokens/1", "tokenize", TINY, text)["ids"])

    def test_ids_that_do_not_exist(self):
        for ids in ("2048", "-1", "99999999999", "x", "1.5"):
            self.fails(USAGE, "detokenize", "tiny", "--", ids)

    def test_detokenize_document(self):
        ids = self.ids("Hello", "--no-special")
        tree = self.document("heft.text/1", "detokenize", "tiny", *ids)
        self.assertEqual(tree["text"], "Hello")


class Template(Case):
    MESSAGES = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": " Hi\n"}]
    EXPECTED = "<|begin_of_text|><|start|>system\nBe kind.<|end|>\n<|start|>user\n Hi\n<|end|>\n"

    def render(self, messages, *args):
        return self.ok("template", "tiny", "--messages", "-", *args,
                       stdin=json.dumps(messages)).stdout.decode()

    def test_byte_for_byte(self):
        self.assertEqual(self.render(self.MESSAGES), self.EXPECTED + "<|start|>assistant\n")
        self.assertEqual(self.render(self.MESSAGES, "--no-generation-prompt"), self.EXPECTED)
        self.assertEqual(self.render({"messages": self.MESSAGES}, "--no-generation-prompt"),
                         self.EXPECTED)

    def test_document_and_file(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(self.MESSAGES, file)
            file.flush()
            tree = self.document("heft.template/1", "template", TINY, "--messages", file.name)
        self.assertEqual(tree["text"], self.EXPECTED + "<|start|>assistant\n")

    def test_variables_can_be_set(self):
        self.assertEqual(self.render(self.MESSAGES, "--set", "add_generation_prompt=false"),
                         self.EXPECTED)
        self.fails(USAGE, "template", "tiny", "--messages", "-", "--set", "nonsense", stdin="[]")

    def test_what_is_no_conversation(self):
        self.fails(CORRUPT, "template", "tiny", "--messages", "-", stdin="[{")
        self.fails(USAGE, "template", "tiny", "--messages", "-", stdin="{}")
        self.fails(USAGE, "template", "tiny", "--messages", "-", stdin="3")
        self.fails(CORRUPT, "template", "tiny", "--messages", "-", stdin="[" * 100000)
        self.fails(NOT_FOUND, "template", "tiny", "--messages", "/nonexistent.json",
                   saying="/nonexistent.json")


if __name__ == "__main__":
    unittest.main()
