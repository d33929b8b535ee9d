// What the two ways to multiply share: a call, and its activations as int8. Private to op/matmul*.
#pragma once

#include <span>
#include <vector>

#include "op/matmul.h"

namespace heft::op {

// Up to here each row is multiplied as it is stored; beyond, decoding it once for all tokens pays.
// (Measured against float panels, with AVX-512; integer panels may pay earlier.)
inline constexpr int kFewTokensInFloat = 4;
inline constexpr int kFewTokensInInteger = 24;

// Matrices that multiply the same input, ready to be computed.
struct Call {
    Context* context;
    std::span<const Product> products;
    const float* x;
    std::int64_t x_stride;
    int n_tokens;
    std::int64_t cols;
    std::vector<kernel::QuantisedRow> quantised = {};  // where a product is made in integers
};

inline bool in_integers(const Call& call, const Weight& w) {
    return call.context->precision == Precision::fast && call.context->kernels.has_dot_int(w.type);
}

// The context's scratch, handed out in aligned pieces.
class Scratch {
  public:
    Scratch(Context& context, std::size_t bytes);
    template <class T>
    T* take(std::size_t count) {
        auto* const at = reinterpret_cast<T*>(at_);
        at_ += aligned(count * sizeof(T));
        return at;
    }

    static constexpr std::size_t kAlignment = 64;
    static constexpr std::size_t aligned(std::size_t bytes) {
        return (bytes + kAlignment - 1) / kAlignment * kAlignment;
    }

  private:
    std::byte* at_;
};

// Quantises the inputs of the calls that need it, on all threads; the rows live in the scratch.
std::size_t quantised_bytes(std::span<const Call> calls);
void quantise(Context& context, std::span<Call> calls, Scratch& scratch);

void by_rows(Context& context, std::span<Call> calls);
void by_panels(Context& context, std::span<Call> calls);

}  // namespace heft::op
