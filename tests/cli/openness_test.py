"""heft openness, bom and verify, as a person calls them."""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from support import HEFT, INTERRUPTED, NOT_FOUND, TINY, USAGE, Case, heft

NO = 1


class Folder(Case):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)
        self.addCleanup(self.temporary.cleanup)

    def model(self, *, card="---\nlicense: apache-2.0\n---\n# A model\n"):
        """The tiny model's files as a release of its own, without its record."""
        folder = self.folder / "model"
        folder.mkdir()
        for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
                     "chat_template.jinja", "LICENSE"):
            shutil.copy(TINY / name, folder)
        (folder / "README.md").write_text(card)
        return folder


class Openness(Folder):
    def test_the_embedded_model_is_open_source(self):
        for model in ("tiny", TINY):
            tree = self.document("heft.openness/1", "openness", model)
            self.assertEqual(tree["level"], 3)
            self.assertEqual(tree["osaid"]["verdict"], "passed")
            where = {row["component"]: row["where"] for row in tree["components"]}
            self.assertEqual(where["datasets"], "models/tiny/data/gen.py")
            self.assertEqual(where["training_code"], "models/tiny/train/train.py")
        text = self.text("openness", "tiny")
        self.assertIn("3 of 3, open source", text)
        self.assertLessEqual(max(map(len, text.splitlines())), 80)

    def test_the_page_is_self_contained(self):
        page = self.folder / "page.html"
        self.text("openness", "tiny", "--html", page)
        text = page.read_text()
        self.assertTrue(text.startswith("<!doctype html>"))
        self.assertIn("models/tiny/data/gen.py", text)
        for never in ("<script", "http://", "https://", "@import", "url("):
            self.assertNotIn(never, text)

    def test_files_alone_leave_things_open(self):
        tree = self.document("heft.openness/1", "openness", self.model())
        self.assertEqual((tree["level"], tree["level_at_most"]), (1, 3))
        self.assertEqual(tree["osaid"]["verdict"], "undetermined")
        by_key = {row["component"]: row for row in tree["components"]}
        self.assertEqual(by_key["training_code"]["presence"], "unknown")
        self.assertEqual(by_key["model_parameters"]["licence"], "Apache-2.0")

    def test_what_a_person_knows_counts(self):
        known = [f"--component={key}=yes:MIT" for key in
                 ("training_code", "data_documentation", "data_preprocessing_code", "evaluation_code")]
        tree = self.document("heft.openness/1", "openness", self.model(), *known)
        self.assertEqual(tree["level"], 3)
        closed = self.document("heft.openness/1", "openness", "tiny", "--component", "weights=no")
        self.assertEqual(closed["level"], 0)
        self.fails(USAGE, "openness", "tiny", "--component", "engine=yes", saying="engine")

    def test_a_restrictive_licence_is_open_weights(self):
        card = "---\nlicense: llama3.1\nbase_model: meta-llama/Llama-3.1-8B\ndatasets: [a/b]\n---\n"
        tree = self.document("heft.openness/1", "openness", self.model(card=card))
        self.assertEqual(tree["level"], 1)
        self.assertEqual(tree["osaid"]["verdict"], "failed")

    def test_records(self):
        record = self.folder / "r.yaml"
        record.write_text("releases:\n  - {id: a, weights_licence: mit, components: {weights: yes}}\n")
        tree = self.document("heft.openness/1", "openness", f"{record}#a")
        self.assertEqual(tree["source"], "flags")
        self.fails(NOT_FOUND, "openness", record, saying="#ID")
        self.fails(NOT_FOUND, "openness", self.folder / "none.yml")
        record.write_text("a: [")
        self.fails(6, "openness", record)


    def test_the_licence_is_the_identified_one(self):
        folder = self.model(card="# A model that declares nothing\n")
        def weights():
            tree = self.document("heft.openness/1", "openness", folder)
            return next(row for row in tree["components"] if row["component"] == "model_parameters")
        self.assertEqual((weights()["licence"], weights()["terms"]), ("Apache-2.0", "osi_approved"))
        text = (folder / "LICENSE").read_text()
        (folder / "LICENSE").write_text(text.replace("royalty-free", "royalty-bearing"))
        self.assertEqual(weights()["terms"], "unknown")
        self.assertIn("changed", weights()["licence"])
        (folder / "LICENSE").unlink()
        self.assertEqual(weights()["licence"], None)

    def test_pages_hold_what_files_say_as_text(self):
        hostile = "</title><script>alert(1)</script>\"'&"
        card = "---\nlicense: other\nlicense_name: " + json.dumps(hostile) + "\n---\n# <img src=x>\n"
        folder = self.model(card=card + "## Training data <script>x</script>\n")
        (folder / "LICENSE").unlink()
        (folder / "train<script>.py").write_text("")
        (folder / "NOTICE").write_text(hostile)
        for verb in ("openness", "license"):
            page = self.folder / f"{verb}.html"
            heft(verb, folder, "--html", page)
            text = page.read_text()
            for never in ("<script", "<img", "http://", "https://", "@import", "url("):
                self.assertNotIn(never, text)
            for always in ("<h2>Licence</h2>", "This is not legal advice", "Components",
                           "&lt;script&gt;"):
                self.assertIn(always, text)
        page = self.folder / "named.html"
        heft("license", "llama3.1", "--commercial", "--distribute", "--html", page)
        text = page.read_text()
        for always in ("Llama 3.1", "<h3>Duties</h3>", "Built with Llama", "missing: "):
            self.assertIn(always, text)


class Compare(Folder):
    def test_releases_side_by_side(self):
        folder = self.model(card="---\nlicense: apache-2.0\n---\n")
        tree = self.document("heft.compare/1", "compare", "tiny", folder, "Qwen/Qwen2.5-3B")
        tiny, copy, named = tree["releases"]
        self.assertEqual([row["seen"] for row in tree["releases"]], ["files", "files", "catalogue"])
        self.assertEqual((tiny["openness"]["level"], copy["openness"]["level"]), (3, 1))
        self.assertEqual(named["licence"]["ids"], ["qwen-research-2024"])
        self.assertEqual(named["licence"]["commercial_use"]["verdict"], "forbidden")
        self.assertEqual(named["openness"], None)
        sizes = [row["bytes"] for row in copy["memory"]]
        self.assertEqual(sizes, sorted(sizes, reverse=True))
        for row in copy["memory"]:
            self.assertEqual(row["bytes"], row["weight_bytes"] + row["cache_bytes"])
        self.assertEqual(copy["memory"][0]["weight_bytes"], copy["parameters"] * 2)

    def test_the_table_fits(self):
        names = ["tiny", self.model(), "llama3.1", "Qwen/Qwen2.5-3B", "mit"]
        text = self.text("compare", *names)
        self.assertLessEqual(max(len(line) for line in text.splitlines()
                                 if str(self.folder)[:12] not in line), 80)
        self.assertEqual(text.count("commercial use"), 2)  # blocks
        self.assertIn("estimate", text)
        self.fails(NOT_FOUND, "compare", "tiny", "no/such-thing", saying="no/such-thing")
        self.fails(USAGE, "compare")


class Interrupted(Folder):
    def test_ctrl_c_while_hashing_leaves_nothing_broken(self):
        folder = self.model()
        with open(folder / "other.dat", "wb") as file:
            file.truncate(64 << 30)  # sparse: hours of hashing
        (folder / "SHA256SUMS").write_text("0" * 64 + "  other.dat\n")
        out = self.folder / "bom.json"
        out.write_text("before")
        for args in (("bom", folder, "--format", "spdx3", "-o", out), ("verify", folder)):
            with subprocess.Popen([HEFT, *map(str, args)], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE) as running:
                while not self.reads(running.pid, "other.dat"):
                    self.assertIsNone(running.poll(), args)
                    time.sleep(0.01)
                running.send_signal(signal.SIGINT)
                stdout, stderr = running.communicate(timeout=60)
            self.assertEqual(running.returncode, INTERRUPTED, stderr)
            self.assertEqual(stdout, b"")
        self.assertEqual(out.read_text(), "before")
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"model", "bom.json"})

    @staticmethod
    def reads(pid, name):
        """Whether the process has the file open or mapped."""
        try:
            if name in pathlib.Path(f"/proc/{pid}/maps").read_text():
                return True
            links = pathlib.Path(f"/proc/{pid}/fd").iterdir()
            return any(name in os.readlink(link) for link in links)
        except OSError:
            return False


class Bom(Folder):
    def test_files_by_hash_in_both_formats(self):
        folder = self.model(card="---\nlicense: apache-2.0\nbase_model: org/parent\n---\n")
        hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}
        spdx = json.loads(self.text("bom", folder, "--format", "spdx3"))
        found = {item["name"]: item["verifiedUsing"][0]["hashValue"] for item in spdx["@graph"]
                 if item["type"] == "software_File"}
        self.assertEqual(found, hashes)
        self.assertIn("org/parent", [item.get("name") for item in spdx["@graph"]])
        cdx = json.loads(self.text("bom", folder, "--format", "cyclonedx"))
        found = {item["name"]: item["hashes"][0]["content"] for item in cdx["components"]}
        self.assertEqual(found, hashes)
        licence = cdx["metadata"]["component"]["licenses"][0]["license"]
        self.assertEqual(licence["id"], "Apache-2.0")

    def test_the_same_bytes_for_the_same_files(self):
        at = {"SOURCE_DATE_EPOCH": "0"}
        for kind in ("spdx3", "cyclonedx"):
            first = self.text("bom", "tiny", "--format", kind, env=at)
            self.assertEqual(first, self.text("bom", "tiny", "--format", kind, env=at))
            self.assertIn("1970-01-01T00:00:00Z", first)
            out = self.folder / kind
            self.ok("bom", "tiny", "--format", kind, "-o", out, env=at)
            self.assertEqual(json.loads(out.read_text()), json.loads(first))
        self.fails(USAGE, "bom", "tiny", "--format", "spdx2", saying="spdx3")


class Verify(Folder):
    def verdict(self, folder, *args):
        done = heft("verify", folder, "--json", *args)
        tree = json.loads(done.stdout)
        self.assertEqual(tree["schema"], "heft.verify/1")
        self.assertEqual(done.returncode, 0 if tree["verdict"] == "sound" else NO)
        return tree, {(f["severity"], f["check"]) for f in tree["findings"]}

    def test_sound_models(self):
        for model in ("tiny", self.model()):
            tree, found = self.verdict(model)
            self.assertEqual(tree["verdict"], "sound", tree)
            self.assertGreater(tree["numbers_checked"], 4_000_000)
        self.assertIn("sound", self.text("verify", "tiny"))

    def test_a_changed_byte_is_found_by_hash(self):
        folder = self.model()
        weights = folder / "model.safetensors"
        data = bytearray(weights.read_bytes())
        (folder / "SHA256SUMS").write_text(hashlib.sha256(data).hexdigest() + "  model.safetensors\n")
        tree, _ = self.verdict(folder)
        self.assertEqual((tree["verdict"], tree["hashes_compared"]), ("sound", 1))
        data[-1] ^= 1
        weights.write_bytes(data)
        _, found = self.verdict(folder)
        self.assertIn(("problem", "hash"), found)
        _, found = self.verdict(folder, "--quick")
        self.assertNotIn(("problem", "hash"), found)

    def test_nan_shape_pickle_and_template(self):
        folder = self.model()
        weights = folder / "model.safetensors"
        data = bytearray(weights.read_bytes())
        data[-2:] = b"\xc0\x7f"  # a NaN in bfloat16
        weights.write_bytes(data)
        config = json.loads((folder / "config.json").read_text())
        config["intermediate_size"] += 1
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "extra.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
        (folder / "chat_template.jinja").write_text("{% for")
        _, found = self.verdict(folder)
        for check in ("numbers", "shape", "code", "template"):
            self.assertIn(("problem", check), found)

    def test_wrong_use(self):
        self.fails(NOT_FOUND, "verify", self.folder / "none")


if __name__ == "__main__":
    unittest.main()
