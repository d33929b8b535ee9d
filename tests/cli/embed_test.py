"""heft embed, and --lora."""
import json
import pathlib
import shutil
import tempfile
import unittest

from support import NOT_FOUND, TINY, UNSUPPORTED, USAGE, Case, write_adapter

TEXT = "A fox and a lantern."


def length(vector):
    return sum(x * x for x in vector) ** 0.5


class Embed(Case):
    def embed(self, *args, **kwargs):
        return self.document("heft.embedding/1", "embed", "tiny", *args, **kwargs)

    def test_document(self):
        tree = self.embed(TEXT)
        self.assertEqual(set(tree), {"schema", "embedding", "pooling", "normalized", "usage"})
        width = json.loads((TINY / "config.json").read_text())["hidden_size"]
        self.assertEqual(len(tree["embedding"]), width)
        self.assertEqual(tree["pooling"], "last")
        self.assertGreater(tree["usage"]["prompt_tokens"], 3)
        words = self.text("embed", "tiny", TEXT).split()
        for word, value in zip(words, tree["embedding"], strict=True):
            self.assertAlmostEqual(float(word), value, delta=1e-4)

    def test_pooling(self):
        vectors = {p: self.embed(TEXT, "--pooling", p)["embedding"] for p in ("mean", "last", "cls")}
        self.assertEqual(len({tuple(v) for v in vectors.values()}), 3)
        # Of a single token, all are the same.
        alone = {tuple(self.embed("", "--pooling", p)["embedding"]) for p in vectors}
        self.assertEqual(len(alone), 1)
        self.fails(USAGE, "embed", "tiny", TEXT, "--pooling", "max", saying="max")

    def test_normalize(self):
        plain = self.embed(TEXT)["embedding"]
        unit = self.embed(TEXT, "--normalize")
        self.assertTrue(unit["normalized"])
        self.assertAlmostEqual(length(unit["embedding"]), 1, delta=1e-5)
        for a, b in zip(plain, unit["embedding"], strict=True):
            self.assertAlmostEqual(a / length(plain), b, delta=1e-5)

    def test_where_the_text_comes_from(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "text"
            path.write_text(TEXT)
            expected = self.embed(TEXT)
            self.assertEqual(self.embed("--file", path), expected)
            self.assertEqual(self.embed(stdin=TEXT), expected)
        self.fails(NOT_FOUND, "embed", "tiny", "--file", "/nonexistent", saying="/nonexistent")
        self.fails(USAGE, "embed", "tiny", "word " * 5000, saying="context")

    def test_encoders_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(TINY / "model.safetensors", folder)
            (pathlib.Path(folder) / "config.json").write_text(
                json.dumps({"model_type": "bert", "hidden_size": 64}))
            self.fails(UNSUPPORTED, "embed", folder, TEXT, saying="bert")


Q_PROJ = "base_model.model.model.layers.0.self_attn.q_proj"


class Lora(Case):
    def logits(self, *args):
        return self.document("heft.logits/1", "logits", "tiny", "--ids", "5,6,7,8",
                             *args)["logits"][0]

    def test_strength(self):
        with tempfile.TemporaryDirectory() as folder:
            width = json.loads((TINY / "config.json").read_text())["hidden_size"]
            write_adapter(folder, {Q_PROJ: (width, width)})
            without = self.logits()
            self.assertEqual(self.logits("--lora", f"{folder}:0"), without)
            once = self.logits("--lora", folder)
            self.assertNotEqual(once, without)
            halves = self.logits("--lora", f"{folder}:0.5", "--lora", f"{folder}:0.5")
            scale = length(once) / len(once) ** 0.5
            for a, b in zip(once, halves, strict=True):
                self.assertAlmostEqual(a, b, delta=1e-4 * scale)

    def test_refusals(self):
        with tempfile.TemporaryDirectory() as folder:
            write_adapter(folder, {Q_PROJ: (40, json.loads((TINY / "config.json").read_text())["hidden_size"])})
            error = self.fails(USAGE, "logits", "tiny", "--ids", "1", "--lora", folder,
                               saying="40")
            self.assertIn("q_proj", error)
        self.fails(NOT_FOUND, "logits", "tiny", "--ids", "1", "--lora", "/nonexistent",
                   saying="/nonexistent")


if __name__ == "__main__":
    unittest.main()
