#!/usr/bin/env python3
"""heft imatrix, eval, diff, and what quantize and convert measure, end to end on the built-in model."""
import json
import math
import pathlib
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import unittest

from support import (CORRUPT, HEFT, INTERRUPTED, NOT_FOUND, ROOT, TINY, USAGE, Case, read_safetensors,
                     write_safetensors)

STORIES = [json.loads(line)["reference"] for line in
           (TINY / "eval" / "eval_instruct.jsonl").read_text().splitlines()[:60]]
CUT = ("-c", "128", "--chunks", "8")


class Measure(Case):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.words = self.path("words.txt")
        self.words.write_text("\n\n".join(STORIES))

    def path(self, name):
        return self.folder / name

    def quantize(self, name, *args, source=TINY):
        return self.document("heft.quantize/1", "quantize", source, self.path(name), *args)

    def kl(self, model, base, *args):
        return self.document("heft.eval/1", "eval", "kl", model, "--base", base, *args)


class Imatrix(Measure):
    def collect(self, name, *args):
        return self.document("heft.imatrix/1", "imatrix", TINY, "--text", self.words, "-o", self.path(name), *CUT, *args)

    def test_both_formats_serve_quantizing_alike_and_help_it(self):
        told = self.collect("i.gguf")
        self.assertEqual((told["entries"], told["chunks"], told["tokens"]), (35, 8, 1024))
        self.collect("i.dat")
        for name in ("i.gguf", "i.dat"):
            made = self.quantize(name + ".q.gguf", "--type", "Q2_K_S", "--no-measure", "--imatrix", self.path(name))
            with_importance = {t["name"] for t in made["tensors"] if t["importance"]}
            self.assertEqual(len(with_importance), 35)
            self.assertEqual(made["remarks"], ["the importance matrix says nothing of 1 tensors"])
        self.quantize("plain.gguf", "--type", "Q2_K_S", "--no-measure")
        far = {name: self.kl(self.path(name), TINY, "--text", self.words, *CUT)["kl"]["value"]
               for name in ("i.gguf.q.gguf", "i.dat.q.gguf", "plain.gguf")}
        self.assertAlmostEqual(far["i.gguf.q.gguf"], far["i.dat.q.gguf"], delta=0.05 * far["i.gguf.q.gguf"])
        self.assertLess(far["i.gguf.q.gguf"], far["plain.gguf"])

    def test_the_output_matrix_is_measured_on_demand(self):
        self.assertEqual(self.collect("o.gguf", "--process-output")["entries"], 36)

    def test_it_does_not_depend_on_threads(self):
        self.collect("one.gguf", "-t", "1")
        self.collect("two.gguf", "-t", "2")
        self.assertEqual(self.path("one.gguf").read_bytes(), self.path("two.gguf").read_bytes())

    def test_refusals_and_interrupts_leave_nothing(self):
        self.path("there").write_text("x")
        self.fails(USAGE, "imatrix", TINY, "--text", self.words, "-o", self.path("there"), saying="--force")
        self.fails(NOT_FOUND, "imatrix", TINY, "--text", self.words, "-o", self.path("no/i"), saying="folder")
        self.fails(NOT_FOUND, "imatrix", TINY, "--text", self.path("no.txt"))
        long = self.path("long.txt")
        long.write_text("\n\n".join(STORIES * 60))
        command = [HEFT, "imatrix", str(TINY), "--text", str(long), "-o", str(self.path("i.gguf")), "-t", "1"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
            time.sleep(1)
            child.send_signal(signal.SIGINT)
            self.assertIn(child.wait(), (INTERRUPTED, -signal.SIGINT))
        self.assertFalse(self.path("i.gguf").exists())


class Bases(Measure):
    def test_a_saved_base_says_what_the_base_says(self):
        self.quantize("q.gguf", "--type", "Q4_0", "--no-measure")
        base = self.path("words.base")
        alone = self.document("heft.eval/1", "eval", "ppl", TINY, "--text", self.words, *CUT, "--save-base", base)
        direct = self.kl(self.path("q.gguf"), TINY, "--text", self.words, *CUT, "--save-base", self.path("again"))
        self.assertEqual(base.read_bytes()[200:], self.path("again").read_bytes()[200:])
        saved = self.kl(self.path("q.gguf"), base)
        self.assertGreater(direct["kl"]["value"], 1e-4)
        self.assertAlmostEqual(saved["kl"]["value"], direct["kl"]["value"], delta=0.02 * direct["kl"]["value"])
        self.assertEqual(saved["same_top"], direct["same_top"])
        self.assertEqual(saved["tokens"], alone["tokens"])
        self.assertAlmostEqual(saved["base_perplexity"]["value"], alone["perplexity"]["value"], delta=0.01)
        self.assertLess(self.kl(TINY, base)["kl"]["value"], 1e-4)
        fewer = self.kl(TINY, base, "--chunks", "2")
        self.assertEqual(fewer["windows"], 2)

    def test_expected_perplexity_is_what_the_divergence_makes_of_the_base(self):
        self.quantize("q.gguf", "--type", "Q2_K_S", "--no-measure")
        told = self.kl(self.path("q.gguf"), TINY, "--text", self.words, *CUT)
        expected, base = told["expected_perplexity"]["value"], told["base_expected_perplexity"]["value"]
        self.assertGreater(base, 1)
        self.assertAlmostEqual(math.log(expected / base), told["kl"]["value"], places=9)

    def test_control_tokens_in_a_text_are_tokens_on_demand(self):
        framed = self.path("framed.txt")
        framed.write_text("".join(f"<|begin_of_text|>{story}<|end|>" for story in STORIES))
        told = [self.document("heft.eval/1", "eval", "ppl", TINY, "--text", framed, "-c", "128", *flag)
                for flag in ((), ("--parse-special",))]
        self.assertGreater(told[0]["tokens"], told[1]["tokens"])
        # As in training: nothing in such a text surprises.
        self.assertGreater(told[0]["perplexity"]["value"], 1.5 * told[1]["perplexity"]["value"])
        self.assertLess(told[1]["perplexity"]["value"], 2.2)

    def test_what_is_no_base_is_refused(self):
        base = self.path("words.base")
        self.ok("eval", "ppl", TINY, "--text", self.words, *CUT, "--save-base", base)
        self.fails(USAGE, "eval", "kl", TINY, "--base", base, "--text", self.words, saying="--text")
        self.fails(USAGE, "eval", "kl", TINY, "--base", TINY, saying="--text")
        whole = base.read_bytes()
        base.write_bytes(whole[:-5])
        self.fails(CORRUPT, "eval", "kl", TINY, "--base", base, saying="words.base")
        base.write_bytes(whole[:8] + struct.pack("<I", 9) + whole[12:])
        self.fails(7, "eval", "kl", TINY, "--base", base, saying="version 9")
        base.write_bytes(whole[:12] + struct.pack("<I", 4096) + whole[16:])
        self.fails(CORRUPT, "eval", "kl", TINY, "--base", base)


class Differences(Measure):
    def difference(self, made):
        return made["lineage"]["difference"]

    def test_a_new_file_says_how_far_it_is_from_its_parent(self):
        made = self.quantize("q.gguf", "--type", "Q3_K_S")
        told = self.difference(made)
        self.assertTrue(told["measured"])
        self.assertGreater(told["kl"], 0.001)
        self.assertGreater(told["same_top"], 0.5)
        self.assertEqual(told["text"]["name"], "built-in")
        inside = self.document("heft.inspect/1", "inspect", self.path("q.gguf"))
        self.assertTrue(inside)
        # The record in the file is the one that was told.
        again = self.quantize("r.gguf", "--type", "Q2_K", "--allow-requantize", "--accept-terms", "--no-measure",
                              source=self.path("q.gguf"))
        self.assertEqual(again["lineage"]["history"][0]["difference"], told)
        self.assertEqual(self.difference(again), {"measured": False, "why": "--no-measure"})

    def test_better_types_are_nearer(self):
        far = [self.difference(self.quantize(kind + ".gguf", "--type", kind))["kl"] for kind in ("Q8_0", "Q4_0", "Q2_K")]
        self.assertEqual(far, sorted(far))
        self.assertLess(far[0], 0.01)

    def test_a_conversion_is_no_distance_at_all(self):
        # The columns of a head lie in another order: sums differ by their last bits, and where
        # activations are bfloat16 (AMX, AVX-512 BF16) some of them round the other way.
        for isa, most, least_same in (("scalar", 1e-6, 1), (None, 1e-4, 0.99)):
            made = self.document("heft.convert/1", "convert", TINY, self.path("c.gguf"), "--force",
                                 env={"HEFT_ISA": isa} if isa else None)
            told = self.difference(made)
            self.assertTrue(told["measured"])
            self.assertLess(told["kl"], most)
            self.assertGreaterEqual(told["same_top"], least_same)

    def test_a_text_of_ones_own_is_named_by_its_hash(self):
        told = self.difference(self.quantize("q.gguf", "--text", self.words))
        self.assertEqual(told["text"]["name"], "words.txt")
        self.assertEqual(len(told["text"]["sha256"]), 64)

    def test_what_cannot_be_measured_says_why(self):
        told = self.difference(self.quantize("m.gguf", "--shard-size", "1MB"))
        self.assertFalse(told["measured"])
        self.assertIn("several files", told["why"])
        self.path("short.txt").write_text("Too short.")
        told = self.difference(self.quantize("q.gguf", "--text", self.path("short.txt")))
        self.assertFalse(told["measured"])
        self.assertIn("longer text", told["why"])

    def test_diff_tells_the_spectral_norm(self):
        self.quantize("q.gguf", "--type", "Q4_0", "--no-measure")
        done = subprocess.run([HEFT, "diff", str(TINY), str(self.path("q.gguf")), "--json", "--no-measure"],
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 1)
        for tensor in json.loads(done.stdout)["tensors"]:
            if tensor["identical"]:
                self.assertIn(tensor["spectral_norm"], (0, None))
                continue
            # Between the greatest entry and the norm of all entries.
            self.assertGreaterEqual(tensor["spectral_norm"], 0.99 * tensor["greatest_difference"])
            self.assertLess(tensor["spectral_norm"], 10)


    def diff(self, *args):
        done = subprocess.run([HEFT, "diff", *map(str, args), "--json"], capture_output=True, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        return json.loads(done.stdout)

    def test_diff_tells_of_both_models_as_wholes(self):
        self.quantize("q.gguf", "--type", "Q4_K_S", "--no-measure")
        told = self.diff(TINY, self.path("q.gguf"), "--text", self.words)
        size = told["size"]
        self.assertEqual(size["first"]["bytes"], (TINY / "model.safetensors").stat().st_size)
        self.assertEqual(size["second"]["bytes"], self.path("q.gguf").stat().st_size)
        self.assertAlmostEqual(size["ratio"], size["second"]["bytes"] / size["first"]["bytes"])
        self.assertEqual(size["first"]["bits_per_weight"], 16)
        self.assertTrue(4 < size["second"]["bits_per_weight"] < 7)

        far = self.kl(self.path("q.gguf"), TINY, "--text", self.words, "-c", "128", "--chunks", "4")
        for ours, theirs in (("kl", far["kl"]), ("same_top", far["same_top"]), ("perplexity", far["perplexity"]),
                             ("parent_perplexity", far["base_perplexity"])):
            self.assertAlmostEqual(told["difference"][ours], theirs["value"], delta=1e-3 * theirs["value"])
        self.assertEqual(told["difference"]["tokens"], far["tokens"])
        for what in ("prefill", "decode"):
            speed = told["speed"][what]
            self.assertTrue(min(speed["tokens"], speed["first"], speed["second"]) > 0, speed)
            self.assertAlmostEqual(speed["ratio"], speed["second"] / speed["first"])

        for_people = subprocess.run([HEFT, "diff", str(TINY), str(self.path("q.gguf"))], capture_output=True,
                                    check=False).stdout.decode()
        for word in ("bits per weight", "KL divergence", "prefill", "decode"):
            self.assertIn(word, for_people)

    def test_diff_compares_what_models_of_other_shapes_both_have(self):
        other = self.path("other")
        other.mkdir()
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(TINY / name, other)
        config = json.loads((TINY / "config.json").read_text())
        config.update(vocab_size=config["vocab_size"] + 8, num_hidden_layers=4)
        (other / "config.json").write_text(json.dumps(config))
        tensors = {name: tensor for name, tensor in read_safetensors(TINY / "model.safetensors").items()
                   if ".layers.4." not in name}
        kind, (rows, width), data = tensors["model.embed_tokens.weight"]
        tensors["model.embed_tokens.weight"] = (kind, [rows + 8, width], data + bytes(16 * width))
        write_safetensors(other / "model.safetensors", tensors)

        told = self.diff(TINY, other)
        self.assertFalse(told["identical"])
        self.assertEqual(told["other_shapes"], [{"name": "token_embd.weight", "first": [rows, width],
                                                 "second": [rows + 8, width], "rows_compared": rows}])
        (embedding,) = [tensor for tensor in told["tensors"] if "rows" in tensor]
        self.assertEqual((embedding["rows"], embedding["identical"], embedding["spectral_norm"]), (rows, True, 0))
        self.assertTrue(told["only_first"])
        self.assertTrue(all(name.startswith("blk.4.") for name in told["only_first"]))
        self.assertEqual(told["only_second"], [])
        self.assertIn("vocabulary", told["difference"]["why"])
        self.assertTrue(told["speed"]["measured"])
        self.assertEqual(self.diff(other, TINY, "--no-measure")["other_shapes"][0]["rows_compared"], rows)

        # Other widths have no rows in common.
        golden = ROOT / "tests" / "golden" / "llama2"
        told = self.diff(TINY, golden, "--no-measure")
        self.assertIn("token_embd.weight", [shape["name"] for shape in told["other_shapes"]])
        self.assertEqual({shape["rows_compared"] for shape in told["other_shapes"]}, {0})
        self.assertEqual(told["tensors"], [])

    def test_diff_says_why_it_did_not_measure(self):
        self.quantize("q.gguf", "--type", "Q4_0", "--no-measure")
        told = self.diff(TINY, self.path("q.gguf"), "--no-measure")
        self.assertEqual(told["difference"], {"measured": False, "why": "--no-measure"})
        self.assertEqual(told["speed"], told["difference"])
        golden = ROOT / "tests" / "golden" / "llama2"  # which has no tokenizer
        self.quantize("g.gguf", "--type", "Q8_0", "--no-measure", "--accept-terms", source=golden)
        self.assertIn("token", self.diff(golden, self.path("g.gguf"))["difference"]["why"])


class Targets(Measure):
    def search(self, name, *args):
        made = self.quantize(name, "--tensor", "blk.*.attn_?.weight=Q8_0", "--text", self.words, *args)
        return made, made["lineage"]["options"]["search"]

    def test_a_size_is_kept_and_used(self):
        made, search = self.search("s.gguf", "--target-size", "2.6MB")
        size = self.path("s.gguf").stat().st_size
        self.assertLessEqual(size, 2_600_000)
        self.assertGreater(size, 2_300_000)
        self.assertEqual(made["lineage"]["options"]["target_size"], "2.6MB")
        self.assertAlmostEqual(search["kl"], made["lineage"]["difference"]["kl"], delta=0.02 * search["kl"])
        kinds = {tensor["name"]: tensor["to"] for tensor in made["tensors"]}
        self.assertEqual(kinds["blk.0.attn_q.weight"], "Q8_0")
        for group in search["groups"]:
            self.assertEqual(kinds.get(f"blk.1.{group['group']}.weight", group["type"]), group["type"])
        self.ok("run", self.path("s.gguf"), "Hello", "-n", "2")

    def test_a_divergence_is_kept_and_the_same_every_time(self):
        made, search = self.search("k.gguf", "--target-kl", "0.02")
        self.assertLessEqual(search["kl"], 0.02)
        self.assertGreater(search["kl"], 0.004)
        other, _ = self.search("l.gguf", "--target-kl", "0.02", "-t", "1")
        self.assertEqual([t["to"] for t in other["tensors"]], [t["to"] for t in made["tensors"]])
        self.assertEqual(self.path("k.gguf").read_bytes(), self.path("l.gguf").read_bytes())

    def test_what_cannot_be_had_is_told(self):
        out = self.path("x.gguf")
        self.fails(USAGE, "quantize", TINY, out, "--target-size", "1MB", "--tensor", "*_*.weight=F16", saying="searched")
        self.fails(USAGE, "quantize", TINY, out, "--target-size", "10kB", saying="alone takes")
        self.fails(USAGE, "quantize", TINY, out, "--target-size", "2GB", "--target-kl", "1", saying="only one")
        self.fails(USAGE, "quantize", TINY, out, "--target-kl", "-1", saying="above 0")
        self.assertFalse(out.exists())


if __name__ == "__main__":
    unittest.main()
