"""heft bench."""
import unittest

from support import USAGE, heft, Case


class Bench(Case):
    def test_document(self):
        tree = self.document("heft.bench/1", "bench", "tiny", "-p", "16", "-n", "4", "-r", "2",
                             "-d", "8", "-b", "2")
        for key in ("machine", "roofs", "model", "load_s", "peak_memory_bytes", "results"):
            self.assertIn(key, tree)
        self.assertEqual([r["test"] for r in tree["results"]], ["pp16", "tg4"])
        for result in tree["results"]:
            self.assertEqual((result["depth"], result["batch"]), (8, 2))
            for key in ("tok_s", "gb_s", "tflop_s", "roof_share"):
                self.assertGreater(result[key], 0, key)
            self.assertGreaterEqual(result["tok_s_spread"], 0)
            self.assertIn(result["roof"], ("dram", "f32"))
        for value in tree["roofs"].values():
            self.assertGreater(value, 0)

    def test_only_what_is_asked_for(self):
        tree = self.document("heft.bench/1", "bench", "tiny", "-p", "0", "-n", "2", "-r", "1")
        self.assertEqual([r["test"] for r in tree["results"]], ["tg2"])
        for args in (["-p", "0", "-n", "0"], ["-r", "0"], ["-b", "0"], ["-d", "-1"]):
            self.fails(USAGE, "bench", "tiny", *args)


if __name__ == "__main__":
    unittest.main()
