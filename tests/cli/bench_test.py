"""heft bench."""
import json
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

from support import HEFT, INTERRUPTED, SECONDS, USAGE, Case


class Bench(Case):
    def test_document(self):
        tree = self.document("heft.bench/2", "bench", "tiny", "-p", "16", "-n", "4", "-r", "2",
                             "-d", "8", "-b", "2")
        for key in ("machine", "roofs", "model", "load_s", "first_token_s", "memory", "results"):
            self.assertIn(key, tree)
        self.assertEqual([r["test"] for r in tree["results"]], ["pp16", "tg4"])
        for result in tree["results"]:
            self.assertEqual((result["depth"], result["batch"]), (8, 2))
            for key in ("tok_s", "gb_s", "tflop_s", "roof_share"):
                self.assertGreater(result[key], 0, key)
            self.assertGreaterEqual(result["tok_s_spread"], 0)
            self.assertEqual(result["roof_share"],
                             max(result["memory_share"], result["arithmetic_share"]))
        self.assertGreater(tree["first_token_s"], tree["load_s"])
        memory = tree["memory"]
        self.assertEqual(memory["other_bytes"], memory["peak_bytes"] - memory["cache_bytes"]
                         - tree["model"]["bytes"])

    def test_roofs(self):
        """Each is positive, the best memory roof is one of those tried, and each result names the
        one that it came nearer to."""
        for isa in json.loads(self.text("version", "--json"))["isa"]["found"]:
            tree = self.document("heft.bench/2", "bench", "tiny", "-p", "8", "-n", "1", "-r", "1",
                                 env={"HEFT_ISA": isa})
            roofs = tree["roofs"]
            self.assertEqual([m["streams"] for m in roofs["memory"]], [1, 2, 4, 8, 16])
            self.assertEqual(roofs["memory_gb_s"], max(m["gb_s"] for m in roofs["memory"]))
            for roof in roofs["arithmetic"]:
                self.assertGreater(roof["tflop_s"], 0, roof["name"])
            used = roofs["arithmetic_used"]
            self.assertIn(used, [roof["name"] for roof in roofs["arithmetic"]])
            for result in tree["results"]:
                self.assertIn(result["roof"], ("memory", used))

    def test_every_combination(self):
        tree = self.document("heft.bench/2", "bench", "tiny", "-p", "8,4", "-n", "2", "-r", "1",
                             "-d", "0,16", "-b", "3,1")
        self.assertEqual([(r["test"], r["depth"], r["batch"]) for r in tree["results"]],
                         [(test, depth, batch) for depth in (0, 16) for batch in (1, 3)
                          for test in ("pp4", "pp8", "tg2")])

    def test_work_grows_with_depth_and_batch(self):
        """What has to be read and computed is known; only the time is measured."""
        tree = self.document("heft.bench/2", "bench", "tiny", "-p", "0", "-n", "2", "-r", "1",
                             "-d", "0,200", "-b", "1,4")
        def work(result):
            return result["gb_s"] / result["tok_s"], result["tflop_s"] / result["tok_s"]
        found = {(r["depth"], r["batch"]): work(r) for r in tree["results"]}
        self.assertGreater(found[200, 1][0], found[0, 1][0])
        self.assertGreater(found[200, 1][1], found[0, 1][1])
        self.assertLess(found[0, 4][0], found[0, 1][0])  # the weights are shared
        self.assertAlmostEqual(found[0, 4][1] / found[0, 1][1], 1)

    def test_tables(self):
        for form, sign in (("md", "|"), ("csv", ",")):
            lines = self.text("bench", "tiny", "-p", "8", "-n", "2", "-r", "1", "-o",
                              form).splitlines()
            counts = {line.count(sign) for line in lines}
            self.assertEqual(len(counts), 1, lines)
            self.assertIn("pp8", lines[-2])

    def test_the_cache_is_counted_as_it_is(self):
        args = ["bench", "tiny", "-p", "0", "-n", "2", "-r", "1"]
        plain = self.document("heft.bench/2", *args)["cache"]
        small = self.document("heft.bench/2", *args, "-ctk", "q8_0", "-ctv", "q8_0")["cache"]
        self.assertEqual((plain["keys"], plain["quantised"]), ("f16", False))
        self.assertEqual((small["values"], small["quantised"]), ("q8_0", True))
        self.assertEqual(small["bytes_per_token"] * 64, plain["bytes_per_token"] * 34)
        self.assertIn(b"degraded", self.ok(*args, "-ctk", "q8_0").stderr)

    def test_only_what_is_asked_for(self):
        tree = self.document("heft.bench/2", "bench", "tiny", "-p", "0", "-n", "2", "-r", "1")
        self.assertEqual([r["test"] for r in tree["results"]], ["tg2"])
        for args in (["-p", "0", "-n", "0"], ["-r", "0"], ["-b", "0"], ["-d", "-1"], ["-p", "x"],
                     ["-n", ""], ["-b", "1,2000"], ["-o", "xml"]):
            self.fails(USAGE, "bench", "tiny", *args)
        self.fails(USAGE, "bench")

    def test_interrupted(self):
        """Ctrl-C ends a long measurement without a document."""
        running = subprocess.Popen([HEFT, "bench", "tiny", "-n", "100000", "--json"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(6)  # long enough to be past the roofs
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=SECONDS)
        self.assertEqual((running.returncode, out), (INTERRUPTED, b""))


class Tuning(Case):
    def tune(self, folder):
        return self.document("heft.tune/1", "bench", "--tune",
                             env={"XDG_CACHE_HOME": folder, "HOME": "/nonexistent"})

    def test_kept_per_machine(self):
        with tempfile.TemporaryDirectory() as folder:
            tree = self.tune(folder)
            self.assertTrue(tree["trials"])
            files = [path for path in pathlib.Path(folder).rglob("*") if path.is_file()]
            self.assertEqual([str(path) for path in files], [tree["file"]])
            kept = json.loads(files[0].read_text())
            self.assertEqual(kept["machine"], tree["machine"])
            for name, value in tree["settings"].items():
                self.assertEqual(kept[name], value)
            self.assertEqual(tree["settings"].keys(), tree["defaults"].keys())

    def test_no_folder_to_write_to(self):
        with tempfile.TemporaryDirectory() as folder:
            blocked = pathlib.Path(folder) / "file"
            blocked.write_text("")
            self.assertIsNone(self.tune(str(blocked))["file"])


if __name__ == "__main__":
    unittest.main()
