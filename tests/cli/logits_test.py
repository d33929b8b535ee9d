"""heft logits."""
import os
import pathlib
import struct
import tempfile
import unittest

from support import USAGE, NOT_FOUND, heft, Case


def read_npy(path):
    data = pathlib.Path(path).read_bytes()
    assert data[:8] == b"\x93NUMPY\x01\x00"
    length = struct.unpack("<H", data[8:10])[0]
    header = eval(data[10:10 + length].decode())  # our own file
    assert header["descr"] == "<f4" and not header["fortran_order"]
    assert (10 + length) % 64 == 0
    rows, columns = header["shape"]
    values = struct.unpack(f"<{rows * columns}f", data[10 + length:])
    return [values[r * columns:(r + 1) * columns] for r in range(rows)]


class Logits(Case):
    IDS = "1,2,300,400,500,600,700,800"

    def logits(self, *args):
        return self.document("heft.logits/1", "logits", "tiny", "--ids", self.IDS, *args)

    def test_document(self):
        tree = self.logits()
        self.assertEqual(set(tree), {"schema", "positions", "logits", "n_vocab"})
        self.assertEqual(tree["positions"], [7])
        self.assertEqual(tree["n_vocab"], 2048)
        self.assertEqual([len(row) for row in tree["logits"]], [2048])

    def test_positions(self):
        every = self.logits("--at", "all")
        some = self.logits("--at", "5,0,5")
        self.assertEqual(every["positions"], list(range(8)))
        self.assertEqual(some["positions"], [0, 5])
        # How many rows are wanted may change the order of float sums, and nothing else.
        for row, at in zip(some["logits"], (0, 5), strict=True):
            for value, other in zip(row, every["logits"][at], strict=True):
                self.assertAlmostEqual(value, other, delta=1e-3)
        for at in ("8", "-1", "x", ","):
            self.fails(USAGE, "logits", "tiny", "--ids", self.IDS, f"--at={at}", saying="--at")

    def test_numpy_file_holds_the_same_floats(self):
        tree = self.logits("--at", "all")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "logits.npy")
            done = self.ok("logits", "tiny", "--ids", self.IDS, "--at", "all", "-o", path)
            self.assertEqual(done.stdout, b"")
            rows = read_npy(path)
        single = lambda x: struct.unpack("<f", struct.pack("<f", x))[0]
        self.assertEqual([[single(x) for x in row] for row in tree["logits"]],
                         [list(row) for row in rows])

    def test_threads_change_nothing_and_chunks_nearly_nothing(self):
        whole = self.logits("--at", "all", "-t", "1")
        self.assertEqual(whole, self.logits("--at", "all", "-t", "2"))
        for chunks in ("1", "3", "2,1,4"):
            parts = self.logits("--at", "all", "--chunks", chunks)
            for a, b in zip(whole["logits"], parts["logits"]):
                scale = (sum(x * x for x in a) / len(a)) ** 0.5
                self.assertLess(max(abs(x - y) for x, y in zip(a, b)) / scale, 2e-4)

    def test_refusals(self):
        self.fails(USAGE, "logits", "tiny", "--ids", "")
        self.fails(USAGE, "logits", "tiny", "--ids", "2048", saying="2047")
        self.fails(USAGE, "logits", "tiny", "--ids", "1", "--chunks", "0")
        self.fails(USAGE, "logits", "tiny", "--ids", "1", "--precision", "f64")
        self.fails(NOT_FOUND, "logits", "tiny", "--ids", "1", "-o", "/nonexistent/x.npy")


if __name__ == "__main__":
    unittest.main()
