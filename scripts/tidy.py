#!/usr/bin/env python3
"""Runs clang-tidy over the library's and the program's sources, and remembers what passed.

    tidy.py ROOT BUILD CACHE JOBS

A file is checked again only when it, one of our headers that it includes, the configuration or the
tool has changed. Tests and benchmarks are compiled with all warnings but are not run through
clang-tidy: they cost most of the time and ship to nobody.
"""
import concurrent.futures
import hashlib
import json
import pathlib
import re
import subprocess
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def closure(file, source_root, seen):
    """The file and every header of ours that it includes, directly or not."""
    if file in seen or not file.is_file():
        return
    seen.add(file)
    for name in INCLUDE.findall(file.read_text()):
        closure(source_root / name, source_root, seen)
        closure(file.parent / name, source_root, seen)


def key_of(entry, file, source_root, common):
    files = set()
    closure(file, source_root, files)
    digest = hashlib.sha256(common)
    digest.update(entry.get("command", "").encode())
    for one in sorted(files):
        digest.update(one.as_posix().encode() + b"\0" + one.read_bytes())
    return digest.hexdigest()


def check(build, cache, file, key):
    done = subprocess.run(["clang-tidy", "-p", str(build), "--quiet", str(file)],
                          capture_output=True, text=True)
    if done.returncode == 0:
        (cache / key).touch()
        return None
    return done.stdout + done.stderr


def main():
    root, build, cache = (pathlib.Path(a).resolve() for a in sys.argv[1:4])
    jobs = int(sys.argv[4])
    cache.mkdir(parents=True, exist_ok=True)
    common = (root / ".clang-tidy").read_bytes() + subprocess.run(
        ["clang-tidy", "--version"], capture_output=True, check=True).stdout

    todo, passed = [], 0
    for entry in json.loads((build / "compile_commands.json").read_text()):
        file = pathlib.Path(entry["file"])
        if root / "src" not in file.parents or re.search(r"_(test|bench)\.cc$", file.name):
            continue
        key = key_of(entry, file, root / "src", common)
        if (cache / key).exists():
            passed += 1
        else:
            todo.append((file, key))

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for (file, _), report in zip(todo, pool.map(lambda t: check(build, cache, *t), todo)):
            if report is not None:
                failed += 1
                print(f"{file.relative_to(root)}:\n{report}", flush=True)
    print(f"clang-tidy: {len(todo)} files checked, {passed} unchanged, {failed} with findings")
    return failed > 0


sys.exit(main())
