#!/usr/bin/env python3
"""heft quantize, end to end: what it writes runs, says what it is, and is complete or absent."""
import os
import pathlib
import random
import signal
import subprocess
import tempfile
import time
import unittest

from support import HEFT, INTERRUPTED, NOT_FOUND, QUESTION, TINY, USAGE, Case, kills

TYPES = ["F32", "F16", "BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q5_1", "Q5_0", "Q4_K_M", "Q4_K_S", "Q4_1", "Q4_0",
         "IQ4_NL", "IQ4_XS", "MXFP4_MOE", "Q3_K_L", "Q3_K_M", "Q3_K_S", "IQ3_M", "IQ3_S", "IQ3_XS", "IQ3_XXS",
         "Q2_K", "Q2_K_S", "IQ2_M", "IQ2_S", "IQ2_XS", "IQ2_XXS", "IQ1_M", "IQ1_S", "TQ2_0", "TQ1_0"]


class Quantize(Case):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def path(self, name):
        return self.folder / name

    def make(self, source, name, *args):
        return self.document("heft.quantize/1", "quantize", source, self.path(name), *args)

    def test_every_type_makes_a_file_that_opens_and_is_smaller(self):
        sizes = {}
        for kind in TYPES:
            made = self.make(TINY, kind + ".gguf", "--type", kind, "--no-measure")
            self.assertEqual(made["type"], kind)
            told = self.document("heft.inspect/1", "inspect", self.path(kind + ".gguf"))
            self.assertGreater(told["parameters"], 0)
            sizes[kind] = self.path(kind + ".gguf").stat().st_size
        self.assertLess(sizes["Q8_0"], sizes["F16"])
        self.assertLess(sizes["Q4_K_M"], sizes["Q8_0"])
        self.assertLess(sizes["IQ2_XXS"], sizes["Q4_K_M"])
        self.assertLess(sizes["IQ1_S"], sizes["IQ2_XXS"])

    def test_a_gguf_file_and_its_folder_give_the_same_tensors(self):
        self.make(TINY, "full.gguf", "--type", "F32")
        self.make(self.path("full.gguf"), "a.gguf", "--type", "Q4_K_M")
        self.make(TINY, "b.gguf", "--type", "Q4_K_M")
        lists = [{t["name"]: (t["to"], t["bytes"]) for t in
                  self.make(self.path(name), "again.gguf", "--type", "F32", "--force", "--allow-requantize")["tensors"]}
                 for name in ("a.gguf", "b.gguf")]
        self.assertEqual(*lists)

    def test_the_result_answers_like_its_parent(self):
        self.make(TINY, "q8.gguf", "--type", "Q8_0")
        said = [self.text("run", model, QUESTION, "--temp", "0", "-n", "12") for model in (TINY, self.path("q8.gguf"))]
        self.assertEqual(said[0].split()[:4], said[1].split()[:4])

    def test_the_result_does_not_depend_on_threads(self):
        for threads in ("1", "2"):
            self.make(TINY, f"t{threads}.gguf", "--type", "Q3_K_M", "-t", threads)
        self.assertEqual(self.path("t1.gguf").read_bytes(), self.path("t2.gguf").read_bytes())

    def test_the_record_tells_what_it_was_made_of(self):
        made = self.make(TINY, "q8.gguf", "--type", "Q8_0", "--tensor", "output_norm*=F32")
        record = made["lineage"]
        self.assertEqual(record["schema"], "heft.lineage/1")
        self.assertEqual(record["verb"], "quantize")
        self.assertEqual(record["options"]["type"], "Q8_0")
        self.assertEqual(record["options"]["tensors"], ["output_norm*=F32"])
        (source,) = record["inputs"]
        self.assertEqual(source["relation"], "itself")
        self.assertEqual(len(source["files"][0]["sha256"]), 64)
        self.assertEqual(record["parents"][0]["licences"][0]["id"].lower(), "apache-2.0")
        self.assertFalse(record["accepted_by_person"])
        self.assertIsInstance(record["duties"], list)
        kinds = {tensor["name"]: tensor["to"] for tensor in made["tensors"]}
        self.assertEqual(kinds["output_norm.weight"], "F32")

    def test_a_chain_shows_every_step(self):
        self.make(TINY, "a.gguf", "--type", "F16")
        self.make(self.path("a.gguf"), "b.gguf", "--type", "Q8_0", "--accept-terms")
        made = self.make(self.path("b.gguf"), "c.gguf", "--type", "Q4_0", "--allow-requantize", "--accept-terms")
        history = made["lineage"]["history"]
        self.assertEqual([step["options"]["type"] for step in history], ["F16", "Q8_0"])
        self.assertEqual(history[1]["of"], made["lineage"]["inputs"][0]["files"][0]["sha256"])
        self.assertEqual(history[0]["of"], history[1]["inputs"][0]["files"][0]["sha256"])

    def test_overrides_decide_for_tensors(self):
        made = self.make(TINY, "a.gguf", "--type", "Q4_0", "--tensor", "blk.0.attn_?.weight=Q8_0", "--tensor",
                         "blk.*.ffn_up.weight=Q6_K")
        kinds = {tensor["name"]: tensor["to"] for tensor in made["tensors"]}
        self.assertEqual(kinds["blk.0.attn_q.weight"], "Q8_0")
        self.assertEqual(kinds["blk.1.attn_q.weight"], "Q4_0")
        self.assertEqual(kinds["blk.1.ffn_up.weight"], "Q6_K")

    def test_shards_are_one_model(self):
        made = self.make(TINY, "m.gguf", "--type", "Q8_0", "--shard-size", "1MB")
        self.assertGreater(len(made["files"]), 2)
        self.assertTrue(all(pathlib.Path(name).is_file() for name in made["files"]))
        self.ok("run", made["files"][0], QUESTION, "-n", "2")

    def test_a_dry_run_writes_nothing(self):
        made = self.make(TINY, "m.gguf", "--dry-run")
        self.assertTrue(made["dry_run"])
        self.assertGreater(made["bytes"], 0)
        self.assertEqual(os.listdir(self.folder), [])

    def test_refusals_say_what_to_do(self):
        self.make(TINY, "q4.gguf", "--type", "Q4_0")
        out = self.path("x.gguf")
        self.fails(USAGE, "quantize", TINY, out, "--type", "Q9", saying="Q4_K_M")
        self.fails(USAGE, "quantize", self.path("q4.gguf"), out, "--type", "Q3_K_M", saying="--allow-requantize")
        self.fails(USAGE, "quantize", TINY, self.path("q4.gguf"), saying="--force")
        self.fails(USAGE, "quantize", self.path("q4.gguf"), self.path("q4.gguf"), "--force", saying="itself")
        self.fails(USAGE, "quantize", TINY, out, "--tensor", "nothing=Q8_0", saying="nothing")
        self.fails(USAGE, "quantize", TINY, out, "--tensor", "nothing", saying="PATTERN=TYPE")
        self.fails(USAGE, "quantize", TINY, out, "--shard-size", "much", saying="4GB")
        self.fails(NOT_FOUND, "quantize", self.path("no.gguf"), out)
        self.fails(NOT_FOUND, "quantize", TINY, self.path("no/x.gguf"), saying="folder")
        self.fails(NOT_FOUND, "quantize", TINY, out, "--imatrix", self.path("no"))
        self.assertEqual(os.listdir(self.folder), ["q4.gguf"])

    def test_terms_that_are_not_settled_are_a_persons_to_accept(self):
        self.make(TINY, "f.gguf", "--type", "F16")
        bare = self.path("bare")
        bare.mkdir()
        for name in os.listdir(TINY):
            if name not in ("LICENSE", "README.md"):
                os.symlink(TINY / name, bare / name)
        self.fails(USAGE, "quantize", bare, self.path("x.gguf"), saying="--accept-terms")
        made = self.make(bare, "x.gguf", "--accept-terms")
        self.assertTrue(made["lineage"]["accepted_by_person"])

    def test_killed_at_any_moment_it_leaves_nothing_half_and_goes_on(self):
        draw = random.Random(7)
        out = self.path("m.gguf")
        command = [HEFT, "quantize", str(TINY), str(out), "--type", "Q3_K_M", "-t", "1"]
        began = time.monotonic()
        subprocess.run(command, check=True, capture_output=True)
        whole = time.monotonic() - began
        want = out.read_bytes()
        out.unlink()
        killed = 0
        for _ in range(kills(25)):
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
                time.sleep(draw.uniform(0, whole))
                child.send_signal(signal.SIGKILL if draw.random() < 0.7 else signal.SIGINT)
                code = child.wait()
            self.assertIn(code, (0, -signal.SIGKILL, -signal.SIGINT, INTERRUPTED, 0))
            killed += code != 0
            if out.exists():
                self.assertEqual(out.read_bytes(), want)
                out.unlink()
        self.assertGreater(killed, kills(25) // 5)
        subprocess.run(command, check=True, capture_output=True)
        self.assertEqual(out.read_bytes(), want)
        self.assertEqual(os.listdir(self.folder), ["m.gguf"])

    def test_a_full_disk_is_told_and_leaves_nothing(self):
        command = f"ulimit -f 200; exec '{HEFT}' quantize '{TINY}' '{self.path('m.gguf')}' --type F32"
        done = subprocess.run(["bash", "-c", "trap '' XFSZ; " + command], capture_output=True, check=False)
        self.assertEqual(done.returncode, 8, done.stderr)
        self.assertIn(b"m.gguf", done.stderr)
        self.assertEqual(os.listdir(self.folder), [])


if __name__ == "__main__":
    unittest.main()
