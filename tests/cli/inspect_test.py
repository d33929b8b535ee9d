"""heft inspect."""
import hashlib
import shutil
import tempfile
import unittest

from support import TINY, heft, Case


class Inspect(Case):
    def test_document(self):
        for model, kind in (("tiny", "gguf"), (TINY, "huggingface")):
            tree = self.document("heft.inspect/1", "inspect", model)
            self.assertEqual(tree["format"], kind)
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


if __name__ == "__main__":
    unittest.main()
