// Products of activations with stored weights: out[t][r] = sum_k W[r][k] * x[t][k].
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "op/context.h"
#include "tensor/dtype.h"

namespace heft::op {

// A matrix as its file holds it: rows of `cols` weights, `row_stride` bytes apart.
struct Weight {
    DType type = DType::f32;
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    const std::byte* data = nullptr;
    std::int64_t row_stride = 0;
    // Column k multiplies x[input_order[k]]: a permutation of cols entries. nullptr: x[k].
    const std::int32_t* input_order = nullptr;
};

struct Product {
    const Weight* weight;
    float* out;  // [n_tokens, weight->rows]
    std::int64_t out_stride;
};

// Several matrices times the same activations x [n_tokens, cols].
struct Group {
    std::span<const Product> products;
    const float* x;
    std::int64_t x_stride;
    int n_tokens;
};

// Sees what weights are multiplied with, before it is done: for measuring. Weights that it does not
// know, such as those of adapters, are to be passed over.
class MatmulObserver {
  public:
    virtual ~MatmulObserver() = default;
    virtual void see(Context& context, std::span<const Group> groups) = 0;
};

// All groups in one hand-over to the threads (two, where some have few tokens and some many), and
// one quantisation of each x. Results do not depend on the number of threads.
void matmul(Context& context, std::span<const Group> groups);

// Up to how many tokens of a call each get the bits that they get alone.
int tokens_with_equal_bits(const Context& context);

// One group.
void matmul(Context& context, std::span<const Product> products, const float* x,
            std::int64_t x_stride, int n_tokens);

}  // namespace heft::op
