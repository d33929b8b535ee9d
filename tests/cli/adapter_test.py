#!/usr/bin/env python3
"""heft convert of adapters, end to end: PEFT folders, GGUF files, and what a model says with either."""
import json
import pathlib
import struct
import tempfile
import unittest

from support import (NOT_FOUND, ROOT, UNSUPPORTED, USAGE, Case, read_safetensors, write_adapter)

GOLDEN = ROOT / "tests" / "golden"
# Families that differ in names, orders of rows, fused and stacked matrices.
BASES = ["llama2", "llama3", "mistral", "mixtral", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe", "gemma", "gemma2",
         "gemma3_text", "phi", "phi3", "falcon_7b", "falcon_40b", "gpt_neox", "bloom", "olmo", "olmo2", "gpt2",
         "deepseek_v2", "deepseek_v3", "gpt_oss", "llama4_text"]
EMBEDDINGS = ("embed_tokens", "wte", "word_embeddings", "embed_in")
OTHERS = ("lm_head", "embed_out", "wpe", "kv_b_proj")  # tied in some, or no product in others


def shapes_of(base):
    """Outputs and inputs of the modules of a model, by their names."""
    out = {}
    for file in sorted(base.glob("*.safetensors")):
        for name, (_, shape, _) in read_safetensors(file).items():
            stem, _, kind = name.rpartition(".")
            last = stem.rsplit(".", 1)[-1]
            if kind == "weight" and len(shape) == 2 and last not in OTHERS:
                turned = base.name == "gpt2" and last not in EMBEDDINGS
                out["base_model.model." + stem] = tuple(reversed(shape) if turned else shape)
    return out


class Adapters(Case):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def path(self, name):
        return self.folder / name

    def make(self, source, name, *args):
        return self.document("heft.convert/1", "convert", source, self.path(name), "--force", "--accept-terms", *args)

    def logits(self, model, *adapters):
        args = [arg for adapter in adapters for arg in ("--lora", adapter)]
        return self.document("heft.logits/1", "logits", model, "--ids", "5,6,7,8", "--precision", "f32", *args)["logits"]

    def same_folders(self, a, b):
        self.assertEqual(read_safetensors(a / "adapter_model.safetensors"),
                         read_safetensors(b / "adapter_model.safetensors"))
        self.assertEqual((a / "adapter_config.json").read_bytes(), (b / "adapter_config.json").read_bytes())

    def distance(self, a, b):
        flat = [[x for row in rows for x in row] for rows in (a, b)]
        return max(abs(x - y) for x, y in zip(*flat, strict=True)) / (sum(x * x for x in flat[0]) / len(flat[0])) ** 0.5

    def of_another_program(self, name):
        """A file without what only heft writes."""
        path = self.path(name)
        path.write_bytes(path.read_bytes().replace(b"heft.source.", b"else.source."))
        return path

    def test_every_family_goes_there_and_back_and_says_the_same(self):
        for name in BASES:
            with self.subTest(name):
                base, adapter = GOLDEN / name, self.path(name)
                write_adapter(adapter, shapes_of(base), kind="BF16")
                made = self.make(adapter, "a.gguf", "--base", base)
                self.assertEqual([i["relation"] for i in made["lineage"]["inputs"]], ["adapter"])
                self.make(base, "base.gguf", "--type", "F32", "--no-measure")
                for model in (base, self.path("base.gguf")):
                    with_folder = self.logits(model, adapter)
                    self.assertGreater(self.distance(self.logits(model), with_folder), 0.01)
                    self.assertEqual(self.logits(model, self.path("a.gguf")), with_folder)
                self.make(self.path("a.gguf"), "back")  # which knows its base
                self.same_folders(adapter, self.path("back"))

                # What did not come from heft has the family's names, and does the same.
                foreign = self.of_another_program("a.gguf")
                self.make(foreign, "made", "--base", base)
                self.assertLess(self.distance(self.logits(base, foreign), self.logits(base, self.path("made"))), 1e-6)
                self.make(self.path("made"), "again.gguf", "--base", base)
                self.assertEqual(self.logits(base, self.path("again.gguf")), self.logits(base, self.path("made")))

    def test_scales_that_differ_are_told_by_the_matrices(self):
        base = GOLDEN / "llama2"
        shapes = shapes_of(base)
        q, up = ("base_model.model.model.layers.1." + end for end in ("self_attn.q_proj", "mlp.up_proj"))
        cases = {
            "alphas": {"alpha_pattern": {"q_proj": 5.5, "^model.layers.1.mlp.up_proj": 11}},
            "ranks": {"rank_pattern": {"layers.1.self_attn.q_proj": 3, "up_proj": 5}},
            "stable": {"use_rslora": True, "rank_pattern": {"layers.1.self_attn.q_proj": 3, "up_proj": 5}},
            "both": {"use_rslora": True, "alpha_pattern": {"down_proj": 7}},
        }
        for name, config in cases.items():
            for kind in ("F32", "BF16"):
                with self.subTest(name, kind=kind):
                    adapter = self.path(name)
                    ranks = {q: 3, up: 5} if "rank_pattern" in config else {}
                    write_adapter(adapter, shapes, kind=kind, ranks=ranks, **config)
                    self.make(adapter, "a.gguf", "--base", base)
                    self.make(self.path("a.gguf"), "back")
                    self.same_folders(adapter, self.path("back"))
                    said = self.logits(base, adapter)
                    self.assertLess(self.distance(said, self.logits(base, self.path("a.gguf"))), 1e-5)
                    self.make(self.of_another_program("a.gguf"), "made", "--base", base)
                    self.assertLess(self.distance(said, self.logits(base, self.path("made"))), 1e-5)

    def test_an_adapter_file_serves_wherever_a_folder_does(self):
        base, adapter = GOLDEN / "llama3", self.path("adapter")
        write_adapter(adapter, {name: shape for name, shape in shapes_of(base).items() if "embed" not in name})
        self.make(adapter, "a.gguf", "--base", base)
        for source, name in ((adapter, "one"), (self.path("a.gguf"), "two")):
            self.make(base, name, "--lora", f"{source}:0.5", "--type", "F32")
        self.assertEqual(*(read_safetensors(self.path(name) / "model.safetensors") for name in ("one", "two")))

    def test_the_base_is_found_where_the_adapter_says(self):
        base, adapter = GOLDEN / "qwen3", self.path("adapter")
        write_adapter(adapter, shapes_of(base), base_model_name_or_path="org/qwen3")
        error = self.fails(USAGE, "convert", adapter, self.path("a.gguf"), saying="--base")
        self.assertIn("org/qwen3", error)
        # Its configuration is enough.
        self.path("qwen3").mkdir()
        (self.path("qwen3") / "config.json").write_bytes((base / "config.json").read_bytes())
        self.make(adapter, "a.gguf")
        self.assertEqual(self.logits(base, adapter), self.logits(base, self.path("a.gguf")))
        self.make(base, "base.gguf", "--no-measure")
        self.make(adapter, "b.gguf", "--base", self.path("base.gguf"))
        self.make(self.of_another_program("b.gguf"), "made", "--base", self.path("base.gguf"))
        config = json.loads((self.path("made") / "adapter_config.json").read_text())
        self.assertEqual((config["base_model_name_or_path"], config["r"], config["lora_alpha"]), ("org/qwen3", 2, 4))
        self.assertEqual(config["target_modules"], sorted({name.rsplit(".", 1)[1] for name in shapes_of(base)}))

    def test_the_record_goes_along(self):
        base, adapter = GOLDEN / "llama2", self.path("adapter")
        write_adapter(adapter, shapes_of(base))
        (adapter / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Mine\n")
        self.document("heft.convert/1", "convert", adapter, self.path("a.gguf"), "--base", base)
        made = self.document("heft.convert/1", "convert", self.path("a.gguf"), self.path("back"))
        self.assertEqual([step["verb"] for step in made["lineage"]["history"]], ["convert"])
        self.assertFalse(made["lineage"]["difference"]["measured"])
        self.assertEqual((self.path("back") / "README.md").read_bytes(), (adapter / "README.md").read_bytes())
        self.assertEqual(json.loads((self.path("back") / "heft.json").read_text()), made["lineage"])

    def test_refusals_say_what_to_do(self):
        base, adapter = GOLDEN / "llama2", self.path("adapter")
        shapes = shapes_of(base)
        write_adapter(adapter, shapes)
        to_file = ("convert", adapter, self.path("x.gguf"), "--base")
        self.fails(USAGE, *to_file, GOLDEN / "qwen3", saying="but the base has it")
        self.fails(NOT_FOUND, *to_file, self.path("nowhere"), saying="nowhere")
        self.fails(USAGE, *to_file, base, "--lora", adapter, saying="an adapter itself")
        self.fails(USAGE, *to_file, base, "--shard-size", "1MB", saying="one file")
        self.fails(USAGE, "convert", adapter, self.path("x"), "--base", base, saying="PEFT folder already")
        self.fails(USAGE, "convert", base, self.path("x.gguf"), "--base", base, saying="--lora")
        write_adapter(adapter, shapes, use_dora=True)
        self.fails(UNSUPPORTED, *to_file, base, saying="use_dora")
        sparse = GOLDEN / "qwen3_moe"
        some = {name: shape for name, shape in shapes_of(sparse).items() if ".experts.1." in name}
        write_adapter(adapter, some)
        self.fails(UNSUPPORTED, *to_file, sparse, saying="some experts")
        self.assertFalse(self.path("x.gguf").exists())


if __name__ == "__main__":
    unittest.main()
