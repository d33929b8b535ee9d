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

BATCH = 16
# What a line that begins at its margin defines; namespaces do not indent here.
DEFINES = re.compile(r"^(?!(?:template|namespace|using|extern)\b)[A-Za-z_][^=({\[;]*?(\w+)\s*[=({\[;]", re.M)
NAMESPACE = re.compile(r"^namespace (\S+) {", re.M)
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def closure(file, source_root, seen):
    """The file and every header of ours that it includes, directly or not."""
    if file in seen or not file.is_file():
        return
    seen.add(file)
    for name in INCLUDE.findall(file.read_text()):
        closure(source_root / name, source_root, seen)
        closure(file.parent / name, source_root, seen)


def key_of(flags, file, source_root, common):
    files = set()
    closure(file, source_root, files)
    digest = hashlib.sha256(common + repr(flags).encode())
    for one in sorted(files):
        digest.update(one.as_posix().encode() + b"\0" + one.read_bytes())
    return digest.hexdigest()


def flags_of(entry):
    """What the compiler is told, without its name, the file, the output and precompiled headers
    (-Xclang): a file includes what it uses."""
    words = shlex.split(entry["command"])
    first = next(n for n, w in enumerate(words) if "++" in pathlib.PurePath(w).name)
    flags, skip = [], False
    for word in words[first + 1:]:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT", "-MQ", "-Xclang"):
            skip = True
        elif word not in ("-c", "-MD", "-MMD", entry["file"]):
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


def names_of(file):
    text = file.read_text()
    where = tuple(NAMESPACE.findall(text))
    return {(where, name) for name in DEFINES.findall(text)}


def batches_of(todo):
    """Files with the same flags, BATCH at a time at most, that share no name in a namespace."""
    names = {item[0]: names_of(item[0]) for item in todo}
    uses = collections.Counter(name for one in names.values() for name in one)
    batches = []
    # Those with the most shared names first: each needs a batch of its own, which the others fill.
    for item in sorted(todo, key=lambda item: -max(uses[n] for n in names[item[0]] or {None})):
        for flags, batch, taken in batches:
            if flags == item[2] and len(batch) < BATCH and not taken & names[item[0]]:
                batch.append(item)
                taken |= names[item[0]]
                break
        else:
            batches.append((item[2], [item], set(names[item[0]])))
    return [batch for _, batch, _ in batches]


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
        for reports in pool.map(tidy.check, batches_of(todo)):
            for file, report in reports:
                failed += 1
                print(f"{file.relative_to(root)}:\n{report}", flush=True)
    print(f"clang-tidy: {len(todo)} files checked, {passed} unchanged, {failed} with findings")
    return failed > 0


sys.exit(main())
