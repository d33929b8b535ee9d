#!/usr/bin/env python3
"""Which files can be compiled together, as one translation unit: those that define no name twice,
nor one that a header of another has.

    batches.py SIZE SOURCE_ROOT FILE…

prints the files of a batch on one line, separated by semicolons, SIZE at most.
"""
import collections
import functools
import pathlib
import re
import sys

# What a line that begins at its margin defines; namespaces do not indent here.
DEFINES = re.compile(r"^(?:(?:struct|class|union|enum|enum class) (\w+)"
                     r"|using (\w+) = (?!nlohmann::|boost::)"  # these, all call the same
                     r"|(?!(?:template|namespace|using|extern|struct|class|union|enum)\b)"
                     r"[A-Za-z_][^=({\[;]*?(?<!::)\b(\w+)\s*[=({\[;])", re.M)
# What it takes from another namespace, and constants inside functions: none of them may shadow another.
BORROWS = re.compile(r"^using (?:\w+::)+(\w+);|^ +(?:static )?const(?:expr)? [^=({;]*?\b(k[A-Z]\w*)\b", re.M)
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


@functools.cache
def names_of(file):
    """What it defines, and what it needs to mean something else."""
    text = file.read_text()
    namespaces = set(NAMESPACE.findall(text))
    return tuple({(where, next(filter(None, found))) for where in namespaces
                  for found in pattern.findall(text)} for pattern in (DEFINES, BORROWS))


class Batch:
    def __init__(self):
        self.files, self.defined, self.included = [], set(), set()

    def fits(self, defined, included):
        return not (self.defined & defined or self.defined & included or self.included & defined)

    def add(self, file, defined, included):
        self.files.append(file)
        self.defined |= defined
        self.included |= included


def batches_of(files, size, source_root):
    included, defined = {}, {}
    for file in files:
        headers = set()
        closure(file, source_root, headers)
        defined[file], included[file] = names_of(file)
        included[file] = included[file].union(
            *(names for header in headers - {file} for names in names_of(header)))
        defined[file] = defined[file] - included[file]
    uses = collections.Counter(name for one in defined.values() for name in one)
    batches = []
    # Those with the most shared names first: each needs a batch of its own, which the others fill.
    for file in sorted(files, key=lambda file: -max(uses[n] for n in defined[file] or {None})):
        for batch in batches:
            if len(batch.files) < size and batch.fits(defined[file], included[file]):
                break
        else:
            batch = Batch()
            batches.append(batch)
        batch.add(file, defined[file], included[file])
    return [batch.files for batch in batches]


if __name__ == "__main__":
    paths = [pathlib.Path(argument) for argument in sys.argv[2:]]
    for batch in batches_of(paths[1:], int(sys.argv[1]), paths[0]):
        print(";".join(map(str, batch)))
