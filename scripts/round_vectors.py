#!/usr/bin/env python3
"""Writes src/tensor/quant/round_vectors.h: what the types that round to nearest make of some weights,
computed here by formulas of their own in exact float32 steps. The bytes were also compared with those of
ggml_quantize_chunk of llama.cpp.

usage: round_vectors.py OUT.h
"""
import math
import struct
import sys


def f32(x):
    """The nearest float32."""
    return struct.unpack("f", struct.pack("f", x))[0]


def f16(x):
    return struct.pack("e", x)


def weights(n=256):
    """Some of every kind: large, small, ties, zeros, a block of one sign; exact in float32."""
    state, out = 88172645463325252, []
    for i in range(n):
        state ^= state << 13 & 0xffffffffffffffff
        state ^= state >> 7
        state ^= state << 17 & 0xffffffffffffffff
        x = (state % 20001 - 10000) / 4096
        if i // 32 == 2:
            x = abs(x) + 0.25
        if i // 32 == 3:
            x = (i % 9 - 4) / 8
        if i // 32 == 4:
            x *= 1e-4
        if i // 32 == 5:
            x = 0.0
        out.append(f32(x))
    return out


def away(x):
    """To the nearest integer, halves away from zero."""
    return int(math.floor(abs(x) + 0.5)) * (1 if x >= 0 else -1)


def peak(x):
    best = 0.0
    for v in x:
        if abs(v) > abs(best):
            best = v
    return best


def inverse(d):
    return f32(1 / d) if d else 0.0


def nibbles(q):
    return bytes(q[j] | q[j + 16] << 4 for j in range(16))


def fifth_bits(q):
    return struct.pack("<I", sum((v >> 4) << j for j, v in enumerate(q)))


def symmetric(x, half):
    d = f32(peak(x) / -half)
    inv = inverse(d)
    return d, [min(2 * half - 1, int(f32(f32(v * inv) + (half + 0.5)))) for v in x]


def affine(x, top):
    least = min(x)
    d = f32(f32(max(x) - least) / top)
    inv = inverse(d)
    return d, least, [min(top, int(f32(f32(f32(v - least) * inv) + 0.5))) for v in x]


def q4_0(x):
    d, q = symmetric(x, 8)
    return f16(d) + nibbles(q)


def q4_1(x):
    d, m, q = affine(x, 15)
    return f16(d) + f16(m) + nibbles(q)


def q5_0(x):
    d, q = symmetric(x, 16)
    return f16(d) + fifth_bits(q) + nibbles([v & 15 for v in q])


def q5_1(x):
    d, m, q = affine(x, 31)
    return f16(d) + f16(m) + fifth_bits(q) + nibbles([v & 15 for v in q])


def q8_0(x):
    d = f32(max(map(abs, x)) / 127)
    inv = inverse(d)
    return f16(d) + bytes(away(f32(v * inv)) & 255 for v in x)


def mxfp4(x):
    levels = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]
    most = max(map(abs, x))
    e = math.frexp(most)[1] - 1 - 2 + 127 if most else 0
    d = 2.0 ** (e - 128)
    nearest = [min(range(16), key=lambda i: (abs(f32(f32(levels[i] * d) - v)), i)) for v in x]
    return bytes([e]) + nibbles(nearest)


def trits(x):
    d = max(map(abs, x))
    inv = inverse(d)
    return d, [away(f32(v * inv)) + 1 for v in x]


def tq1_0(x):
    d, q = trits(x)
    out = b""
    for first, step, n in ((0, 32, 5), (160, 16, 5), (240, 4, 4)):
        for m in range(step):
            value = 0
            for t in range(5):
                value = 3 * value + (q[first + m + t * step] if t < n else 0)
            out += bytes([(value * 256 + 242) // 243])
    return out + f16(d)


def tq2_0(x):
    d, q = trits(x)
    out = bytes(sum(q[128 * half + 32 * t + m] << 2 * t for t in range(4)) for half in range(2) for m in range(32))
    return out + f16(d)


def bf16(x):
    bits = struct.unpack("<I", struct.pack("<f", x[0]))[0]
    return struct.pack("<H", bits + 0x7fff + (bits >> 16 & 1) >> 16)


TYPES = [("q4_0", 32, q4_0), ("q4_1", 32, q4_1), ("q5_0", 32, q5_0), ("q5_1", 32, q5_1), ("q8_0", 32, q8_0),
         ("mxfp4", 32, mxfp4), ("tq1_0", 256, tq1_0), ("tq2_0", 256, tq2_0), ("bf16", 1, bf16),
         ("f16", 1, lambda x: f16(x[0]))]


def rows(data, width=12):
    return [data[i:i + width] for i in range(0, len(data), width)]


def main():
    x = weights()
    lines = ["// Made by scripts/round_vectors.py, which has formulas of its own; not by heft.", "#pragma once", "",
             "#include <cstdint>", "", '#include "tensor/dtype.h"', "", "namespace heft::test {", "",
             "// clang-format off", f"inline constexpr float kRoundWeights[{len(x)}] = {{"]
    lines += ["    " + " ".join(f"{v.hex()}F," for v in row) for row in rows(x, 4)] + ["};", ""]
    for name, block, make in TYPES:
        data = b"".join(make(x[i:i + block]) for i in range(0, len(x), block))
        lines += [f"inline constexpr std::uint8_t kRound_{name}[] = {{"]
        lines += ["    " + " ".join(f"0x{b:02x}," for b in row) for row in rows(data, 16)] + ["};"]
    lines += ["", "struct RoundVector {", "    DType type;", "    const std::uint8_t* bytes;", "    int size;", "};",
              "inline constexpr RoundVector kRoundVectors[] = {"]
    lines += [f"    {{DType::{name}, kRound_{name}, sizeof kRound_{name}}}," for name, _, _ in TYPES]
    lines += ["};", "// clang-format on", "", "}  // namespace heft::test", ""]
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write("\n".join(lines))


if __name__ == "__main__":
    main()
