#!/usr/bin/env python3
"""Writes docs/models.md from what the program supports and what tests it, or checks that it is so.

    models_doc.py HEFT ROOT [--check]
"""
import json
import pathlib
import re
import subprocess
import sys

HEAD = """# Models and formats

Made by `scripts/models_doc.py` from `heft supported --json` and the tests; a test keeps it true.

## Families

`model_type` is that of `config.json`, GGUF its `general.architecture`. **Tested by** names reference
checkpoints of [tests/golden](../tests/golden/README.md), whose logits another implementation computed in
float64, from Hugging Face files and after conversion to GGUF; "=" before a name: a reference checkpoint
that was rewritten as this family must give the same logits. Rows with "-" have been compared with the
makers' definitions by reading only. MoE: mixture of experts. Windows and context extensions are used
where a checkpoint's configuration asks for them.
"""
FORMATS = """
## Number types

Bits are those of the file, scales included. Encoded: the library can make it, though no command does
yet. Exact test: a formula written a second time, bit by bit.
Ids that are not listed are refused by name: retired types, and those of private forks.
"""
PACKED = """
## Packed Hugging Face checkpoints

`quant_method` of `config.json`; layouts in [formats/packed.md](formats/packed.md). The tests pack known
values by a route of their own.
"""
FILES = """
## Files

| file | read |
| --- | --- |
| GGUF v2 and v3, single or split | yes |
| safetensors, single or sharded | yes |
| PyTorch zip archives (`.bin`, `.pt`, `.pth`), single or sharded | yes, without running anything |
| LoRA adapters: PEFT folders, GGUF | yes |
"""


def row(*cells):
    return "| " + " | ".join(cells) + " |\n"


def table(*titles):
    return "\n" + row(*titles) + row(*["---"] * len(titles))


def checkpoints(root):
    """Names of the reference checkpoints by model_type."""
    out = {}
    for path in sorted((root / "tests" / "golden").glob("*/config.json")):
        config = json.loads(path.read_text())
        config = config.get("text_config", config)
        out.setdefault(config["model_type"], []).append(path.parent.name)
    return out


def relatives(root):
    """The reference checkpoints that tests/relatives_test.cc rewrites as each family."""
    out = {}
    text = (root / "tests" / "relatives_test.cc").read_text()
    for family, source in re.findall(r'\{"\w+", "(\w+)", "(\w+)",', text):
        if family != source and source not in out.setdefault(family, []):
            out[family].append(source)
    return out


def exactly_tested(root):
    text = (root / "src/tensor/quant/quant_test.cc").read_text()
    return {name.upper() for name in re.findall(r"\{DType::(\w+), \w", text)} | {"BOOL"}


def yes(value):
    return "yes" if value else "-"


def families(supported, root):
    golden, rewritten = checkpoints(root), relatives(root)
    out = table("model_type", "GGUF", "MoE", "windows", "positions", "context extension", "tested by")
    for family in supported["families"]:
        name = family["model_type"]
        tests = golden.get(name, []) + ["=" + source for source in rewritten.get(name, [])]
        position = family["positions"]
        if family["latent_attention"]:
            position += ", latent attention"
        out += row(name, family["gguf"], yes(family["experts"]), family["window"], position,
                   ", ".join(family["context_extension"]) or "-", ", ".join(tests) or "-")
    return out


def formats(supported, root):
    exact = exactly_tested(root)
    out = table("type", "GGUF id", "safetensors", "bits per weight", "read", "encoded", "exact test")
    for kind in supported["weights"]:
        gguf = "-" if kind["gguf_id"] is None else str(kind["gguf_id"])
        out += row(kind["name"], gguf, kind["safetensors"] or "-",
                   f"{kind['bits_per_weight']:g}", yes(kind["read"]), yes(kind["written"]),
                   yes(kind["read"] and kind["name"] in exact))
    return out


def packed(supported, root):
    out = table("method", "kinds", "bits, scales aside", "read", "exact test")
    for method in supported["packed"]:
        # fbgemm_fp8 is told apart from fp8 by its name only.
        stem = method["quant_method"].replace("-", "_").removeprefix("fbgemm_")
        test = root / "src/format/packed" / f"{stem}_test.cc"
        out += row(method["quant_method"], method["kinds"], method["bits"], "yes",
                   yes(test.exists()))
    return out


def main():
    heft, root = sys.argv[1], pathlib.Path(sys.argv[2])
    supported = json.loads(subprocess.run([heft, "supported", "--json"], check=True,
                                          capture_output=True).stdout)
    text = (HEAD + families(supported, root) + FORMATS + formats(supported, root) + PACKED
            + packed(supported, root) + FILES)
    path = root / "docs" / "models.md"
    if "--check" not in sys.argv:
        path.write_text(text)
    elif not path.exists() or path.read_text() != text:
        print("docs/models.md is not what the program supports; run: ./do docs", file=sys.stderr)
        return 1
    return 0


sys.exit(main())
