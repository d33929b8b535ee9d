#!/usr/bin/env python3
"""heft convert, end to end: there and back, in other parts and types, with adapters merged in."""
import json
import os
import pathlib
import random
import shutil
import signal
import string
import subprocess
import tempfile
import time
import unittest

from support import (HEFT, INTERRUPTED, NOT_FOUND, QUESTION, ROOT, TINY, USAGE, Case, kills,
                     read_safetensors, write_adapter)

GOLDEN = ROOT / "tests" / "golden"
TEXT = "It's 1234 o'clock — naïve Fuchs, \n\n  你好 😀 <|im_end|>"

LETTERS = list(string.ascii_letters + string.digits + ",.'-!") + ["\u4f60"]


def added(*tokens):
    return [{"id": i, "content": token, "special": True, "normalized": False} for i, token in enumerate(tokens)]


def around(before, after):
    """The tokens before and after a text, with their ids."""
    token = lambda piece: {"SpecialToken": {"id": piece, "type_id": 0}}
    text = {"Sequence": {"id": "A", "type_id": 0}}
    return {"type": "TemplateProcessing", "single": [*map(token, before), text, *map(token, after)], "pair": [],
            "special_tokens": {piece: {"id": piece, "ids": [i], "tokens": [piece]}
                               for piece, i in {**before, **after}.items()}}


def tokenizers():
    """Small ones of every kind that is neither byte-level nor SentencePiece's BPE, as they are published."""
    marks = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always"}
    unigram = ["<pad>", "</s>", "<unk>", "\u2581", "\u2581Fu", "chs", "na", "\u2581It", "12", *LETTERS]
    t5 = {"added_tokens": added("<pad>", "</s>", "<unk>"), "normalizer": None,
          "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, marks]},
          "decoder": marks, "post_processor": around({}, {"</s>": 1}),
          "model": {"type": "Unigram", "unk_id": 2,
                    "vocab": [[piece, -i / 7 if i > 2 else 0] for i, piece in enumerate(unigram)]}}
    control = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*control, "Fuchs", "fuchs", "It", "it", "na", "##ive", "##\u00efve", *LETTERS]
    bert = {"added_tokens": added(*control), "pre_tokenizer": {"type": "BertPreTokenizer"},
            "normalizer": {"type": "BertNormalizer", "lowercase": False},
            "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
            "post_processor": around({"[CLS]": 2}, {"[SEP]": 3}),
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "vocab": {p: i for i, p in enumerate(pieces)}}}
    world = [" ", "  ", "Fuchs", "It's", "\u4f60\u597d", *LETTERS]
    lines = [f"{i} {piece!r} {len(piece.encode())}\n" for i, piece in enumerate(world, 1)]
    lines += [f"{i} {bytes([byte])!r} 1\n" for i, byte in enumerate(range(128, 256), 1 + len(world))]
    return {"tokenizer.json": [("Unigram", json.dumps(t5), {"eos_token": "</s>", "unk_token": "<unk>"}),
                               ("WordPiece", json.dumps(bert), {"cls_token": "[CLS]", "sep_token": "[SEP]"})],
            "rwkv_vocab_v20230424.txt": [("RWKV", "".join(lines), {"tokenizer_class": "Rwkv6Tokenizer"})]}


class Convert(Case):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def path(self, name):
        return self.folder / name

    def make(self, source, name, *args):
        return self.document("heft.convert/1", "convert", source, self.path(name), *args)

    def tokens(self, model):
        return self.text("tokenize", model, TEXT)

    def test_a_folder_comes_back_as_it_was(self):
        self.make(TINY, "m.gguf")
        self.make(self.path("m.gguf"), "back")
        self.assertEqual(read_safetensors(self.path("back") / "model.safetensors"),
                         read_safetensors(TINY / "model.safetensors"))
        for name in ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
                     "special_tokens_map.json", "chat_template.jinja", "LICENSE"):
            self.assertEqual((self.path("back") / name).read_bytes(), (TINY / name).read_bytes(), name)
        self.make(self.path("back"), "again.gguf")
        self.assertTrue(self.document("heft.diff/1", "diff", self.path("m.gguf"), self.path("again.gguf"),
                                      "--no-measure")["identical"])

    def test_a_file_that_brings_no_folder_becomes_one_by_its_metadata(self):
        self.make("tiny", "made")
        self.assertEqual(self.tokens(self.path("made")), self.tokens("tiny"))
        ask = (QUESTION, "--temp", "0", "-n", "12")
        self.assertEqual(self.text("run", self.path("made"), *ask), self.text("run", TINY, *ask))
        made, before = (json.loads((folder / "config.json").read_text()) for folder in (self.path("made"), TINY))
        for key in ("model_type", "hidden_size", "num_key_value_heads", "rope_theta", "tie_word_embeddings"):
            self.assertEqual(made[key], before[key], key)

    def test_tokenizers_of_every_kind_come_back_from_metadata(self):
        text = "It's 1234, na\u00efve  Fuchs - \u4f60\u597d!"
        for file, kinds in tokenizers().items():
            for kind, content, settings in kinds:
                with self.subTest(kind):
                    source = self.path(kind)
                    source.mkdir()
                    for name in ("config.json", "model.safetensors"):
                        shutil.copy(TINY / name, source)
                    (source / file).write_text(content)
                    (source / "tokenizer_config.json").write_text(json.dumps(settings))
                    tokens = self.text("tokenize", source, text, "--ids")
                    self.make(source, "m.gguf", "--no-measure", "--force", "--accept-terms")
                    self.assertEqual(self.text("tokenize", self.path("m.gguf"), text, "--ids"), tokens)
                    # As another program would have written it.
                    data = self.path("m.gguf").read_bytes()
                    self.path("m.gguf").write_bytes(data.replace(b"heft.source.", b"else.source."))
                    self.make(self.path("m.gguf"), kind + "-made", "--accept-terms")
                    made = self.path(kind + "-made")
                    self.assertTrue((made / file).is_file())
                    self.assertEqual(self.text("tokenize", made, text, "--ids"), tokens)
                    self.make(made, "again.gguf", "--no-measure", "--force", "--accept-terms")
                    self.assertEqual(self.text("tokenize", self.path("again.gguf"), text, "--ids"), tokens)
                    told = self.document("heft.inspect/1", "inspect", self.path("again.gguf"))
                    self.assertIn(kind.lower(), told["tokenizer"]["kind"].lower())
                    # A token for every row of the embedding.
                    self.assertEqual(told["tokenizer"]["n_vocab"], told["config"]["n_vocab"])

    def test_a_quantised_file_becomes_a_folder_of_plain_numbers(self):
        self.ok("quantize", TINY, self.path("q.gguf"), "--type", "Q8_0")
        self.make(self.path("q.gguf"), "plain")
        kinds = {kind for kind, _, _ in read_safetensors(self.path("plain") / "model.safetensors").values()}
        self.assertEqual(kinds, {"BF16"})
        self.ok("run", self.path("plain"), QUESTION, "-n", "2")

    def test_parts_and_types_change_and_change_back(self):
        made = self.make(TINY, "parts", "--shard-size", "1MB")
        self.assertGreater(sum(name.endswith(".safetensors") for name in made["files"]), 3)
        self.assertTrue((self.path("parts") / "model.safetensors.index.json").is_file())
        self.make(self.path("parts"), "whole")
        self.assertEqual(read_safetensors(self.path("whole") / "model.safetensors"),
                         read_safetensors(TINY / "model.safetensors"))
        self.make(TINY, "wide", "--type", "F32")
        self.assertEqual(json.loads((self.path("wide") / "config.json").read_text())["torch_dtype"], "float32")
        self.make(self.path("wide"), "wide.gguf")
        self.make(self.path("wide.gguf"), "narrow", "--type", "BF16")
        narrow = read_safetensors(self.path("narrow") / "model.safetensors")
        for name, (kind, shape, data) in read_safetensors(TINY / "model.safetensors").items():
            if len(shape) > 1:
                self.assertEqual(narrow[name], (kind, shape, data), name)

    def test_the_record_stands_beside_the_weights_and_is_passed_on(self):
        made = self.make(TINY, "a.gguf")
        self.assertEqual(made["lineage"]["verb"], "convert")
        self.make(self.path("a.gguf"), "b", "--accept-terms")
        record = json.loads((self.path("b") / "heft.json").read_text())
        self.assertEqual(record["schema"], "heft.lineage/1")
        self.assertEqual([step["verb"] for step in record["history"]], ["convert"])

    def test_a_merged_adapter_does_what_it_does_beside_the_weights(self):
        # Separate, fused and turned matrices, of a folder and of a GGUF file.
        cases = {
            TINY: {"model.layers.0.self_attn.q_proj": (256, 256), "model.layers.2.mlp.down_proj": (256, 768)},
            GOLDEN / "gpt2": {"transformer.h.0.attn.c_attn": None},
            GOLDEN / "gpt_neox": {"gpt_neox.layers.1.attention.query_key_value": None},
        }
        for base, modules in cases.items():
            shapes = {name: shape for name, (_, shape, _) in read_safetensors(base / "model.safetensors").items()}
            turned = base.name == "gpt2"
            named = {}
            for module, shape in modules.items():
                found = shape or next(s for n, s in shapes.items() if f"{module}.weight".endswith(n))
                named["base_model.model." + module] = tuple(reversed(found)) if turned else tuple(found)
            adapter = self.path("adapter-" + base.name)
            write_adapter(adapter, named)
            self.make(base, base.name + ".gguf", "--type", "F32", "--accept-terms")
            for source in (base, self.path(base.name + ".gguf")):
                beside = self.logits(source, "--lora", adapter)
                self.assertGreater(self.distance(beside, self.logits(source)), 1e-2)
                for name in ("merged.gguf", "merged"):
                    made = self.make(source, name, "--lora", adapter, "--type", "F32", "--force",
                                     "--accept-terms")
                    self.assertEqual(made["lineage"]["options"]["lora_scales"], [1])
                    self.assertEqual([i["relation"] for i in made["lineage"]["inputs"]], ["itself", "adapter"])
                    self.assertLess(self.distance(beside, self.logits(self.path(name))), 1e-4, (source, name))

    def logits(self, model, *args):
        return self.document("heft.logits/1", "logits", model, "--ids", "5,6,7,8", "--precision", "f32",
                             *args)["logits"][0]

    @staticmethod
    def distance(a, b):
        return max(abs(x - y) for x, y in zip(a, b, strict=True)) / (sum(x * x for x in a) / len(a)) ** 0.5

    def test_refusals_say_what_to_do(self):
        self.make(TINY, "there")
        self.fails(USAGE, "convert", TINY, self.path("there"), saying="--force")
        self.fails(USAGE, "convert", self.path("there"), self.path("there"), "--force", saying="itself")
        self.path("other").mkdir()
        (self.path("other") / "letter.txt").write_text("dear")
        self.fails(USAGE, "convert", TINY, self.path("other"), "--force", saying="did not make")
        self.assertEqual(os.listdir(self.path("other")), ["letter.txt"])
        (self.path("other") / "letter.txt").unlink()
        self.path("other").rmdir()
        self.fails(USAGE, "convert", TINY, self.path("x"), "--type", "Q4_K_M", saying="heft quantize")
        self.fails(NOT_FOUND, "convert", TINY, self.path("no/x"), saying="folder")
        self.fails(NOT_FOUND, "convert", TINY, self.path("x"), "--lora", self.path("no"))
        self.assertEqual(os.listdir(self.folder), ["there"])
        made = self.make(TINY, "x", "--dry-run")
        self.assertGreater(made["bytes"], 0)
        self.assertEqual(os.listdir(self.folder), ["there"])

    def test_killed_at_any_moment_it_leaves_no_half_folder_and_goes_on(self):
        self.make(TINY, "m.gguf")
        draw = random.Random(7)
        out = self.path("m")
        command = [HEFT, "convert", str(self.path("m.gguf")), str(out), "--accept-terms", "--type", "F32", "-t", "1"]
        began = time.monotonic()
        subprocess.run(command, check=True, capture_output=True)
        whole = time.monotonic() - began
        want = {path.name: path.read_bytes() for path in out.iterdir()}
        command.append("--force")
        for _ in range(kills(25)):
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
                time.sleep(draw.uniform(0, whole))
                child.send_signal(signal.SIGKILL if draw.random() < 0.7 else signal.SIGINT)
                self.assertIn(child.wait(), (0, -signal.SIGKILL, -signal.SIGINT, INTERRUPTED))
            if out.exists():
                self.assertEqual({path.name: path.read_bytes() for path in out.iterdir()}, want)
        subprocess.run(command, check=True, capture_output=True)
        self.assertEqual({path.name: path.read_bytes() for path in out.iterdir()}, want)
        self.assertEqual(set(os.listdir(self.folder)) - {"m.replaced"}, {"m", "m.gguf"})

    def test_a_full_disk_is_told_and_leaves_nothing(self):
        command = f"ulimit -f 200; exec '{HEFT}' convert '{TINY}' '{self.path('m')}' --type F32"
        done = subprocess.run(["bash", "-c", "trap '' XFSZ; " + command], capture_output=True, check=False)
        self.assertEqual(done.returncode, 8, done.stderr)
        self.assertEqual(os.listdir(self.folder), [])


if __name__ == "__main__":
    unittest.main()
