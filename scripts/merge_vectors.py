#!/usr/bin/env python3
"""Reference results of every merge method, in float64 and written from the papers alone.

    merge_vectors.py > tests/golden/merge.json

Shares no code with src/merge. Small tensors whose numbers are exact in float32; each case has the
inputs, the parameters and what comes out. Plain Python, so that it runs anywhere.
"""
import json
import math
import random
import struct

SEED = 20261126
MASK = (1 << 64) - 1


def f32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


# ---- small vectors

def flat(m):
    return [x for row in m for x in row]


def shaped(v, like):
    n = len(like[0])
    return [v[i:i + n] for i in range(0, len(v), n)]


def minus(a, b):
    return [x - y for x, y in zip(a, b)]


def plus(a, b):
    return [x + y for x, y in zip(a, b)]


def times(s, a):
    return [s * x for x in a]


def dot(a, b):
    return math.fsum(x * y for x, y in zip(a, b))


def norm(a):
    return math.sqrt(dot(a, a))


def weighted(weights, vectors):
    total = [0.0] * len(vectors[0])
    for w, v in zip(weights, vectors):
        total = plus(total, times(w, v))
    return total


# ---- random numbers: splitmix64 of a counter, as docs/merge.md defines it

def mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def stream(seed, tensor, model):
    h = 0xCBF29CE484222325
    for c in tensor.encode():
        h = ((h ^ c) * 0x100000001B3) & MASK
    key = mix((mix(seed ^ h) + (model + 1) * 0x9E3779B97F4A7C15) & MASK)
    return lambda i: (mix((key + (i + 1) * 0x9E3779B97F4A7C15) & MASK) >> 11) * 2.0 ** -53


# ---- methods: (base or None, models, parameters of all, parameters of each) -> tensor

def linear(base, models, p, each):
    w = [e["weight"] for e in each]
    if p.get("normalize", 1):
        w = [x / sum(w) for x in w]
    return shaped(weighted(w, [flat(m) for m in models]), models[0])


PARALLEL = 1 - 1e-9  # beyond it the circle is not defined


def arc(a, b, t, most_cosine=PARALLEL):
    na, nb = norm(a), norm(b)
    straight = plus(times(1 - t, a), times(t, b))
    if na < 1e-8 or nb < 1e-8:
        return straight
    c = max(-1.0, min(1.0, dot(a, b) / na / nb))
    angle = math.acos(c)
    if abs(c) > most_cosine:
        return straight
    return plus(times(math.sin((1 - t) * angle) / math.sin(angle), a),
                times(math.sin(t * angle) / math.sin(angle), b))


def slerp(base, models, p, each):
    return shaped(arc(flat(base), flat(models[0]), p["t"], 0.9995), base)


def nuslerp(base, models, p, each):
    wa, wb = each[0]["weight"], each[1]["weight"]
    t = 0.5 if abs(wa + wb) < 1e-6 else wb / (wa + wb)
    a, b = models
    origin = base if base else [[0.0] * len(a[0]) for _ in a]
    a = [minus(x, o) for x, o in zip(a, origin)]
    b = [minus(x, o) for x, o in zip(b, origin)]
    if p.get("nuslerp_flatten", 1):
        out = shaped(arc(flat(a), flat(b), t), a)
    elif p.get("nuslerp_row_wise", 0):
        out = [arc(x, y, t) for x, y in zip(a, b)]
    else:
        columns = [arc([r[c] for r in a], [r[c] for r in b], t) for c in range(len(a[0]))]
        out = [list(row) for row in zip(*columns)]
    return [plus(o, r) for o, r in zip(origin, out)]


def multislerp(base, models, p, each):
    eps = p.get("eps", 1e-8)
    v = [minus(flat(m), flat(base)) if base else flat(m) for m in models]
    w = [e["weight"] for e in each]
    if p.get("normalize_weights", 1):
        w = [x / sum(w) for x in w]
    units = [times(1 / (norm(x) + eps), x) for x in v]
    mean = weighted(w, units)
    if norm(mean) < eps:
        assert len(models) == 2 or all(norm(x) == 0 for x in v)
        out = weighted(w, v)
    else:
        mean = times(1 / norm(mean), mean)
        tangents = [minus(u, times(dot(u, mean), mean)) for u in units]
        step = weighted(w, tangents)
        size = norm(step) + eps
        out = plus(times(math.cos(size), mean), times(math.sin(size) / size, step))
        out = times(sum(a * norm(x) for a, x in zip(w, v)), out)
    return shaped(plus(out, flat(base)) if base else out, models[0])


def karcher(base, models, p, each):
    tol = p.get("tol", 1e-5)
    v = [flat(m) for m in models]
    if len(v) == 1:
        return models[0]
    scale = sum(norm(x) for x in v) / len(v)
    units = [times(1 / norm(x), x) for x in v if norm(x) > tol]
    if not units:
        return [[0.0] * len(r) for r in models[0]]
    mean = weighted([1 / len(units)] * len(units), units)
    mean = times(1 / norm(mean), mean) if norm(mean) >= tol else units[0]
    for _ in range(int(p.get("max_iter", 10))):
        step = [0.0] * len(mean)
        for u in units:
            c = max(-1.0, min(1.0, dot(mean, u)))
            angle = math.acos(c)
            if angle < tol or c < -PARALLEL:
                continue
            step = plus(step, times(angle / math.sin(angle) / len(units),
                                    minus(u, times(c, mean))))
        size = norm(step)
        if size < tol:
            break
        mean = plus(times(math.cos(size), mean), times(math.sin(size) / size, step))
        mean = times(1 / norm(mean), mean)
    return shaped(times(scale, mean), models[0])


def keep_largest(delta, density):
    """All whose magnitude is not below that of the k-th largest."""
    k = len(delta) - (len(delta) - int(density * len(delta)))
    if k == 0:
        return [0.0] * len(delta)
    least = sorted(map(abs, delta), reverse=True)[k - 1]
    return [d if abs(d) >= least else 0.0 for d in delta]


def keep_middle(delta, density, gamma):
    n = len(delta)
    top = int(gamma * n)
    bottom = n - int(density * n) - top
    if bottom < 0:
        top, bottom = top + bottom, 0
    kept = sorted(map(abs, delta))[bottom:n - top]
    if not kept:
        return [0.0] * n
    return [d if kept[0] <= abs(d) <= kept[-1] else 0.0 for d in delta]


def drop_randomly(delta, density, draw, rescale):
    if density >= 1:
        return delta
    return [(d / density if rescale else d) if draw(i) < density else 0.0
            for i, d in enumerate(delta)]


def drop_by_rank(rows, density, epsilon, draw, rescale):
    if density >= 1:
        return flat(rows)
    out, n = [], len(rows[0])
    for r, row in enumerate(rows):
        order = sorted(range(n), key=lambda c: (abs(row[c]), c))
        kept = [0.0] * n
        for rank, c in enumerate(order):
            place = rank / (n - 1) if n > 1 else 0.5
            chance = 0 if density <= 0 else density - epsilon + 2 * epsilon * place
            if draw(r * n + c) < chance:
                kept[c] = row[c] / chance if rescale else row[c]
        out += kept
    return out


def task_vectors(trim, elect, normalize):
    def merge(base, models, p, each):
        b = flat(base)
        deltas = []
        for m, (model, e) in enumerate(zip(models, each)):
            rows = [minus(x, y) for x, y in zip(model, base)]
            density = e.get("density", 1.0)
            draw = stream(SEED, "tensor", m)
            rescale = p.get("rescale", 1)
            if trim == "magnitude":
                d = keep_largest(flat(rows), density)
            elif trim == "outliers":
                d = keep_middle(flat(rows), density, e.get("gamma", 0.01))
            elif trim == "random":
                d = drop_randomly(flat(rows), density, draw, rescale)
            elif trim == "ranked":
                d = drop_by_rank(rows, density, e.get("epsilon", 0.15), draw, rescale)
            else:
                d = flat(rows)
            deltas.append(times(e["weight"], d))
        weights = [e["weight"] for e in each]
        out = []
        for i in range(len(b)):
            column = [d[i] for d in deltas]
            chosen = list(range(len(column)))
            if elect:
                sign = 1 if sum(column) >= 0 else -1
                chosen = [m for m in chosen if column[m] * sign > 0]
            total = sum(column[m] for m in chosen)
            divisor = sum(weights[m] for m in chosen)
            if p.get("normalize", normalize) and abs(divisor) > 1e-8:
                total /= divisor
            out.append(b[i] + p.get("lambda", 1.0) * total)
        return shaped(out, base)
    return merge


def sce(base, models, p, each):
    b = flat(base)
    deltas = [minus(flat(m), b) for m in models]
    share = p.get("select_topk", 1.0)
    if share < 1:
        def variance(i):
            column = [d[i] for d in deltas]
            mean = sum(column) / len(column)
            return sum((x - mean) ** 2 for x in column) / len(column)
        v = [variance(i) for i in range(len(b))]
        k = int(share * sum(x > 0 for x in v))
        least = sorted(v, reverse=True)[k - 1] if k else math.inf
        deltas = [[x if v[i] >= least else 0.0 for i, x in enumerate(d)] for d in deltas]
    squares = [dot(d, d) for d in deltas]
    total = sum(squares)
    w = [s / total if total else 1 / len(squares) for s in squares]
    out = []
    for i in range(len(b)):
        column = [d[i] for d in deltas]
        sign = 1 if sum(column) >= 0 else -1
        chosen = [m for m, x in enumerate(column) if x * sign > 0]
        divisor = sum(w[m] for m in chosen)
        out.append(b[i] + (sum(w[m] * column[m] for m in chosen) / divisor if divisor else 0))
    return shaped(out, base)


def stock(base, vectors):
    deltas = [minus(v, base) for v in vectors]
    n = len(deltas)
    cosines = []
    for i in range(n):
        for j in range(i + 1, n):
            size = norm(deltas[i]) * norm(deltas[j])
            cosines.append(max(-1.0, min(1.0, dot(deltas[i], deltas[j]) / max(size, 1e-12))))
    c = sum(cosines) / len(cosines)
    below = 1 + (n - 1) * c
    t = n * c / below if below > 1e-12 else 0.0
    mean = weighted([1 / n] * n, vectors)
    return plus(times(t, mean), times(1 - t, base))


def model_stock(base, models, p, each):
    if p.get("filter_wise", 0):
        return [stock(b, [m[r] for m in models]) for r, b in enumerate(base)]
    return shaped(stock(flat(base), [flat(m) for m in models]), base)


def nearswap(base, models, p, each):
    def one(b, x):
        share = min(1.0, p["t"] / abs(b - x)) if b != x else 1.0
        return share * x + (1 - share) * b
    return [[one(b, x) for b, x in zip(r, s)] for r, s in zip(base, models[0])]


def arcee_fusion(base, models, p, each):
    def soft(row):
        e = [math.exp(x - max(row)) for x in row]
        return [x / sum(e) + 1e-8 for x in e]
    importance = []
    for b, x in zip(base, models[0]):
        kl = math.fsum(s * math.log(s / t) for s, t in zip(soft(x), soft(b)))
        importance += [abs(u - v) * max(kl, 0.0) for u, v in zip(x, b)]
    s = sorted(importance)
    q1, q2, q3 = (s[int(q * (len(s) - 1))] for q in (0.25, 0.5, 0.75))
    threshold = q2 + 1.5 * (q3 - q1)
    out = [x if i >= threshold else b
           for i, b, x in zip(importance, flat(base), flat(models[0]))]
    return shaped(out, base)


def ram(plus_factor):
    def merge(base, models, p, each):
        b = flat(base)
        deltas = [minus(flat(m), b) for m in models]
        eps = p.get("epsilon", 1e-5)
        changed = [[abs(x) > eps for x in d] for d in deltas]
        count = [sum(c[i] for c in changed) for i in range(len(b))]
        factor = [1.0] * len(models)
        if plus_factor:
            for m, c in enumerate(changed):
                shared = sum(c[i] and count[i] > 1 for i in range(len(b)))
                unique = sum(c[i] and count[i] == 1 for i in range(len(b)))
                ratio = shared / max(unique, eps)
                factor[m] = 1 + p.get("r", 0.1) * min(max(ratio, 0.0), p.get("alpha", 0.2))
        out = []
        for i in range(len(b)):
            total = b[i]
            for m, d in enumerate(deltas):
                if changed[m][i]:
                    total += d[i] * factor[m] if count[i] == 1 else d[i] / count[i]
            out.append(total)
        return shaped(out, base)
    return merge


def passthrough(base, models, p, each):
    return [times(each[0].get("scale", 1.0), r) for r in models[0]]


# method: (function, models, whether there is a base, parameter sets of (all, [each]))
def w(*weights, **more):
    return [{"weight": x, **more} for x in weights]


METHODS = {
    "linear": (linear, 3, False, [({}, w(1, 0.3, 0.5)), ({"normalize": 0}, w(0.5, -0.25, 1)),
                                  ({}, w(1, 0, 0))]),
    "slerp": (slerp, 1, True, [({"t": t}, [{}]) for t in (0, 0.3, 0.5, 1)]),
    "nuslerp": (nuslerp, 2, None, [({}, w(0.7, 0.3)), ({"nuslerp_flatten": 0}, w(1, 2)),
                                   ({"nuslerp_flatten": 0, "nuslerp_row_wise": 1}, w(1, 2)),
                                   ({}, w(0.5, -0.5))]),
    "multislerp": (multislerp, 3, None, [({}, w(1, 2, 3)), ({"normalize_weights": 0},
                                                           w(0.5, 0.2, 0.4))]),
    "karcher": (karcher, 3, False, [({}, [{}] * 3), ({"max_iter": 1}, [{}] * 3),
                                    ({"max_iter": 50, "tol": 1e-9}, [{}] * 3)]),
    "task_arithmetic": (task_vectors("none", False, 0), 2, True,
                        [({}, w(0.6, 0.4)), ({"lambda": 0.5, "normalize": 1}, w(1, 3)),
                         ({}, w(1, -1))]),
    "ties": (task_vectors("magnitude", True, 1), 3, True,
             [({}, w(1, 0.5, 0.7, density=0.5)), ({"normalize": 0}, w(0.5, 0.5, 0.5, density=0.3)),
              ({}, w(1, 1, 1, density=0)), ({"lambda": 0.8}, w(1, 1, 1, density=1)),
              ({}, w(1, -1, 0.5, density=0.7))]),
    "dare_linear": (task_vectors("random", False, 0), 2, True,
                    [({}, w(0.6, 0.4, density=0.5)), ({"rescale": 0}, w(1, 1, density=0.7)),
                     ({}, w(1, 1, density=0)), ({"normalize": 1}, w(1, 2, density=1))]),
    "dare_ties": (task_vectors("random", True, 0), 3, True,
                  [({}, w(0.6, 0.4, 0.3, density=0.5)), ({"lambda": 2}, w(1, 1, 1, density=0.9))]),
    "della": (task_vectors("ranked", True, 1), 3, True,
              [({}, w(1, 1, 1, density=0.5, epsilon=0.2)), ({}, w(1, 1, 1, density=0)),
               ({"rescale": 0}, w(1, 0.5, 1, density=0.7, epsilon=0.1))]),
    "della_linear": (task_vectors("ranked", False, 0), 2, True,
                     [({}, w(0.5, 0.5, density=0.6, epsilon=0.3)), ({}, w(1, 1, density=1))]),
    "breadcrumbs": (task_vectors("outliers", False, 0), 2, True,
                    [({}, w(0.6, 0.4, density=0.8, gamma=0.1)),
                     ({}, w(1, 1, density=0.9, gamma=0.3)), ({}, w(1, 1, density=0, gamma=0.1)),
                     ({}, w(1, 1, density=1, gamma=0))]),
    "breadcrumbs_ties": (task_vectors("outliers", True, 0), 3, True,
                         [({}, w(1, 1, 1, density=0.6, gamma=0.2))]),
    "sce": (sce, 3, True, [({}, [{}] * 3), ({"select_topk": 0.3}, [{}] * 3),
                           ({"select_topk": 0}, [{}] * 3)]),
    "model_stock": (model_stock, 3, True, [({}, [{}] * 3), ({"filter_wise": 1}, [{}] * 3)]),
    "nearswap": (nearswap, 1, True, [({"t": 0.05}, [{}]), ({"t": 1e-4}, [{}])]),
    "arcee_fusion": (arcee_fusion, 1, True, [({}, [{}])]),
    "ram": (ram(False), 3, True, [({}, [{}] * 3), ({"epsilon": 0.3}, [{}] * 3)]),
    "ramplus_tl": (ram(True), 3, True, [({"epsilon": 0.5}, [{}] * 3),
                                        ({"epsilon": 0.9, "r": 0.5, "alpha": 1}, [{}] * 3)]),
    "passthrough": (passthrough, 1, False, [({}, [{}]), ({}, [{"scale": 0.5}])]),
}


def draw_tensor(rng, rows, columns, around=None, spread=1.0):
    return [[f32((around[r][c] if around else 0.0) + rng.gauss(0, spread))
             for c in range(columns)] for r in range(rows)]


def families(rng):
    """Kinds of inputs: (name, base, five models)."""
    for rows, columns in ((5, 8), (1, 13), (7, 1)):
        base = draw_tensor(rng, rows, columns)
        yield f"random {rows}x{columns}", base, [
            draw_tensor(rng, rows, columns, base, 0.5) for _ in range(3)]
    base = draw_tensor(rng, 4, 6)
    yield "equal", base, [base] * 3
    zero = [[0.0] * 6 for _ in range(4)]
    yield "zero", zero, [zero] * 3
    other = draw_tensor(rng, 4, 6, base, 0.3)
    yield "one equal to the base", base, [other, base, draw_tensor(rng, 4, 6, base, 0.3)]
    yield "zero base", zero, [draw_tensor(rng, 4, 6) for _ in range(3)]
    step = draw_tensor(rng, 4, 6, None, 1.0)
    opposite = [[[f32(b + s * d) for b, d in zip(r, q)] for r, q in zip(base, step)]
                for s in (1, -1)]
    yield "opposite steps", base, [*opposite, draw_tensor(rng, 4, 6, base, 0.2)]
    yield "opposite", step, [[times(-1.0, r) for r in step], step, base]


def main():
    rng = random.Random(SEED)
    inputs, cases = [], []
    for name, base, models in families(rng):
        inputs.append({"name": name, "base": base, "models": models})
        for method, (function, n, has_base, sets) in METHODS.items():
            for with_base in ((False, True) if has_base is None else (has_base,)):
                for p, each in sets:
                    if method == "multislerp" and name == "opposite":
                        each = w(1, 2, 4)
                    try:
                        out = function(base if with_base else None, models[:n], p, each)
                    except (ZeroDivisionError, AssertionError):
                        continue  # what has no answer is tested apart
                    cases.append({"method": method, "input": len(inputs) - 1,
                                  "base": with_base, "all": p, "each": each,
                                  "result": flat(out)})
    document = {"seed": SEED, "tensor": "tensor", "inputs": inputs, "cases": cases}
    print(json.dumps(document, separators=(",", ":")))


main()
