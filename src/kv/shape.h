// What keys and values look like in memory: rows of numbers, in blocks of positions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/pages.h"
#include "base/result.h"
#include "tensor/dtype.h"

namespace heft::kv {

// Positions that lie together: of each layer in turn, the rows of keys, then those of values.
// Attention reads as many at a time, and sequences share whole blocks.
inline constexpr int kBlock = 128;

// How numbers are kept: f32, f16, bf16 or q8_0.
struct Types {
    DType keys = DType::f16;
    DType values = DType::f16;

    bool quantised() const { return keys == DType::q8_0 || values == DType::q8_0; }
};

// The types that a cache may have, by the names of llama.cpp.
struct TypeName {
    const char* name;
    DType type;
};
inline constexpr TypeName kTypeNames[] = {
    {"f32", DType::f32}, {"f16", DType::f16}, {"bf16", DType::bf16}, {"q8_0", DType::q8_0}};
const char* name_of(DType type);  // of one of these
// What a quantised cache costs, as a reply tells it; empty for other types.
std::string degradation(const Types& types);

struct Shape {
    int n_layer = 0;
    std::int64_t n_ctx = 0;
    int key_row = 0;    // numbers per position: n_kv * d_head, whole blocks of the type
    int value_row = 0;  // 0: values are the beginnings of the keys (latent attention)
    Types types = {};

    std::int64_t key_row_bytes() const;
    std::int64_t value_row_bytes() const;  // 0 where there are none of their own
    std::int64_t token_bytes() const { return n_layer * (key_row_bytes() + value_row_bytes()); }
    std::int64_t block_bytes() const { return kBlock * token_bytes(); }
    std::int64_t n_blocks() const { return (n_ctx + kBlock - 1) / kBlock; }
};

// Memory for so many blocks; a long context costs what is used of it. Errors: exhausted, where
// there is no room for as much.
Result<Pages> reserve(const Shape& shape, std::int64_t n_blocks);

}  // namespace heft::kv
