#!/usr/bin/env python3
"""Only the kernels' own translation units may hold instructions that not every machine of the kind
has. Disassembles the objects of a build, inline functions that the linker merges included, and names
those that go beyond x86-64 as it was first made: SSE3 and later, AVX with its registers and its
encoding, AMX. That the kernels are found to go beyond it shows that the search works.

usage: check_baseline.py OBJDUMP ARCHIVE_OR_OBJECT...
"""
import re
import subprocess
import sys

# Translation units with flags of their own: src/kernel/CMakeLists.txt.
KERNELS = re.compile(r"^(probe_)?(avx2|avx512|avx512_bf16|amx)\.cc\.o$")
BEYOND = re.compile(
    r"%[yz]mm\d|%k[1-7]\b|%tmm\d"
    r"|^v(?!err|erw|mcall|mlaunch|mresume|mxo)[a-z]"  # the VEX and EVEX encodings
    r"|^(andn|bextr|blsi|blsmsk|blsr|bzhi|mulx|pdep|pext|rorx|sarx|shlx|shrx|popcnt|crc32[bwlq]?"
    r"|movddup|movs[lh]dup|h(add|sub)p[sd]|lddqu|p?blendv?\w*|pabs[bwd]|palignr|ph(add|sub)\w+"
    r"|pmaddubsw|pmulhrsw|pshufb|psign[bwd]|pmov[sz]x\w+|p(insr|extr)[bdq]|pmulld|pmuldq"
    r"|p(min|max)(s[bd]|u[wd])|ptest|round[sp][sd]|dpp[sd]|pcmpeqq|pcmpgtq|packusdw|insertps"
    r"|extractps|mpsadbw|pcmp[ei]str[im])\b")
LINE = re.compile(r"^\s+[0-9a-f]+:\t(.*)")
HEADER = re.compile(r"^(.*):\s+file format ")
FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")


def findings(objdump: str, path: str):
    """(object, function, instruction), one for each function that goes beyond the baseline."""
    text = subprocess.Popen([objdump, "-d", "-C", "--no-show-raw-insn", path],
                            stdout=subprocess.PIPE, text=True, errors="replace")
    member = function = ""
    told = False
    for line in text.stdout:
        if match := LINE.match(line):
            if not told and BEYOND.search(match[1]):
                told = True
                yield member, function, match[1]
        elif match := HEADER.match(line):
            member = match[1].rsplit("/", 1)[-1]
        elif match := FUNCTION.match(line):
            function, told = match[1], False
    if text.wait() != 0:
        sys.exit(f"{objdump} failed on {path}")


def main() -> int:
    objdump, *paths = sys.argv[1:]
    if not paths:
        sys.exit(__doc__)
    found = [finding for path in paths for finding in findings(objdump, path)]
    bad = [": ".join(finding) for finding in found if not KERNELS.match(finding[0])]
    if not bad and not found:
        bad = ["nothing goes beyond the baseline, not even the kernels"]
    print("\n".join(bad) if bad else f"{len(paths)} files keep to the baseline, kernels aside")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
