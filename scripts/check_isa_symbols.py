#!/usr/bin/env python3
"""Object files built for one instruction set may export their table, or the functions of a probe, and
nothing else: a weak symbol there (an inline function) could be merged into code that runs on any machine.

usage: check_isa_symbols.py NM ARCHIVE
"""
import re
import subprocess
import sys

TABLES = {"avx2": "isa", "avx512": "isa", "avx512_bf16": "tiles", "amx": "tiles"}
PROBES = tuple(f"probe_{isa}" for isa in TABLES)


def members(nm: str, archive: str):
    """(object file, symbol type, demangled name) of every defined symbol."""
    text = subprocess.run([nm, "-C", "--defined-only", archive], check=True, capture_output=True,
                          text=True).stdout
    member = ""
    for line in text.splitlines():
        if line.endswith(":"):
            member = line[:-1]
        elif match := re.match(r"[0-9a-f]+ (\S) (.+)", line):
            yield member, match[1], match[2]


def may_export(member: str, kind: str, name: str) -> bool:
    if member in PROBES:
        return kind == "T" and name.startswith(f"heft::kernel::{member}::")
    return name == f"heft::kernel::{member}_isa::{TABLES[member]}()"


def main() -> int:
    nm, archive = sys.argv[1:]
    objects = (*TABLES, *PROBES)
    seen = set()
    bad = []
    for member, kind, name in members(nm, archive):
        isa = member.split(".")[0]
        if isa not in objects:
            continue
        seen.add(isa)
        is_local = kind.islower() and kind not in "vwu"
        if not is_local and not may_export(isa, kind, name):
            bad.append(f"{member} exports {name} ({kind})")
    bad += [f"{archive} holds no object {isa}" for isa in objects if isa not in seen]
    print("\n".join(bad) if bad else "only the tables are exported")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
