// What the ways to multiply share: a call, its routes, and its activations as they want them.
// Private to op/matmul*.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "op/matmul.h"
#include "op/scratch.h"

namespace heft::op {

// Matrices that multiply the same input, ready to be computed.
struct Call {
    Context* context;
    std::span<const Product> products;
    const float* x;
    std::int64_t x_stride;
    int n_tokens;
    std::int64_t cols;
    bool few = true;           // tokens: each row is multiplied as it is stored
    bool in_integers = false;  // too few tokens for tiles where integers will do
    // Where a product is made in integers: x, quantised, for few tokens turned too.
    std::vector<kernel::QuantisedRow> quantised = {};
    std::vector<const kernel::InputChunk*> turned = {};
    std::uint16_t* tiles = nullptr;      // where one is made of tiles: x, packed
    kernel::ByteInput* bytes = nullptr;  // where one is made in integers: x, for many tokens
};

// How a product is made.
enum class Route : std::uint8_t { floats, integers, tiles };

inline Route route(const Call& call, const Weight& w) {
    const kernel::Table& kernels = call.context->kernels;
    if (call.context->precision != Precision::fast) return Route::floats;
    const bool integers = kernels.has_dot_int(w.type);
    if (!call.few && kernels.has_tiles(w.type) && !(integers && call.in_integers))
        return Route::tiles;
    return integers ? Route::integers : Route::floats;
}

inline bool takes(const Call& call, Route wanted) {
    return std::any_of(call.products.begin(), call.products.end(), [&](const Product& product) {
        return route(call, *product.weight) == wanted;
    });
}

// Quantises the inputs of the calls that need it, on all threads; the rows live in the scratch.
std::size_t quantised_bytes(std::span<const Call> calls);
void quantise(Context& context, std::span<Call> calls, Scratch& scratch);

void by_rows(Context& context, std::span<Call> calls);
void by_panels(Context& context, std::span<Call> calls);

// Products made of bfloat16 tiles, for by_panels: x is packed once for all rows.
std::size_t packed_bytes(std::span<const Call> calls);
void pack(Context& context, std::span<Call> calls, Scratch& scratch);

inline constexpr int kTilePanelRows = 256;  // unpacked at once: they stay in the second cache
std::size_t tile_scratch_bytes(std::span<const Call> calls);  // of each thread
// Rows first … first + n_rows - 1, at most kTilePanelRows; `memory` is the thread's.
void tile_panel(const Call& call, const Product& product, std::int64_t first, int n_rows,
                std::byte* memory);

// The same in integers, of inputs that are quantised already.
inline constexpr int kBytePanelRows = 128;  // multiplied at once: their sums stay there
std::size_t byte_input_bytes(std::span<const Call> calls);
void pack_bytes(Context& context, std::span<Call> calls, Scratch& scratch);
std::size_t byte_scratch_bytes(std::span<const Call> calls);
// Rows first … first + n_rows - 1, at most kBytePanelRows.
void byte_panels(const Call& call, const Product& product, std::int64_t first, int n_rows,
                 std::byte* memory);

}  // namespace heft::op
