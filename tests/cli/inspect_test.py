"""heft inspect."""
import hashlib
import json
import pathlib
import shutil
import tempfile
import unittest

from support import NOT_FOUND, TINY, UNSUPPORTED, Case, write_adapter


class Inspect(Case):
    def test_document(self):
        for model, kind in (("tiny", "gguf"), (TINY, "huggingface")):
            tree = self.document("heft.inspect/1", "inspect", model)
            self.assertEqual((tree["kind"], tree["format"]), ("model", kind))
            self.assertEqual(tree["architecture"], "llama")
            self.assertEqual(tree["parameters"], 4459264)
            self.assertEqual(tree["config"]["n_layer"], 5)
            self.assertEqual(tree["config"]["n_ctx"], 1024)
            self.assertEqual(tree["missing"], [])
            self.assertEqual(tree["tokenizer"]["n_vocab"], 2048)
            self.assertTrue(tree["template"]["parses"])
            self.assertTrue(tree["metadata"])
            self.assertNotIn("list", tree["tensors"])
            self.assertIn("llama", self.text("inspect", model))

    def test_ends_with_what_may_be_done(self):
        for model in ("tiny", TINY):
            tree = self.document("heft.inspect/1", "inspect", model)
            self.assertEqual(tree["licence"]["ids"], ["apache-2.0"])
            for use in ("private_use", "commercial_use", "redistribution"):
                self.assertIn(tree["licence"][use]["verdict"], ("allowed", "allowed_with_duty"))
            self.assertEqual(tree["openness"]["level_name"], "open_source")
            last = [line for line in self.text("inspect", model).splitlines()
                    if not line.startswith(" ")][-3:]
            self.assertEqual([line.split()[0] for line in last], ["licence", "openness", "cannot"])

    def test_tensors(self):
        tensors = self.document("heft.inspect/1", "inspect", TINY, "--tensors")["tensors"]
        self.assertEqual(len(tensors["list"]), tensors["count"])
        self.assertEqual(sum(t["bytes"] for t in tensors["list"]),
                         sum(t["bytes"] for t in tensors["types"].values()))
        self.assertIn("model.norm.weight", self.text("inspect", TINY, "--tensors"))

    def test_hash(self):
        weights = TINY / "model.safetensors"
        file = self.document("heft.inspect/1", "inspect", TINY, "--hash")["files"][0]
        self.assertEqual(file["sha256"], hashlib.sha256(weights.read_bytes()).hexdigest())
        self.assertEqual(file["bytes"], weights.stat().st_size)

    def test_what_is_missing_is_told(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("config.json", "model.safetensors"):
                shutil.copy(TINY / name, folder)
            tree = self.document("heft.inspect/1", "inspect", folder)
            self.assertIsNone(tree["tokenizer"])
            self.assertIsNone(tree["template"])
            self.assertGreaterEqual(len(tree["missing"]), 1)
            self.assertEqual(len(self.document("heft.run/1", "run", folder, "--ids", "1,2", "-n",
                                               "3", "--ignore-eos")["ids"]), 3)

    def test_an_adapter_is_told_as_one(self):
        module = "base_model.model.model.layers.{}.{}"
        shapes = {module.format(i, "self_attn.q_proj"): (256, 256) for i in (0, 2)}
        shapes[module.format(1, "mlp.down_proj")] = (256, 768)
        with tempfile.TemporaryDirectory() as folder:
            adapter, file = pathlib.Path(folder) / "adapter", pathlib.Path(folder) / "adapter.gguf"
            write_adapter(adapter, shapes, ranks={module.format(2, "self_attn.q_proj"): 4},
                          rank_pattern={"layers.2.self_attn.q_proj": 4}, base_model_name_or_path="org/ti\x1bny")
            (adapter / "README.md").write_text("---\nlicense: mit\n---\n# Mine\n")
            self.ok("convert", adapter, file, "--base", TINY, "--accept-terms")
            names = {"peft": ("q_proj", "down_proj"), "gguf": ("attn_q", "ffn_down")}
            for path, kind in ((adapter, "peft"), (adapter / "adapter_model.safetensors", "peft"), (file, "gguf")):
                tree = self.document("heft.inspect/1", "inspect", path, "--tensors", "--hash")
                self.assertEqual((tree["kind"], tree["format"], tree["missing"]), ("adapter", kind, []))
                self.assertEqual(tree["architecture"], {"peft": None, "gguf": "llama"}[kind])
                self.assertEqual(tree["parameters"], 2 * 512 + 4 * 512 + 2 * 1024)
                q_name, down_name = names[kind]
                told = tree["adapter"]
                self.assertEqual((told["method"], told["base"]), ("lora", "org/ti\x1bny"))
                self.assertEqual((told["weights"], told["pairs"], told["layers"]), (3, 3, [0, 1, 2]))
                modules = {one.pop("name"): one for one in told["modules"]}
                self.assertEqual(set(modules), {q_name, down_name})
                self.assertEqual(modules[q_name]["ranks"], [2, 4])
                self.assertEqual(modules[down_name], {"weights": 1, "ranks": [2], "alphas": [4], "scales": [2]})
                self.assertEqual(len(tree["tensors"]["list"]), 6)
                self.assertTrue(tree["metadata"])
                self.assertEqual(tree["licence"]["ids"], ["mit"])
                self.assertNotIn("openness", tree)
                weights = pathlib.Path(tree["files"][0]["path"])
                self.assertEqual(tree["files"][0]["sha256"], hashlib.sha256(weights.read_bytes()).hexdigest())
                self.assertEqual(tree["file_bytes"], weights.stat().st_size)
                self.assertEqual(tree["lineage"] is None, kind == "peft")
                for_people = self.text("inspect", path)
                self.assertIn("LoRA, of org/ti?ny", for_people)
                self.assertIn(f"{down_name}: 1 weight of rank 2, alpha 4, scale 2", for_people)
                self.assertIn("3, 0 to 2", for_people)
                self.assertNotIn("\nmissing ", for_people)
                self.assertNotIn("\x1b", for_people)
                self.assertEqual("family" in for_people, kind == "gguf")

            config = json.loads((adapter / "adapter_config.json").read_text())
            (adapter / "adapter_config.json").write_text(json.dumps({**config, "use_dora": True}))
            self.fails(UNSUPPORTED, "inspect", adapter, saying="use_dora")
            (adapter / "adapter_model.safetensors").unlink()
            (adapter / "adapter_config.json").write_text(json.dumps(config))
            self.fails(NOT_FOUND, "inspect", adapter, saying="adapter_model.safetensors")


if __name__ == "__main__":
    unittest.main()
