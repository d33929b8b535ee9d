"""What the measuring scripts share: running heft bench and llama.cpp, and medians."""
import json
import os
import pathlib
import subprocess
import sys
from statistics import median  # noqa: F401, for those who import this

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEER = ROOT / "bench" / "peer"
THREADS = 2


def say(text):
    print(text, file=sys.stderr, flush=True)


def spec(kind, tokens, depth=0, batch=1):
    return {"kind": kind, "tokens": tokens, "depth": depth, "batch": batch}


def name(test):
    return (f"{test['kind']}{test['tokens']}" + (f" @{test['depth']}" if test["depth"] else "")
            + (f" x{test['batch']}" if test["batch"] > 1 else ""))


def heft_bench(heft, model, *args, env=None, threads=THREADS):
    """One heft.bench/2 document."""
    done = subprocess.run([heft, "bench", model, "-t", str(threads), "--json", *map(str, args)],
                          capture_output=True, text=True, env={**os.environ, **(env or {})})
    if done.returncode != 0:
        raise RuntimeError(f"heft bench: {done.stderr.strip()}")
    return json.loads(done.stdout)


def run_heft(heft, model, tests, env=None, threads=THREADS):
    """The tests, which are all combinations of their lengths, depths and batches."""
    def listed(values):
        return ",".join(map(str, sorted(set(values)))) or "0"
    document = heft_bench(
        heft, model, "-p", listed(t["tokens"] for t in tests if t["kind"] == "pp"),
        "-n", listed(t["tokens"] for t in tests if t["kind"] == "tg"),
        "-d", listed(t["depth"] for t in tests), "-b", listed(t["batch"] for t in tests),
        "-r", 1, env=env, threads=threads)
    found = {(r["test"], r["depth"], r["batch"]): r for r in document["results"]}
    document["results"] = [
        {**test, **found[f"{test['kind']}{test['tokens']}", test["depth"], test["batch"]]}
        for test in tests]
    document["peak_memory_bytes"] = document["memory"]["peak_bytes"]
    return document


def install_peer():
    """llama.cpp from the npm registry, into bench/peer/node_modules, once."""
    if (PEER / "node_modules" / "node-llama-cpp").exists():
        return
    say("installing node-llama-cpp with npm ...")
    subprocess.run(["npm", "install", "--omit=optional", "--ignore-scripts", "--no-audit",
                    "--no-fund", "--no-package-lock"], cwd=PEER, check=True, stdout=sys.stderr)


def run_peer(model, tests, threads=THREADS):
    order = json.dumps({"model": os.path.abspath(model), "threads": threads, "tests": tests})
    done = subprocess.run(["node", PEER / "llama.mjs", order], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"llama.cpp: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])
