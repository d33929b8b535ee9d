"""Ten seconds of bench/serve_load.py: many clients at once, good and bad."""
import json
import subprocess
import sys
import unittest

from support import HEFT, ROOT, SECONDS, Case


class Load(Case):
    def test_the_server_keeps_its_word_to_many_clients(self):
        done = subprocess.run([sys.executable, ROOT / "bench" / "serve_load.py", HEFT, "--seconds",
                               "10", "--clients", "24", "--json"], capture_output=True,
                              timeout=SECONDS)
        self.assertTrue(done.stdout, done.stderr.decode())
        tree = json.loads(done.stdout)
        self.assertEqual(tree["failures"], [])
        self.assertEqual(done.returncode, 0)
        self.assertGreater(tree["answers_checked"], 18)  # beyond those that each case got alone
        self.assertGreater(tree["acts"].get("leave", 0), 0)


if __name__ == "__main__":
    unittest.main()
