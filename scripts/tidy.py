#!/usr/bin/env python3
"""Runs clang-tidy over the library's and the program's sources, and remembers what passed.

    tidy.py ROOT BUILD CACHE JOBS

A file is checked again only when it, one of our headers that it includes, the configuration or the
tool has changed. Most of clang-tidy's time goes into the standard library's headers, so files that
are compiled alike and define no name twice are checked many at a time, as one translation unit;
where that finds anything, or they do not fit together after all, each half is checked by itself.
Tests and benchmarks are compiled with all warnings but not checked here: they would take most of the
time, and they ship to nobody.
"""
import collections
import concurrent.futures
import hashlib
import json
import pathlib
import re
import shlex
import subprocess
import sys

import batches

BATCH = 48
GENERATES = re.compile(r"-O\d$|-g\d?$|-fPI[CE]$|-f(no-)?trapping-math$")


def key_of(flags, file, source_root, common):
    files = set()
    batches.closure(file, source_root, files)
    digest = hashlib.sha256(common + repr(flags).encode())
    for one in sorted(files):
        digest.update(one.as_posix().encode() + b"\0" + one.read_bytes())
    return digest.hexdigest()


def flags_of(entry):
    """What the compiler is told, without its name, the file, the output and what changes no word of
    a report, so that more files are compiled alike."""
    words = shlex.split(entry["command"])
    first = next(n for n, w in enumerate(words) if "++" in pathlib.PurePath(w).name)
    flags, skip = [], False
    for word in words[first + 1:]:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT", "-MQ"):
            skip = True
        elif word not in ("-c", "-MD", "-MMD", entry["file"]) and not GENERATES.match(word):
            flags.append(word)
    return tuple(flags)


class Tidy:
    def __init__(self, root, build, cache):
        self.root, self.build, self.cache = root, build, cache

    def run(self, file, flags):
        """The report, or None if there is nothing to say."""
        done = subprocess.run(
            ["clang-tidy", "--quiet", f"--config-file={self.root}/.clang-tidy", str(file), "--",
             *flags], capture_output=True, text=True, cwd=self.build)
        return None if done.returncode == 0 else done.stdout + done.stderr

    def check(self, batch):
        """Reports on the files of a batch: [(file, key, flags)], all with the same flags."""
        name, flags = batch[0][0], batch[0][2]
        if len(batch) > 1:
            name = self.cache / f"unit_{batch[0][1][:16]}.cc"
            name.write_text("".join(
                f'#include "{file}"  // NOLINT(bugprone-suspicious-include)\n'
                for file, _, _ in batch))
        report = self.run(name, flags)
        if len(batch) > 1:
            name.unlink()
        if report is None:
            for _, key, _ in batch:
                (self.cache / key).touch()
            return []
        if len(batch) == 1:
            return [(name, report)]
        half = len(batch) // 2
        return self.check(batch[:half]) + self.check(batch[half:])


def batches_of(todo, source_root):
    """Of (file, key, flags): those with the same flags that can be compiled together; the largest
    first, so that no worker is left alone with one at the end."""
    alike = collections.defaultdict(dict)
    for item in todo:
        alike[item[2]][item[0]] = item
    found = [[items[file] for file in files] for items in alike.values()
             for files in batches.batches_of(list(items), BATCH, source_root)]
    return sorted(found, key=lambda batch: -sum(item[0].stat().st_size for item in batch))


def main():
    root, build, cache = (pathlib.Path(a).resolve() for a in sys.argv[1:4])
    cache.mkdir(parents=True, exist_ok=True)
    common = (root / ".clang-tidy").read_bytes() + subprocess.run(
        ["clang-tidy", "--version"], capture_output=True, check=True).stdout

    todo, passed = [], 0
    for entry in json.loads((build / "compile_commands.json").read_text()):
        file = pathlib.Path(entry["file"])
        if root / "src" not in file.parents or file.suffix != ".cc" \
                or re.search(r"_(test|bench)\.cc$", file.name):
            continue
        flags = flags_of(entry)
        key = key_of(flags, file, root / "src", common)
        if (cache / key).exists():
            passed += 1
        else:
            todo.append((file, key, flags))

    failed = 0
    tidy = Tidy(root, build, cache)
    with concurrent.futures.ThreadPoolExecutor(int(sys.argv[4])) as pool:
        for reports in pool.map(tidy.check, batches_of(todo, root / "src")):
            for file, report in reports:
                failed += 1
                print(f"{file.relative_to(root)}:\n{report}", flush=True)
    print(f"clang-tidy: {len(todo)} files checked, {passed} unchanged, {failed} with findings")
    return failed > 0


sys.exit(main())
