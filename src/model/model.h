// What a model does: one decoder for every family of arch/. Weights are views into the mapped file;
// only norms and biases are widened to float at loading. Immutable; the checkpoint outlives it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "arch/arch.h"
#include "format/checkpoint.h"
#include "kv/cache.h"
#include "kv/store.h"
#include "model/adapter.h"
#include "op/matmul.h"

namespace heft::model {

// One token to compute: its id, its place in its sequence, and that sequence's cache. Tokens of one
// sequence stand in ascending order and continue its cache.
struct Input {
    std::int32_t token;
    std::int32_t position;
    kv::Cache* cache;
    bool want_logits;
};

// docs/decisions/0009
constexpr kv::Types usual_types(op::Precision precision) {
    const DType type = precision == op::Precision::f32 ? DType::f32 : DType::f16;
    return {type, type};
}

// From the configuration alone, what an opened model will take: of cache for one token, and to
// compute n_tokens at once.
std::int64_t cache_bytes_per_token(const arch::Config& config, kv::Types types);
std::int64_t working_bytes(const arch::Config& config, std::int64_t n_tokens);

// A matrix that multiplies, and the tensor of a GGUF file of this model that holds it: one of
// `count` stacked ones. Of several that a file has as one, the first, for all have the same input.
struct MatrixName {
    const op::Weight* weight;
    std::string name;
    int index = 0, count = 1;
};

class Model {
  public:
    // Checks that every tensor is there with the right shape and a readable type.
    static Result<Model> load(const format::Checkpoint& checkpoint, const arch::Config& config);

    Model(Model&&) noexcept;
    Model& operator=(Model&&) noexcept;
    ~Model();

    const arch::Config& config() const;
    std::int64_t bytes_per_token() const;  // weight bytes that decoding one token reads
    // The same for a pass over n_tokens tokens: of the experts, as many as that many tokens choose
    // between them when every expert is as likely.
    double bytes_per_pass(double n_tokens) const;

    // Bytes that a cache of these types takes for one token.
    std::int64_t cache_bytes_per_token(kv::Types types) const;

    // A cache for one sequence of up to n_ctx tokens. `expected`: how long it will get (0: n_ctx).
    // Errors: invalid, for types that do not suit the widths of the heads.
    Result<kv::Cache> make_cache(std::int64_t n_ctx, kv::Types types,
                                 std::int64_t expected = 0) const;
    // The same, with the types that suit a precision.
    Result<kv::Cache> make_cache(std::int64_t n_ctx, op::Precision precision,
                                 std::int64_t expected = 0) const;

    // Blocks for many sequences of up to n_ctx tokens each. Errors as above.
    Result<std::unique_ptr<kv::Store>> make_store(std::int64_t n_ctx, kv::Types types,
                                                  std::int64_t n_blocks) const;

    // Adds scale * B (A x) to what the adapters' matrices give: for all that is computed from now
    // on; or for those sequences alone whose cache names it, by the number that is the answer, from
    // 1 on. Errors: unsupported, for a matrix that is not multiplied as it is stored.
    Status add_adapter(Adapter adapter);
    Result<int> offer_adapter(Adapter adapter);

    // Computes all inputs; appends one row of n_vocab logits to `logits` for each that wants them.
    Status forward(op::Context& context, std::span<const Input> inputs,
                   PagedVector<float>& logits) const;

    // The same, but for rows of d_model numbers: what the last norm gives, before the output
    // matrix.
    Status forward_hidden(op::Context& context, std::span<const Input> inputs,
                          PagedVector<float>& hidden) const;

    // The matrices that are multiplied, and what a GGUF file of this model calls them.
    std::vector<MatrixName> matrix_names() const;

    struct Impl;

  private:
    Status check(std::span<const Input> inputs) const;
    explicit Model(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace heft::model
