"""Files that are not what they seem."""
import json
import pathlib
import shutil
import struct
import tempfile
import unittest

from support import TINY, USAGE, NOT_FOUND, CORRUPT, UNSUPPORTED, heft, Case


def gguf_string(text):
    return struct.pack("<Q", len(text)) + text.encode()


def gguf_file(version=3, entries=(), tensors=(), n_tensors=None, n_entries=None, magic=b"GGUF"):
    """`entries`: (key, type id, bytes of the value); `tensors`: (name, shape, type id, offset)."""
    out = magic + struct.pack("<IQQ", version, len(tensors) if n_tensors is None else n_tensors,
                              len(entries) if n_entries is None else n_entries)
    for key, kind, value in entries:
        out += gguf_string(key) + struct.pack("<I", kind) + value
    for name, shape, kind, offset in tensors:
        out += gguf_string(name) + struct.pack("<I", len(shape))
        out += b"".join(struct.pack("<Q", n) for n in shape) + struct.pack("<IQ", kind, offset)
    return out + b"\0" * (-len(out) % 32)


ARCHITECTURE = ("general.architecture", 8, gguf_string("llama"))


def bad_gguf():
    good = gguf_file(entries=[ARCHITECTURE], tensors=[("x", [32], 0, 0)]) + b"\0" * 128
    return {
        "empty": (b"", CORRUPT),
        "garbage": (b"\x7fELF" + b"\1" * 100, CORRUPT),
        "version 1": (gguf_file(version=1), UNSUPPORTED),
        "version 99": (gguf_file(version=99), UNSUPPORTED),
        "big-endian": (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), UNSUPPORTED),
        "unknown architecture": (
            gguf_file(entries=[("general.architecture", 8, gguf_string("zebra"))]), UNSUPPORTED),
        "giant tensor count": (gguf_file(n_tensors=1 << 62), CORRUPT),
        "giant entry count": (gguf_file(n_entries=1 << 62), CORRUPT),
        "giant string": (gguf_file(entries=[("k", 8, struct.pack("<Q", 1 << 60))]), CORRUPT),
        "giant array": (gguf_file(entries=[("k", 9, struct.pack("<IQ", 4, 1 << 61))]), CORRUPT),
        "unknown value type": (gguf_file(entries=[("k", 77, b"")]), CORRUPT),
        "size overflow": (gguf_file(entries=[ARCHITECTURE],
                                    tensors=[("x", [1 << 40, 1 << 40], 0, 0)]), CORRUPT),
        "offset outside": (gguf_file(entries=[ARCHITECTURE],
                                     tensors=[("x", [32], 0, 1 << 40)]), CORRUPT),
        "tensor twice": (gguf_file(entries=[ARCHITECTURE], tensors=[("x", [32], 0, 0)] * 2)
                         + b"\0" * 256, CORRUPT),
        "truncated": (good[:len(good) - 100], CORRUPT),
        "cut in the header": (good[:40], CORRUPT),
    }


class BadFiles(Case):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def test_gguf(self):
        for name, (data, code) in bad_gguf().items():
            with self.subTest(name):
                path = self.folder / "bad.gguf"
                path.write_bytes(data)
                self.fails(code, "run", path, "Hello", saying=path.name)

    def copy_of_tiny(self, **changes):
        for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
                     "chat_template.jinja", "generation_config.json"):
            shutil.copy(TINY / name, self.folder)
        for name, change in changes.items():
            path = self.folder / name.replace("__", ".")
            path.write_bytes(change(path.read_bytes()))

    def test_safetensors(self):
        length = lambda n: struct.pack("<Q", n)
        cases = {
            "truncated": lambda b: b[:-1000],
            "longer": lambda b: b + b"\0" * 8,
            "empty": lambda b: b"",
            "no header": lambda b: b[:5],
            "giant header": lambda b: length(1 << 62) + b[8:],
            "header beyond the file": lambda b: length(len(b)) + b[8:],
            "no JSON": lambda b: b[:8] + b"[" + b[9:],
            "deep": lambda b: length(40000) + b"[" * 40000,
        }
        for name, change in cases.items():
            with self.subTest(name):
                self.copy_of_tiny(model__safetensors=change)
                self.fails(CORRUPT, "run", self.folder, "Hello", saying="model.safetensors")

    def test_config(self):
        def set_to(**values):
            return lambda b: json.dumps({**json.loads(b), **values}).encode()
        cases = {
            "no JSON": (lambda b: b[:-20], CORRUPT),
            "another width": (set_to(hidden_size=512), CORRUPT),
            "more layers": (set_to(num_hidden_layers=6), CORRUPT),
            "negative": (set_to(num_hidden_layers=-1), CORRUPT),
            "unknown family": (set_to(model_type="zebra", architectures=["Zebra"]), UNSUPPORTED),
        }
        for name, (change, code) in cases.items():
            with self.subTest(name):
                self.copy_of_tiny(config__json=change)
                self.fails(code, "run", self.folder, "Hello")

    def test_tokenizer_and_template(self):
        self.copy_of_tiny(tokenizer__json=lambda b: b[:1000])
        self.fails(CORRUPT, "run", self.folder, "Hello", saying="tokenizer.json")
        self.copy_of_tiny(chat_template__jinja=lambda b: b"{% for %}")
        self.assertIn(heft("run", self.folder, "Hello").returncode, (CORRUPT, UNSUPPORTED))
        self.copy_of_tiny(chat_template__jinja=lambda b: b"{{ raise_exception('only cats') }}")
        self.fails(USAGE, "run", self.folder, "Hello", saying="only cats")

    def test_places_without_a_model(self):
        self.fails(NOT_FOUND, "run", self.folder / "none.gguf", "Hello", saying="none.gguf")
        done = heft("run", self.folder, "Hello")
        self.assertIn(done.returncode, (NOT_FOUND, UNSUPPORTED, USAGE))
        self.assertEqual(len(done.stderr.splitlines()), 1)
        self.assertNotEqual(heft("run", "/dev/null", "Hello").returncode, 0)


if __name__ == "__main__":
    unittest.main()
