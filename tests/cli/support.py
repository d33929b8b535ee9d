"""What the tests of the program share. Each is called as: NAME_test.py HEFT ROOT [unittest arguments]"""
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import unittest

HEFT, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
del sys.argv[1:3]
TINY = ROOT / "models" / "tiny"
VERBS = ["run", "chat", "inspect", "tokenize", "detokenize", "template", "logits", "bench",
         "version", "embed", "supported", "license", "openness", "bom", "verify", "compare",
         "serve", "keys", "ps", "stop", "doctor", "conform", "quantize", "convert",
         "diff", "eval", "imatrix", "merge"]
USAGE, NOT_FOUND, CORRUPT, UNSUPPORTED, EXHAUSTED, INTERRUPTED = 2, 3, 6, 7, 8, 130
QUESTION = "Tell me a story about a fox and a lantern."
SECONDS = 300  # generous: sanitizer builds are slow


def kills(usual):
    """How often a test kills the program at a random moment: HEFT_KILLS, for who has the time."""
    return int(os.environ.get("HEFT_KILLS", usual))


def heft(*args, stdin=b"", env=None):
    if isinstance(stdin, str):
        stdin = stdin.encode()
    # One thread is quick for so small a model, also where other tests run beside this one.
    if args and args[0] in ("run", "chat", "logits", "embed") and "-t" not in args:
        args = (args[0], "-t", "1", *args[1:])
    return subprocess.run([HEFT, *map(str, args)], input=stdin, capture_output=True,
                          timeout=SECONDS, env={**os.environ, **(env or {})})


def read_safetensors(path):
    """Tensors by name, in the order of the file: type, shape, bytes."""
    raw = pathlib.Path(path).read_bytes()
    (size,) = struct.unpack("<Q", raw[:8])
    header, data = json.loads(raw[8:8 + size]), raw[8 + size:]
    return {name: (t["dtype"], t["shape"], data[slice(*t["data_offsets"])])
            for name, t in header.items() if name != "__metadata__"}


def write_safetensors(path, tensors):
    """As read_safetensors() gives them."""
    header, at = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, _, data in tensors.values():
            file.write(data)


def write_adapter(folder, modules, seed=1, kind="F32", ranks=None, **config):
    """A PEFT adapter of rank 2; `modules`: outputs and inputs by their names in the adapter, of embeddings
    rows and columns of their table; `ranks`: other ranks of some. `config`: further keys."""
    chance = random.Random(seed)
    header, data = {}, b""
    for stem, (rows, width) in modules.items():
        rank = (ranks or {}).get(stem, 2)
        pair = {".lora_A.weight": [rank, width], ".lora_B.weight": [rows, rank]}
        if stem.endswith(("embed_tokens", "wte", "word_embeddings", "embed_in")):
            pair = {".lora_embedding_A": [rank, rows], ".lora_embedding_B": [width, rank]}
        for half, shape in pair.items():
            packed = struct.pack(f"<{shape[0] * shape[1]}f",
                                 *(chance.uniform(-0.5, 0.5) for _ in range(shape[0] * shape[1])))
            if kind == "BF16":  # their upper halves
                packed = b"".join(packed[i + 2:i + 4] for i in range(0, len(packed), 4))
            header[stem + half] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(packed)]}
            data += packed
    text = json.dumps(header).encode()
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    (folder / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    (folder / "adapter_config.json").write_text(
        json.dumps({"peft_type": "LORA", "r": 2, "lora_alpha": 4,
                    "target_modules": sorted({stem.rsplit(".", 1)[1] for stem in modules}), **config}))


class Case(unittest.TestCase):
    def ok(self, *args, **kwargs):
        done = heft(*args, **kwargs)
        self.assertEqual(done.returncode, 0, (args, done.stderr.decode(errors="replace")))
        return done

    def text(self, *args, **kwargs):
        return self.ok(*args, **kwargs).stdout.decode()

    def document(self, schema, *args, **kwargs):
        """The one JSON document on stdout, schema first."""
        out = self.text(*args, "--json", **kwargs)
        tree = json.loads(out)
        self.assertEqual(next(iter(tree)), "schema")
        self.assertEqual(tree["schema"], schema)
        self.assertTrue(out.endswith("}\n"))
        return tree

    def fails(self, code, *args, saying="", **kwargs):
        """Ends with this code, in one sentence, with nothing on stdout."""
        done = heft(*args, **kwargs)
        error = done.stderr.decode()
        self.assertEqual(done.returncode, code, (args, error))
        self.assertEqual(done.stdout, b"")
        told = ("heft: this is tiny", "heft: no model is named")
        lines = [line for line in error.splitlines() if not line.startswith(told)]
        self.assertEqual(len(lines), 1, error)
        self.assertTrue(lines[0].startswith("heft: "), error)
        self.assertIn(str(saying), error)
        return error
