#!/usr/bin/env python3
"""Fails when the tree breaks a rule of its own house (docs/architecture.md).

    check_layers.py ROOT

- a source file includes only modules that its module may see (scripts/modules.txt);
- no family's name is compared with outside src/arch/families: behaviour follows from the row;
- no instruction set's #if outside src/kernel (src/base may ask for a pause instruction);
- no `using namespace` but for the standard library's literals; headers begin with #pragma once; includes start at src/;
- a file has at most 400 lines (reported), and never more than 500, tests and tables aside.
"""
import pathlib
import re
import sys

REPORT_LINES, MOST_LINES = 400, 500
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
ISA = re.compile(r"^\s*#\s*(?:if|ifdef|ifndef|elif)\b.*"
                 r"(__AVX|__SSE|__FMA__|__F16C__|__x86_64__|__aarch64__|__ARM|__riscv|__CUDA)")
TEST_HELPER = re.compile(r"(\.\./)+tests/\w+\.h$")
USING = re.compile(r"^\s*using\s+namespace\b(?!\s+std::\w*literals;)")
FAMILY_FIELD = re.compile(r"family(?:\(\))?(?:->|\.)(?:name|gguf)\s*[=!]=|"
                          r"[=!]=\s*\w*(?:\.|->)?family(?:\(\))?(?:->|\.)(?:name|gguf)\b")


def read_modules(root):
    allowed = {}
    for line in (root / "scripts" / "modules.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, uses = line.split(":")
            allowed[name] = set(uses.split()) | {name}
    return allowed


def family_names(root):
    """Every name that the rows in arch/families give a family."""
    names = set()
    for file in (root / "src/arch/families").glob("*.cc"):
        names |= set(re.findall(r'\.(?:name|gguf) = "(\w+)"', file.read_text()))
    return names


def compares_family(names):
    if not names:
        return None
    any_name = '"(?:' + "|".join(sorted(names)) + ')"'
    return re.compile(rf"[=!]=\s*{any_name}|{any_name}\s*[=!]=")


def uncommented(line):
    return re.sub(r"//.*", "", line)


def may_include(module, target, may):
    """`heft/` is include/heft, the installed interface: base defines Result through it."""
    return target in may or "*" in may or (target == "heft" and module in ("base", "api"))


def check_line(module, path, line, rules):
    """Sentences about what is wrong with one line."""
    is_test = path.name.endswith("_test.cc") or path.name.startswith("test_")
    include = INCLUDE.match(line)
    # Tests share helpers in tests/; a *_main.cc is a program of its own, above its folder's module.
    if include and not (is_test and TEST_HELPER.match(include[1])):
        target = include[1]
        may = rules["allowed"].get("app" if path.name.endswith("_main.cc") else module)
        if ".." in target.split("/") or "/" not in target:
            yield f'"{target}" does not start at src/'
        elif may is None:
            yield f"module {module} is not in scripts/modules.txt"
        elif not may_include(module, target.split("/")[0], may):
            yield f"{module} may not include {target}"
    code = uncommented(line)
    if USING.match(code):
        yield "using namespace"
    if module not in ("kernel", "base") and ISA.match(code):
        yield "an instruction set's #if belongs in src/kernel"
    in_families = path.parent.name == "families"
    if not is_test and not in_families and FAMILY_FIELD.search(code):
        yield "branches on a family's name; make it a column of the row"
    # A tokenizer's kind may share its name with a family ("llama" in GGUF), so text/ is let off.
    if not is_test and not in_families and module != "text" and rules["family"] \
            and rules["family"].search(code):
        yield "compares with a family's name; make it a column of the row"


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    rules = {"allowed": read_modules(root), "family": compares_family(family_names(root))}
    problems = []
    for path in sorted(p for p in (root / "src").rglob("*") if p.suffix in (".h", ".cc", ".cu")):
        shown = path.relative_to(root)
        module = path.relative_to(root / "src").parts[0]
        lines = path.read_text().splitlines()
        for n, line in enumerate(lines, 1):
            problems += [f"{shown}:{n}: {what}" for what in check_line(module, path, line, rules)]
        if path.suffix == ".h" and not path.name.endswith(".inl.h") \
                and not any(line.strip() == "#pragma once" for line in lines):
            problems.append(f"{shown}: no #pragma once")
        exempt = path.name.endswith("_test.cc") or re.search(r"tables?\.(cc|h)$", path.name)
        if not exempt and len(lines) > MOST_LINES:
            problems.append(f"{shown}: {len(lines)} lines, more than {MOST_LINES}; split by idea")
        elif not exempt and len(lines) > REPORT_LINES:
            print(f"note: {shown}: {len(lines)} lines, more than {REPORT_LINES}")
    for problem in problems:
        print(problem)
    return len(problems) > 0


sys.exit(main())
