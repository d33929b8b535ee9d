"""What a licence says to a use."""
import json
import pathlib
import shutil
import tempfile
import unittest

from support import USAGE, NOT_FOUND, TINY, heft, Case

NO, CANNOT_TELL = 1, 2


class License(Case):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def answer(self, code, *args):
        done = heft("license", *args, "--json")
        self.assertEqual(done.returncode, code, done.stderr.decode())
        tree = json.loads(done.stdout)
        self.assertEqual(tree["schema"], "heft.license/1")
        return tree

    def test_exit_code_is_the_answer(self):
        self.assertEqual(self.answer(0, "apache-2.0", "--commercial")["verdict"], "allowed")
        self.assertEqual(self.answer(NO, "cc-by-nc-4.0", "--commercial")["verdict"], "forbidden")
        tree = self.answer(CANNOT_TELL, "llama3.1", "--commercial")
        self.assertEqual(tree["verdict"], "unknown_need_input")
        self.assertEqual(tree["acts"][0]["missing"], ["mau_at.2024-06"])
        self.assertEqual(self.answer(CANNOT_TELL, "nobody/knows-this")["verdict"],
                         "unknown_need_input")

    def test_flags_and_file_say_the_same(self):
        for name, text in (("use.json", '{"commercial": true, "mau_at": {"2024-06": 8e8}}'),
                           ("use.yaml", "commercial: true\nmau_at:\n  2024-06: 800000000\n")):
            (self.folder / name).write_text(text)
            by_file = self.answer(NO, "llama3.1", "--use", self.folder / name)
            by_flag = self.answer(NO, "llama3.1", "--commercial", "--users-at", "2024-06=8e8")
            self.assertEqual(by_file, by_flag)
            self.assertEqual(by_file["acts"][0]["clause"], "2")

    def test_the_built_in_model_may_be_used_and_passed_on(self):
        tree = self.answer(0, "tiny", "--commercial", "--distribute", "--modify", "--host-api")
        self.assertEqual(tree["licence"], ["apache-2.0"])
        self.assertEqual(tree["found_by"], "text")
        self.assertEqual(tree["verdict"], "allowed_with_duty")
        self.assertEqual(self.answer(0, TINY)["licence"], ["apache-2.0"])

    def test_terms_of_the_base_are_joined(self):
        base, child = self.folder / "base", self.folder / "child"
        base.mkdir(), child.mkdir()
        (base / "README.md").write_text("---\nlicense: llama3\n---\n")
        (child / "README.md").write_text("---\nlicense: apache-2.0\nbase_model: base\n---\n")
        tree = self.answer(NO, child, "--modify", "--distribute", "--name", "Nova")
        self.assertEqual(tree["verdict"], "forbidden_unless_renamed")
        self.assertEqual([row["of"] for row in tree["terms"]], ["child", "base"])
        (base / "README.md").write_text("---\nlicense: mit\nbase_model: [child, far/away]\n---\n")
        tree = self.answer(CANNOT_TELL, child, "--modify", "--distribute")
        self.assertEqual(tree["unseen"], ["far/away"])
        self.assertEqual({tuple(act["missing"]) for act in tree["acts"]}, {("base_model.far/away",)})
        self.assertIn("far/away", tree["acts"][0]["ask"][0])

    def test_duties_are_a_folder_to_ship(self):
        model = self.folder / "model"
        model.mkdir()
        (model / "README.md").write_text("---\nlicense: llama3.1\n---\n")
        out = self.folder / "ship"
        done = heft("license", model, "--modify", "--distribute", "--name", "Llama-Nova",
                    "--duties", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Llama 3.1 is licensed under", (out / "NOTICE").read_text())
        self.assertIn("Built with Llama", (out / "DISPLAY.txt").read_text())
        self.assertIn("[ ] get the text of", (out / "CHECKLIST.md").read_text())
        self.fails(USAGE, "license", model, "--duties", out, saying="empty")
        out = self.folder / "tiny"
        self.assertEqual(heft("license", "tiny", "--distribute", "--duties", out).returncode, 0)
        self.assertEqual((out / "LICENSE").read_bytes(), (TINY / "LICENSE").read_bytes())

    def test_a_licence_is_added_by_a_file(self):
        (self.folder / "mine.yaml").write_text(
            "schema: heft.licence/1\nid: mine-1\nname: Mine\nsources: [me]\n"
            "verification: by_user\npermissions: {use: yes, commercial_use: no}\n")
        tree = self.answer(NO, "mine-1", "--commercial", "--licences", self.folder)
        self.assertEqual(tree["acts"][1]["verified"], "by_user")
        (self.folder / "mine.yaml").write_text("id: mine-1\n")
        self.fails(6, "license", "mine-1", "--licences", self.folder, saying="mine.yaml")

    def test_a_report_fits_and_says_once_that_it_is_no_advice(self):
        for args in (["tiny"], ["llama3.2", "--commercial", "--country", "DE"],
                     ["Qwen/Qwen2.5-3B", "--distribute"]):
            done = heft("license", *args)
            text = done.stdout.decode()
            self.assertEqual(text.count("not legal advice"), 1)
            wide = [line for line in text.splitlines() if len(line) > 80 and " " in line[14:]]
            self.assertEqual([line for line in wide if len(line.split()[-1]) < 60], [])

    def test_wrong_use_is_told(self):
        self.fails(USAGE, "license")
        self.fails(USAGE, "license", "mit", "--users-at", "5", saying="2024-06=5000000")
        self.fails(USAGE, "license", "mit", "--users-at", "2024-13=5", saying="month")
        self.fails(USAGE, "license", "mit", "--fact", "commercial=maybe", saying="commercial")
        self.fails(USAGE, "license", "mit", "--commercial", "--private")
        self.fails(NOT_FOUND, "license", "./no-such-folder")
        (self.folder / "bad.yaml").write_text("a: [")
        self.fails(6, "license", "mit", "--use", self.folder / "bad.yaml", saying="bad.yaml")


if __name__ == "__main__":
    unittest.main()
