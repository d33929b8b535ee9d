"""Models of several: merged, run, licensed, interrupted."""
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import unittest

from support import (CORRUPT, EXHAUSTED, HEFT, INTERRUPTED, NOT_FOUND, ROOT, TINY, UNSUPPORTED, USAGE, Case,
                     heft, kills, write_safetensors)

LLAMA = "---\nlicense: llama3.1\n---\n"
GOLDEN = ROOT / "tests" / "golden"
APACHE = "---\nlicense: apache-2.0\n---\n"


def read_tensors(folder):
    data = (folder / "model.safetensors").read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    return {name: (entry["dtype"], entry["shape"],
                   data[8 + size + entry["data_offsets"][0]:8 + size + entry["data_offsets"][1]])
            for name, entry in header.items()}


class Gguf:
    """Reads a file of version 3."""
    KINDS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

    def __init__(self, data):
        self.data, self.at = data, 8

    def take(self, kind):
        (value,) = struct.unpack_from("<" + kind, self.data, self.at)
        self.at += struct.calcsize(kind)
        return value

    def string(self):
        size = self.take("Q")
        self.at += size
        return self.data[self.at - size:self.at]

    def value(self, kind):
        if kind == 8:
            return self.string()
        if kind == 9:
            item, count = self.take("I"), self.take("Q")
            return [self.value(item) for _ in range(count)]
        return self.take(self.KINDS[kind])


def read_gguf(path):
    """Keys and values, and type, shape and bytes (up to the next tensor's) by name."""
    file = Gguf(pathlib.Path(path).read_bytes())
    n_tensors, n_keys = file.take("Q"), file.take("Q")
    keys = {file.string().decode(): file.value(file.take("I")) for _ in range(n_keys)}
    infos = [(file.string().decode(), [file.take("Q") for _ in range(file.take("I"))], file.take("I"),
              file.take("Q")) for _ in range(n_tensors)]
    begin = (file.at + 31) // 32 * 32
    ends = [info[3] for info in infos[1:]] + [len(file.data) - begin]
    return keys, {name: (kind, shape, file.data[begin + at:begin + end])
                  for (name, shape, kind, at), end in zip(infos, ends)}


class Merge(Case):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def model(self, name, seed=None, card=APACHE):
        """tiny, with some of the weights changed a little where there is a seed."""
        folder = self.folder / name
        shutil.copytree(TINY, folder, ignore=shutil.ignore_patterns("data", "eval", "train",
                                                                    "openness.yaml"))
        for path in [folder, *folder.iterdir()]:
            path.chmod(0o755)
        (folder / "README.md").write_text(card)
        if card != APACHE:
            (folder / "LICENSE").unlink()
        if seed is None:
            return folder
        rng = random.Random(seed)
        tensors = read_tensors(folder)
        for key, (dtype, shape, data) in tensors.items():
            changed = bytearray(data)
            for _ in range(len(data) // 200):
                i = rng.randrange(len(data) // 2) * 2
                changed[i] = rng.randrange(256)  # the lower byte: at most a part in 128
            tensors[key] = (dtype, shape, bytes(changed))
        write_safetensors(folder / "model.safetensors", tensors)
        return folder

    def recipe(self, text, name="recipe.yml"):
        path = self.folder / name
        path.write_text(text)
        return path

    def ties(self):
        self.model("base"), self.model("a", 1), self.model("b", 2)
        return self.recipe("merge_method: ties\nbase_model: base\nmodels:\n"
                           "- {model: a, parameters: {weight: 1, density: 0.5}}\n"
                           "- {model: b, parameters: {weight: 0.5, density: [0.2, 0.8]}}\n"
                           "dtype: bfloat16\n")

    def test_a_merge_of_derived_models_runs(self):
        recipe, out = self.ties(), self.folder / "merged"
        tree = self.document("heft.merge/1", "merge", recipe, out, "--seed", 7)
        self.assertTrue(tree["done"])
        self.assertEqual([m["reference"] for m in tree["models"]], ["base", "a", "b"])
        text = self.text("run", out, "Tell me a story about a fox.", "-n", 20, "--temp", 0, "-q")
        self.assertTrue(text.strip())
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()),
                         ["a", "b", "base", "merged", "recipe.yml"])
        self.ok("verify", out)
        record = json.loads((out / "heft.json").read_text())
        self.assertEqual((record["schema"], record["verb"], record["seed"]),
                         ("heft.lineage/1", "merge", 7))
        self.assertEqual([i["relation"] for i in record["inputs"]],
                         ["base model", "merged", "merged"])
        import hashlib
        self.assertEqual(record["inputs"][1]["files"][0]["sha256"], hashlib.sha256(
            (self.folder / "a" / "model.safetensors").read_bytes()).hexdigest())
        self.assertIn("merge_method: ties", record["options"]["recipe"])
        card = (out / "README.md").read_text()
        self.assertTrue(card.startswith('---\nbase_model:\n- "base"\n- "a"\n- "b"\nlicense: "apache-2.0"'))

    def test_the_record_has_the_records_of_merged_inputs(self):
        self.model("a", 1), self.model("b", 2)
        mean = "merge_method: linear\nparameters: {weight: 0.5}\nmodels:\n- model: a\n- model: "
        self.ok("merge", self.recipe(mean + "b"), self.folder / "first", "-q")
        self.ok("merge", self.recipe(mean + "first"), self.folder / "second", "-q")
        first, second = (json.loads((self.folder / name / "heft.json").read_text())
                         for name in ("first", "second"))
        self.assertEqual(first["history"], [])
        (earlier,) = second["history"]
        self.assertEqual(earlier.pop("of"), second["inputs"][1]["files"][0]["sha256"])
        first.pop("history")
        for detail in ("files", "marks"):
            first["contents"].pop(detail)
        self.assertEqual(earlier, first)

    def test_merging_a_model_with_itself_changes_nothing(self):
        self.model("a")
        out = self.folder / "same"
        for method, more in (("linear", "parameters: {weight: 0.5}"),
                             ("karcher", ""), ("slerp", "base_model: b\nparameters: {t: 0.3}")):
            if not (self.folder / "b").exists():
                self.model("b")
            recipe = self.recipe(f"merge_method: {method}\nmodels:\n- model: a\n- model: b\n{more}\n")
            self.ok("merge", recipe, out, "--force", "-q")
            before, after = read_tensors(self.folder / "a"), read_tensors(out)
            self.assertEqual(before, after, method)

    def test_the_result_does_not_depend_on_threads_pieces_or_memory(self):
        self.model("base"), self.model("a", 1)
        recipe = self.recipe("merge_method: dare_ties\nbase_model: base\nmodels:\n- model: a\n"
                             "parameters: {weight: 1, density: 0.5}\n")
        files = []
        for options in (["-t", "1"], ["-t", "2"], ["--max-ram", "20MB"], ["--seed", "1"]):
            out = self.folder / f"out{len(files)}"
            self.ok("merge", recipe, out, "-q", *options)
            files.append((out / "model.safetensors").read_bytes())
        self.assertEqual(files[0], files[1])
        self.assertEqual(files[0], files[2])
        self.assertNotEqual(files[0], files[3])
        self.fails(EXHAUSTED, "merge", recipe, self.folder / "x", "--max-ram", "1KB",
                   saying="--max-ram")

    def test_stacked_layers_make_a_deeper_model(self):
        self.model("a"), self.model("b", 3)
        recipe = self.recipe(
            "merge_method: passthrough\nslices:\n"
            "- sources: [{model: a, layer_range: [0, 4]}]\n"
            "- sources: [{model: b, layer_range: [1, 5]}]\n")
        out = self.folder / "deep"
        self.ok("merge", recipe, out, "-q")
        self.assertEqual(json.loads((out / "config.json").read_text())["num_hidden_layers"], 8)
        self.text("run", out, "Once", "-n", 5, "-q")
        tensors, b = read_tensors(out), read_tensors(self.folder / "b")
        self.assertEqual(tensors["model.layers.4.mlp.up_proj.weight"],
                         b["model.layers.1.mlp.up_proj.weight"])

    def test_gguf_results_and_gguf_models(self):
        recipe = self.ties()
        folder, gguf = self.folder / "merged", self.folder / "merged.gguf"
        self.ok("merge", recipe, folder, "-q")
        self.ok("merge", recipe, gguf, "-q")
        ids = ["--ids", "1,2,3,40,50"]

        def logits(model):
            return self.document("heft.logits/1", "logits", model, *ids, "--precision",
                                 "f32")["logits"][0]
        wanted = logits(gguf)
        for a, b in zip(logits(folder), wanted):
            self.assertAlmostEqual(a, b, delta=1e-3)
        record = self.document("heft.inspect/1", "inspect", gguf)
        self.assertTrue(record)
        # Of GGUF files, and of a folder and a GGUF file.
        both = self.recipe(f"merge_method: linear\nmodels:\n- model: {gguf}\n- model: {gguf}\n"
                           "parameters: {weight: 0.5}\n", "gguf.yml")
        again = self.folder / "again.gguf"
        self.ok("merge", both, again, "-q")
        self.assertEqual(logits(again), wanted)
        mixed = self.recipe(f"merge_method: linear\nmodels:\n- model: {folder}\n"
                            f"- model: {gguf}\nparameters: {{weight: 0.5}}\n", "mixed.yml")
        self.ok("merge", mixed, self.folder / "mixed", "-q")
        self.assertEqual(read_tensors(self.folder / "mixed"), read_tensors(folder))
        quantised = self.folder / "q8.gguf"
        self.ok("merge", recipe, quantised, "--type", "Q8_0", "-q")
        self.text("run", quantised, "Once", "-n", 5, "-q")
        self.fails(7, "merge", both, self.folder / "folder", saying=".gguf")

    def test_a_merge_in_fewer_bits_is_the_quantised_merge(self):
        recipe = self.ties()
        folder = self.folder / "m"
        self.ok("merge", recipe, folder, "-q")
        text = self.folder / "text.txt"
        text.write_text("Once there was a fox who lived in a wood. " * 60)
        importances = self.folder / "i.gguf"
        self.ok("imatrix", folder, "--text", text, "-o", importances, "--ctx-size", 128)
        (self.folder / "one").mkdir(), (self.folder / "two").mkdir()
        for options in (["--type", "Q8_0"], ["--type", "q4_k_m"],
                        ["--type", "Q3_K_M", "--tensor", "blk.1.*=Q6_K", "--tensor", "*ffn_up*=BF16"],
                        ["--type", "IQ3_XXS", "--imatrix", importances]):
            one, two = self.folder / "one" / "m.gguf", self.folder / "two" / "m.gguf"
            tree = self.document("heft.merge/1", "merge", recipe, one, *options, "--force")
            self.ok("quantize", folder, two, *options, "--force", "--no-measure")
            (keys, tensors), (wanted_keys, wanted) = read_gguf(one), read_gguf(two)
            self.assertEqual(tensors, wanted, options)
            record = json.loads(keys.pop("heft.lineage"))
            wanted_keys.pop("heft.lineage")
            self.assertEqual(keys.pop("general.license"), b"apache-2.0")
            self.assertTrue(keys == wanted_keys, [k for k in keys.keys() | wanted_keys.keys()
                                                  if keys.get(k) != wanted_keys.get(k)])
            self.assertEqual(tree["bytes"], sum(len(data) for _, _, data in tensors.values()))
            self.assertEqual(record["options"]["type"], options[1].upper())
            self.assertEqual(tree["lineage"], record)
            self.assertEqual([len(i["files"][0]["sha256"]) for i in record["inputs"]], [64] * 3)
        self.assertEqual(sorted(p.name for p in (self.folder / "one").iterdir()), ["m.gguf"])
        parts = self.document("heft.merge/1", "merge", recipe, self.folder / "p.gguf", "--type", "Q8_0",
                              "--shard-size", "1MB")["files"]
        self.assertGreater(len(parts), 2)
        self.text("run", parts[0], "Once", "-n", 5, "-q")

    def test_every_family_is_merged_into_the_gguf_file_of_its_folder(self):
        """Tensors that the file has turned, fused, split or stacked, too."""
        folder, gguf = self.folder / "m", self.folder / "m.gguf"
        for model in sorted(GOLDEN.iterdir()):
            if not (model / "config.json").is_file():
                continue
            with self.subTest(model.name):
                recipe = self.recipe("merge_method: linear\nparameters: {weight: 0.5}\nmodels:\n"
                                     f"- model: {model}\n- model: {model}\n")
                self.ok("merge", recipe, gguf, "-q", "--accept-terms", "--force")
                done = heft("merge", recipe, folder, "-q", "--accept-terms", "--force")
                packed = done.returncode == UNSUPPORTED  # there is no such folder
                self.assertEqual(packed, "mxfp4" in (model / "config.json").read_text(), done.stderr)
                wanted = self.folder / "wanted.gguf"
                self.ok("convert", model if packed else folder, wanted, "--accept-terms", "--force",
                        "--no-measure", *(["--type", "BF16"] if packed else []))
                self.assertEqual(read_gguf(gguf)[1], read_gguf(wanted)[1])

    def test_how_far_a_merge_is_from_its_base_is_measured_if_asked(self):
        recipe = self.ties()
        options = [self.folder / "m.gguf", "--type", "Q8_0", "--force"]
        tree = self.document("heft.merge/1", "merge", recipe, *options)
        self.assertFalse(tree["lineage"]["difference"]["measured"])
        tree = self.document("heft.merge/1", "merge", recipe, *options, "--measure")
        self.assertTrue(tree["lineage"]["difference"]["measured"])
        self.assertGreater(tree["lineage"]["difference"]["kl"], 0)

    def test_vocabularies_are_joined_where_the_recipe_says_so(self):
        self.model("a")
        b = self.model("b")
        tokenizer = json.loads((b / "tokenizer.json").read_text())
        tokenizer["added_tokens"].append(
            {"id": 2048, "content": "<|new|>", "single_word": False, "lstrip": False,
             "rstrip": False, "normalized": False, "special": True})
        (b / "tokenizer.json").write_text(json.dumps(tokenizer))
        config = json.loads((b / "config.json").read_text())
        config["vocab_size"] = 2049
        (b / "config.json").write_text(json.dumps(config))
        tensors = read_tensors(b)
        dtype, shape, data = tensors["model.embed_tokens.weight"]
        row = struct.pack("<H", 0x3f80) * shape[1]  # ones
        tensors["model.embed_tokens.weight"] = (dtype, [2049, shape[1]], data + row)
        write_safetensors(b / "model.safetensors", tensors)
        body = ("merge_method: linear\nmodels:\n- model: a\n- model: b\n"
                "parameters: {weight: 0.5}\n")
        out = self.folder / "joined"
        self.ok("merge", self.recipe(body + "tokenizer: {source: union}\n"), out, "-q")
        shape, data = read_tensors(out)["model.embed_tokens.weight"][1:]
        self.assertEqual(shape[0], 2049)
        self.assertEqual(data[-2 * shape[1]:], row)
        self.assertEqual(self.text("tokenize", out, "x<|new|>", "--parse-special").split()[-1],
                         self.text("tokenize", b, "x<|new|>", "--parse-special").split()[-1])
        zero = body + ('tokenizer:\n  source: union\n  tokens:\n'
                       '    "<|new|>": {source: {kind: zero}, force: true}\n'
                       '  pad_to_multiple_of: 64\n')
        self.ok("merge", self.recipe(zero), out, "--force", "-q")
        shape, data = read_tensors(out)["model.embed_tokens.weight"][1:]
        self.assertEqual(shape[0], 2112)
        self.assertEqual(set(data[2048 * 2 * shape[1]:]), {0})
        # Where it says nothing, tokens that mean different things are not mixed.
        swapped = json.loads((b / "tokenizer.json").read_text())
        vocab = swapped["model"]["vocab"]
        one, two = list(vocab)[300], list(vocab)[301]
        vocab[one], vocab[two] = vocab[two], vocab[one]
        (b / "tokenizer.json").write_text(json.dumps(swapped))
        self.fails(USAGE, "merge", self.recipe(body), self.folder / "x", saying="vocabularies differ")

    def test_tokens_that_pad_the_table_are_none(self):
        self.model("a")
        b = self.model("b")
        config = json.loads((b / "config.json").read_text())
        config["vocab_size"] = 2056
        (b / "config.json").write_text(json.dumps(config))
        tensors = read_tensors(b)
        dtype, shape, data = tensors["model.embed_tokens.weight"]
        tensors["model.embed_tokens.weight"] = (dtype, [2056, shape[1]], data + bytes(16 * shape[1]))
        write_safetensors(b / "model.safetensors", tensors)
        file = self.folder / "b.gguf"
        self.ok("convert", b, file, "--accept-terms", "--no-measure")
        self.assertEqual(self.document("heft.inspect/1", "inspect", file)["tokenizer"]["n_vocab"], 2056)
        body = "merge_method: linear\nmodels:\n- model: a\n- model: b.gguf\nparameters: {weight: 0.5}\n"
        for tokenizer in ("", "tokenizer: {source: union}\n"):
            out = self.folder / "out"
            told = self.document("heft.merge/1", "merge", self.recipe(body + tokenizer), out, "--accept-terms",
                                 "--force")
            self.assertNotIn("whole pieces", json.dumps(told["notes"]))
            self.assertEqual(read_tensors(out)["model.embed_tokens.weight"][1][0], 2048, tokenizer)
        # Nor are there any left where there are no rows.
        body = "merge_method: linear\nmodels:\n- model: b.gguf\n- model: a\nparameters: {weight: 0.5}\n"
        out = self.folder / "out.gguf"
        self.ok("merge", self.recipe(body), out, "--accept-terms", "-q")
        told = self.document("heft.inspect/1", "inspect", out)
        self.assertEqual((told["tokenizer"]["n_vocab"], told["config"]["n_vocab"], told["missing"]), (2048, 2048, []))
        self.assertEqual(told["metadata"]["llama.vocab_size"], 2048)

    def test_terms_are_joined_and_have_to_be_accepted(self):
        self.model("llama", card=LLAMA), self.model("apache")
        recipe = self.recipe("merge_method: linear\nmodels:\n- model: llama\n- model: apache\n"
                             "parameters: {weight: 0.5}\n")
        out = self.folder / "Llama-merged"
        error = self.fails(USAGE, "merge", recipe, out, saying="--accept-terms")
        self.assertIn("llama3.1", error.lower().replace("-", "").replace("llama 3.1", "llama3.1"))
        self.assertFalse(out.exists())
        self.ok("merge", recipe, out, "--accept-terms", "-q")
        record = json.loads((out / "heft.json").read_text())
        ids = {licence["id"] for parent in record["parents"] for licence in parent["licences"]}
        self.assertEqual(ids, {"llama3.1", "apache-2.0"})
        self.assertTrue(record["accepted_by_person"])
        prefixes = [d["literal"] for d in record["duties"] if d["kind"] == "prefix"]
        self.assertIn("Llama", prefixes)
        self.assertEqual((out / "licences" / "NAME.txt").read_text().split()[-1], "Llama")
        self.assertIn('license: "other"', (out / "README.md").read_text())
        self.assertIn("Llama", (out / "README.md").read_text())

    def test_a_dry_run_tells_the_plan_and_writes_nothing(self):
        recipe = self.ties()
        tree = self.document("heft.merge/1", "merge", recipe, self.folder / "merged", "--dry-run")
        self.assertFalse(tree["done"])
        self.assertEqual(len(tree["plan"]), tree["tensors"])
        one = next(t for t in tree["plan"] if t["name"] == "model.layers.4.mlp.up_proj.weight")
        self.assertEqual(one["models"][1]["parameters"], {"weight": 0.5, "density": 0.8})
        self.assertGreater(tree["seconds"], 0)
        self.assertFalse((self.folder / "merged").exists())
        self.assertFalse((self.folder / "merged.partial").exists())
        self.assertIn("ties", self.text("merge", recipe, self.folder / "merged", "--dry-run"))

    def test_what_cannot_be_done_is_told_in_a_sentence(self):
        recipe = self.ties()
        out = self.folder / "merged"
        self.fails(NOT_FOUND, "merge", self.folder / "none.yml", out, saying="none.yml")
        self.fails(CORRUPT, "merge", self.recipe("a: [", "bad.yml"), out, saying="line")
        self.fails(USAGE, "merge", self.recipe("merge_method: tied\nmodels: [{model: a}]\n",
                                               "worse.yml"), out, saying="line 1")
        self.fails(USAGE, "merge", recipe, self.folder / "a", saying="is the model itself")
        out.mkdir()
        (out / "file").write_text("mine")
        self.fails(USAGE, "merge", recipe, out, saying="--force")
        self.assertEqual((out / "file").read_text(), "mine")
        self.fails(USAGE, "merge", recipe, self.folder / "o", "--type", "Q8_0", saying="GGUF")
        self.fails(USAGE, "merge", recipe, self.folder / "o", "--max-ram", "much", saying="500MiB")

    def test_a_killed_merge_leaves_no_result_and_is_gone_on_with(self):
        recipe, whole = self.ties(), self.folder / "whole"
        options = ["--shard-size", "1MB", "-q", "-t", "1"]
        began = time.monotonic()
        self.ok("merge", recipe, whole, *options)
        takes = time.monotonic() - began
        wanted = {p.name: p.read_bytes() for p in whole.iterdir() if p.is_file()}
        rng = random.Random(5)
        kept = 0
        for attempt in range(kills(8)):
            # Of one name, which is in the card, and by its hash in the record.
            out = self.folder / f"try{attempt}" / whole.name
            out.parent.mkdir()
            process = subprocess.Popen([HEFT, "merge", str(recipe), str(out), *options],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.random() * takes)
            process.send_signal(signal.SIGKILL)
            process.wait()
            partial = out.with_name(out.name + ".partial")
            if out.exists():  # it was done already
                self.assertFalse(partial.exists())
            elif partial.exists():
                kept += len(list(partial.glob("*.safetensors")))
            # A GGUF part cannot be told from a whole one by its name: none is left.
            if not out.exists():
                self.ok("merge", recipe, out, *options)
            self.assertEqual(wanted, {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()})
            self.assertFalse(partial.exists())
        self.assertGreater(kept, 0)

    def test_a_killed_merge_into_a_gguf_file_goes_on(self):
        recipe, out = self.ties(), self.folder / "m.gguf"
        command = ["merge", recipe, out, "--type", "Q3_K_M", "-q", "-t", "1"]
        began = time.monotonic()
        self.ok(*command)
        takes = time.monotonic() - began
        wanted = out.read_bytes()
        out.unlink()
        rng = random.Random(6)
        partial = self.folder / ".m.gguf.part"
        gone_on = 0
        for _ in range(kills(15)):
            begun = partial.stat().st_ino if partial.exists() else None
            with subprocess.Popen([HEFT, *map(str, command)], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as process:
                time.sleep(rng.random() * takes)
                process.send_signal(signal.SIGKILL if rng.random() < 0.7 else signal.SIGINT)
            if out.exists():
                gone_on += out.stat().st_ino == begun
                self.assertEqual(out.read_bytes(), wanted)
                out.unlink()
        begun = partial.stat().st_ino if partial.exists() else None
        self.ok(*command)
        self.assertGreater(gone_on + (out.stat().st_ino == begun), 0)
        self.assertEqual(out.read_bytes(), wanted)
        self.assertFalse(partial.exists())

    def test_an_interrupted_merge_says_how_to_go_on(self):
        recipe, out = self.ties(), self.folder / "out"
        options = ["--shard-size", "1MB", "-t", "1"]
        for _ in range(20):  # until it is caught in the act
            process = subprocess.Popen([HEFT, "merge", str(recipe), str(out), *options],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            partial = self.folder / "out.partial"
            while process.poll() is None and not list(partial.glob("*.safetensors")):
                time.sleep(0.001)
            process.send_signal(signal.SIGINT)
            error = process.communicate()[1].decode()
            if process.returncode == INTERRUPTED:
                break
            shutil.rmtree(out)
        self.assertEqual(process.returncode, INTERRUPTED, error)
        self.assertIn("goes on", error)
        self.assertFalse(out.exists())
        # The same goes on with it; another begins anew.
        first = max(partial.glob("*.safetensors"))
        before = first.stat()
        self.ok("merge", recipe, out, *options, "-q")
        after = (out / first.name).stat()
        self.assertEqual((before.st_ino, before.st_mtime_ns), (after.st_ino, after.st_mtime_ns))
        shutil.copytree(out, partial)
        self.ok("merge", recipe, out, *options, "-q", "--force", "--seed", 9)
        self.assertNotEqual((out / first.name).stat().st_ino, before.st_ino)

    def test_a_full_disk_is_told_and_nothing_is_left(self):
        recipe = self.ties()

        def small_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        for out in (self.folder / "out", self.folder / "out.gguf"):
            done = subprocess.run([HEFT, "merge", str(recipe), str(out)], capture_output=True,
                                  preexec_fn=small_files, restore_signals=False)
            self.assertEqual(done.returncode, EXHAUSTED, done.stderr)
            self.assertIn(b"too large", done.stderr)
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()),
                         ["a", "b", "base", "recipe.yml"])


if __name__ == "__main__":
    unittest.main()
