#include "op/matmul_call.h"

#include "op/parallel.h"

namespace heft::op {

namespace {

struct TokenSizes {
    std::size_t q, scale, sum16;
    explicit TokenSizes(std::int64_t cols)
        : q(Scratch::aligned(static_cast<std::size_t>(cols))),
          scale(Scratch::aligned(static_cast<std::size_t>(cols) / 32 * sizeof(float))),
          sum16(Scratch::aligned(static_cast<std::size_t>(cols) / 16 * sizeof(std::int16_t))) {}
    std::size_t all() const { return q + scale + sum16; }
};

void quantise_token(Call& call, int t, std::byte* at) {
    const TokenSizes sizes(call.cols);
    at += static_cast<std::size_t>(t) * sizes.all();
    auto* q = reinterpret_cast<std::int8_t*>(at);
    auto* scale = reinterpret_cast<float*>(at + sizes.q);
    auto* sum16 = reinterpret_cast<std::int16_t*>(at + sizes.q + sizes.scale);
    call.context->kernels.quantise_row(call.x + t * call.x_stride, call.cols, q, scale, sum16);
    call.quantised[static_cast<std::size_t>(t)] = {q, scale, sum16};
}

}  // namespace

Scratch::Scratch(Context& context, std::size_t bytes) {
    if (context.scratch.size() < bytes + kAlignment) context.scratch.resize(bytes + kAlignment);
    const auto at = reinterpret_cast<std::uintptr_t>(context.scratch.data());
    at_ = context.scratch.data() + (aligned(at) - at);
}

std::size_t quantised_bytes(std::span<const Call> calls) {
    std::size_t bytes = 0;
    for (const Call& call : calls)
        if (takes(call, Route::integers))
            bytes += TokenSizes(call.cols).all() * static_cast<std::size_t>(call.n_tokens);
    return bytes;
}

void quantise(Context& context, std::span<Call> calls, Scratch& scratch) {
    for (Call& call : calls) {
        if (!takes(call, Route::integers)) continue;
        call.quantised.resize(static_cast<std::size_t>(call.n_tokens));
        auto* at = scratch.take<std::byte>(quantised_bytes({&call, 1}));
        for_each(context, call.n_tokens, [&](int t, int) { quantise_token(call, t, at); });
    }
}

}  // namespace heft::op
