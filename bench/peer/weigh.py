"""Errors by importance of two files that were quantised from one: SOURCE OURS THEIRS IMATRIX.

Prints one line of JSON, a list of the matrices that both quantise and that have importances: name,
types, identical, error, peer_error. An error is the norm of what is lost relative to the matrix, where each
square counts as much as the importance of its column. llama.cpp says what both files hold.
"""
import json
import math
import sys
from itertools import chain, cycle, islice

import ggml


def weighted(importances, count):
    """One importance for each of so many weights: rows have the same, stacked matrices their own."""
    each = count // len(importances)
    return chain.from_iterable(islice(cycle(one), each) for one in importances)


def norms(importances, x, ys):
    """Weighted norms of x and of what each of ys lacks."""
    whole = sum(w * a * a for w, a in zip(weighted(importances, len(x)), x))
    return math.sqrt(whole), [
        math.sqrt(sum(w * (a - b) * (a - b) for w, a, b in zip(weighted(importances, len(x)), x, y)))
        for y in ys]


def main():
    source, ours, theirs = map(ggml.tensors, sys.argv[1:4])
    out = []
    for name, importances in ggml.importances(sys.argv[4]).items():
        a, b = ours[name], theirs[name]
        if not (a.is_quantised and b.is_quantised):
            continue
        whole, lost = norms(importances, source[name].floats(), (a.floats(), b.floats()))
        error, peer_error = (one / whole for one in lost)
        out.append({"name": name, "types": [a.type, b.type], "identical": a.data == b.data,
                    "error": error, "peer_error": peer_error})
    print(json.dumps(out))


if __name__ == "__main__":
    main()
