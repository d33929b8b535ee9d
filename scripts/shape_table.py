#!/usr/bin/env python3
"""Writes the table of docs/quantize.md anew: what each type makes of the built-in model.

    shape_table.py HEFT ROOT [--windows N]

The text is that of models/tiny/eval/eval_instruct.jsonl, which the model was not trained on: every
second story is scored, the others are what the importance matrix is measured on.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

BEGIN, END = "<!-- ./do shape-table -->\n", "<!-- end of the table -->\n"
TYPES = ["F16", "BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q5_K_S", "Q5_1", "Q5_0", "Q4_K_M", "Q4_K_S", "Q4_1", "Q4_0",
         "IQ4_NL", "IQ4_XS", "Q3_K_L", "Q3_K_M", "Q3_K_S", "IQ3_M", "IQ3_S", "IQ3_XS", "IQ3_XXS", "Q2_K",
         "Q2_K_S", "IQ2_M", "IQ2_S", "IQ2_XS", "IQ2_XXS", "IQ1_M", "IQ1_S"]
HEAD = """| type | bits per weight | perplexity | KL divergence | same top token | KL with importances |
| --- | --- | --- | --- | --- | --- |
"""


def asked(program, *args):
    done = subprocess.run([program, *map(str, args), "--json"], check=True, capture_output=True)
    return json.loads(done.stdout)


class Measure:
    def __init__(self, program, root, folder, windows):
        self.program, self.model, self.folder = program, root / "models" / "tiny", folder
        lines = (self.model / "eval" / "eval_instruct.jsonl").read_text().splitlines()
        stories = [json.loads(line)["reference"] for line in lines]
        for name, part in (("scored.txt", stories[1::2]), ("learnt.txt", stories[::2])):
            (folder / name).write_text("\n\n".join(part))
        self.cut = ["-c", "256", "--chunks", windows]
        self.base = folder / "base"
        self.parent = asked(program, "eval", "ppl", self.model, "--text", folder / "scored.txt", *self.cut,
                            "--save-base", self.base)
        self.imatrix = folder / "imatrix.gguf"
        asked(program, "imatrix", self.model, "--text", folder / "learnt.txt", "-c", "256", "-o", self.imatrix)

    def of(self, kind, *more):
        out = self.folder / "model.gguf"
        made = asked(self.program, "quantize", self.model, out, "--type", kind, "--force", "--no-measure", *more)
        told = asked(self.program, "eval", "kl", out, "--base", self.base)
        return made["bits_per_weight"], told


def rows(measure):
    found = []
    for kind in TYPES:
        bits, told = measure.of(kind)
        _, with_importance = measure.of(kind, "--imatrix", measure.imatrix)
        found.append((bits, kind, told, with_importance["kl"]["value"]))
    found.sort(key=lambda row: (-row[0], row[1]))
    out = []
    for bits, kind, told, importance in found:
        kl = told["kl"]["value"]
        smaller = [row for row in found if row[0] <= bits and row[1] != kind]
        best = all(kl < row[2]["kl"]["value"] for row in smaller)
        name = f"**{kind}**" if best else kind
        out.append(f"| {name} | {bits:.2f} | {told['perplexity']['value']:.3f} | {kl:.5f} | "
                   f"{100 * told['same_top']['value']:.1f} % | {importance:.5f} |\n")
    return out


def main():
    program, root = sys.argv[1], pathlib.Path(sys.argv[2])
    windows = sys.argv[4] if sys.argv[3:4] == ["--windows"] else "32"
    page = root / "docs" / "quantize.md"
    before, rest = page.read_text().split(BEGIN)
    after = rest.split(END)[1]
    with tempfile.TemporaryDirectory() as folder:
        measure = Measure(program, root, pathlib.Path(folder), windows)
        parent = measure.parent
        told = (f"\nThe model itself (BF16 and F32): perplexity {parent['perplexity']['value']:.3f} ± "
                f"{parent['perplexity']['error']:.3f} over {parent['tokens']} tokens.\n\n")
        page.write_text(before + BEGIN + told + HEAD + "".join(rows(measure)) + END + after)


if __name__ == "__main__":
    main()
