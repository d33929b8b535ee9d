#!/usr/bin/env python3
"""Prints how long our files and functions are: the tail (p90) is what makes a tree hard to read.

    report_sizes.py ROOT
"""
import pathlib
import re
import sys



def functions(text):
    """(name, lines) of functions that begin in the first column, as all of ours do."""
    start, head = None, ""
    for n, line in enumerate(text.splitlines(), 1):
        if start is None and line and line[0].isalpha() and "(" in line:
            start, head = n, line
        elif start is not None and line == "}":
            yield re.sub(r"\(.*", "", head).split(" ")[-1], n - start + 1
            start = None
        elif start is not None and (line.endswith(";") and not line.startswith(" ")):
            start = None
        if start is not None and start == n and (line.endswith(";") or line.endswith("}")):
            start = None


def line(what, values):
    lengths = sorted(v for _, v in values)
    if not lengths:
        return f"{what}: none"
    at = lambda q: lengths[min(len(lengths) - 1, int(q * len(lengths)))]
    top = ", ".join(f"{name} {v}" for name, v in sorted(values, key=lambda x: -x[1])[:4])
    return f"{what}: {len(lengths)}, median {at(.5)}, p90 {at(.9)}, longest: {top}"


def main():
    root = pathlib.Path(sys.argv[1])
    files, bodies = [], []
    for folder in ("src", "include", "tests", "fuzz"):
        for file in sorted((root / folder).rglob("*")):
            if file.suffix in (".h", ".cc"):
                text = file.read_text()
                files.append((file.name, text.count("\n")))
                bodies += [(f"{name} ({file.name})", n) for name, n in functions(text)]
    print(line("files, lines", files))
    print(line("functions, lines", bodies))


main()
