#include "op/matmul_call.h"

#include "op/parallel.h"

namespace heft::op {

namespace {

// Where the arrays of a token begin, in bytes.
struct TokenLayout {
    std::size_t scale, sum16, scaled16, scaled32, turned, bytes;
    explicit TokenLayout(const Call& call) {
        constexpr std::size_t chunk = kernel::kInputColumns;
        const auto n = static_cast<std::size_t>(call.cols);
        scale = Scratch::aligned(n);
        sum16 = scale + Scratch::aligned(n / 32 * sizeof(float));
        scaled16 = sum16 + Scratch::aligned(n / 16 * sizeof(std::int16_t));
        scaled32 = scaled16 + Scratch::aligned(n / 16 * sizeof(float));
        turned = scaled32 + Scratch::aligned(n / 32 * sizeof(float));
        bytes = turned;
        if (call.few) bytes += (n + chunk - 1) / chunk * sizeof(kernel::InputChunk);
    }
};
static_assert(sizeof(kernel::InputChunk) % Scratch::kAlignment == 0);

void quantise_token(Call& call, int t, std::byte* at) {
    const TokenLayout layout(call);
    const auto token = static_cast<std::size_t>(t);
    at += token * layout.bytes;
    const kernel::QuantisedRoom room{reinterpret_cast<std::int8_t*>(at),
                                     reinterpret_cast<float*>(at + layout.scale),
                                     reinterpret_cast<std::int16_t*>(at + layout.sum16),
                                     reinterpret_cast<float*>(at + layout.scaled16),
                                     reinterpret_cast<float*>(at + layout.scaled32)};
    const kernel::Table& kernels = call.context->kernels;
    kernels.quantise_row(call.x + t * call.x_stride, call.cols, room);
    call.quantised[token] = room.row();
    if (!call.few) return;
    auto* turned = reinterpret_cast<kernel::InputChunk*>(at + layout.turned);
    kernels.turn_row(room.row(), call.cols, turned);
    call.turned[token] = turned;
}

}  // namespace

std::size_t quantised_bytes(std::span<const Call> calls) {
    std::size_t bytes = 0;
    for (const Call& call : calls)
        if (takes(call, Route::integers))
            bytes += TokenLayout(call).bytes * static_cast<std::size_t>(call.n_tokens);
    return bytes;
}

void quantise(Context& context, std::span<Call> calls, Scratch& scratch) {
    for (Call& call : calls) {
        if (!takes(call, Route::integers)) continue;
        call.quantised.resize(static_cast<std::size_t>(call.n_tokens));
        if (call.few) call.turned.resize(static_cast<std::size_t>(call.n_tokens));
        auto* at = scratch.take<std::byte>(quantised_bytes({&call, 1}));
        for_each(context, call.n_tokens, [&](int t, int) { quantise_token(call, t, at); });
    }
}

}  // namespace heft::op
