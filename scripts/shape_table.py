#!/usr/bin/env python3
"""Writes the table of docs/quantize.md anew: what each type makes of the built-in model.

    shape_table.py HEFT ROOT [--windows N]

Scored are the stories of models/tiny/eval/eval_instruct.jsonl, which the model was not trained on, each
between the tokens that begin and end a text, as in training; the importance matrix is measured on those that
eval_qa.jsonl asks about. Fails where in a family a type is further from the original than one with fewer
bits, by more than the error of that.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

BEGIN, END = "<!-- ./do shape-table -->\n", "<!-- end of the table -->\n"
FAMILIES = {
    "Floats": ["BF16", "F16"],
    "One scale for 32 weights": ["Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0"],
    "Scales in two steps": ["Q6_K", "Q5_K_M", "Q5_K_S", "Q4_K_M", "Q4_K_S", "Q3_K_L", "Q3_K_M", "Q3_K_S", "Q2_K",
                            "Q2_K_S"],
    "Uneven levels and codebooks": ["IQ4_NL", "IQ4_XS", "IQ3_M", "IQ3_S", "IQ3_XS", "IQ3_XXS", "IQ2_M", "IQ2_S",
                                    "IQ2_XS", "IQ2_XXS", "IQ1_M", "IQ1_S"]}
HEAD = """| type | bits per weight | perplexity | expected | KL divergence | same top token | KL with importances |
| --- | --- | --- | --- | --- | --- | --- |
"""


def asked(program, *args):
    done = subprocess.run([program, *map(str, args), "--json"], check=True, capture_output=True)
    return json.loads(done.stdout)


def told(one):
    return one["reference"]


def asked_about(one):
    return one["messages"][0]["content"].rpartition("\n\n")[0]


def stories(path, story_of):
    """Those of an evaluation set, each a text of its own."""
    return "".join(f"<|begin_of_text|>{story_of(json.loads(line))}<|end|>"
                   for line in path.read_text().splitlines())


class Measure:
    def __init__(self, program, root, folder, windows):
        self.program, self.model, self.folder = program, root / "models" / "tiny", folder
        sets = self.model / "eval"
        (folder / "scored.txt").write_text(stories(sets / "eval_instruct.jsonl", told))
        (folder / "learnt.txt").write_text(stories(sets / "eval_qa.jsonl", asked_about))
        cut = ["--parse-special", "-c", "256", "--chunks", windows]
        self.base = folder / "base"
        self.parent = asked(program, "eval", "ppl", self.model, "--text", folder / "scored.txt", *cut,
                            "--save-base", self.base)
        self.imatrix = folder / "imatrix.gguf"
        asked(program, "imatrix", self.model, "--text", folder / "learnt.txt", *cut, "-o", self.imatrix)

    def of(self, kind, *more):
        out = self.folder / "model.gguf"
        made = asked(self.program, "quantize", self.model, out, "--type", kind, "--force", "--no-measure", *more)
        return made["bits_per_weight"], asked(self.program, "eval", "kl", out, "--base", self.base)


class Row:
    def __init__(self, measure, kind):
        self.kind = kind
        self.bits, self.said = measure.of(kind)
        self.kl = self.said["kl"]["value"]
        self.with_importances = measure.of(kind, "--imatrix", measure.imatrix)[1]["kl"]["value"]

    def text(self, all_rows):
        is_best = all(self.kl < row.kl for row in all_rows if row.bits <= self.bits and row is not self)
        name = f"**{self.kind}**" if is_best else self.kind
        said = self.said
        return (f"| {name} | {self.bits:.2f} | {said['perplexity']['value']:.3f} | "
                f"{said['expected_perplexity']['value']:.4f} | {self.kl:.5f} | "
                f"{100 * said['same_top']['value']:.1f} % | {self.with_importances:.5f} |\n")


def out_of_order(family):
    """The types of a family that are further off than one with fewer bits, by more than chance."""
    return [more.kind for i, more in enumerate(family) for less in family[i + 1:]
            if more.bits > less.bits and more.kl > less.kl + less.said["kl"]["error"]]


def main():
    program, root = sys.argv[1], pathlib.Path(sys.argv[2])
    windows = sys.argv[4] if sys.argv[3:4] == ["--windows"] else "0"
    page = root / "docs" / "quantize.md"
    before, rest = page.read_text().split(BEGIN)
    after = rest.split(END)[1]
    with tempfile.TemporaryDirectory() as folder:
        measure = Measure(program, root, pathlib.Path(folder), windows)
        families = {name: [Row(measure, kind) for kind in kinds] for name, kinds in FAMILIES.items()}
    everything = [row for family in families.values() for row in family]
    parent, expected = measure.parent, everything[0].said["base_expected_perplexity"]["value"]
    text = (f"\nThe model itself (BF16): perplexity {parent['perplexity']['value']:.3f} ± "
            f"{parent['perplexity']['error']:.3f}, expected {expected:.4f}, over {parent['tokens']} tokens.\n")
    for name, family in families.items():
        text += f"\n{name}:\n\n{HEAD}{''.join(row.text(everything) for row in family)}"
    page.write_text(before + BEGIN + text + END + after)
    wrong = [kind for family in list(families.values())[1:] for kind in out_of_order(family)]
    if wrong:
        sys.exit("shape_table: further from the original than a smaller one of the family: " + ", ".join(wrong))


if __name__ == "__main__":
    main()
