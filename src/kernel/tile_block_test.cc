// The walk for tile registers, on registers made of arrays: what runs on AMX but for its
// instructions.
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "kernel/array_registers.h"
#include "kernel/generic/tile_block.inl.h"
#include "kernel/generic/tile_walk.inl.h"

namespace heft::kernel {
namespace {

// Small whole numbers: every product and sum is exact.
std::vector<std::uint16_t> numbers(int count, Rng& rng) {
    std::vector<std::uint16_t> out(static_cast<std::size_t>(count));
    for (auto& bits : out) {
        const auto value = static_cast<float>(static_cast<int>(rng.next() % 9) - 4);
        std::uint32_t wide = 0;
        std::memcpy(&wide, &value, sizeof wide);
        bits = static_cast<std::uint16_t>(wide >> 16);
    }
    return out;
}

struct Sizes {
    int rows, tokens, k;  // tiles
    int spare;            // tiles of b between those of two tokens
};

void expect_product(const Sizes& s, bool add) {
    Rng rng(static_cast<std::uint64_t>(s.rows * 100 + s.tokens * 10 + s.k));
    const auto a = numbers(s.rows * s.k * kTileNumbers, rng);
    const auto b = numbers(s.tokens * (s.k + s.spare) * kTileNumbers, rng);
    std::vector<float> c(static_cast<std::size_t>(s.rows * s.tokens * kResultNumbers), 3.0F);
    tile_product<TileBlock<ArrayRegisters>>({a.data(),
                                             b.data(),
                                             std::int64_t{s.k + s.spare} * kTileNumbers,
                                             c.data(),
                                             s.rows,
                                             s.tokens,
                                             s.k,
                                             add,
                                             {}});
    EXPECT_FALSE(ArrayRegisters::configured);
    EXPECT_FALSE(ArrayRegisters::misused);
    const auto left = [&](int row, int col) {
        const int tile = row / 16 * s.k + col / 32;
        return from_bf16(a[static_cast<std::size_t>(tile * 512 + row % 16 * 32 + col % 32)]);
    };
    const auto right = [&](int token, int col) {
        const int tile = token / 16 * (s.k + s.spare) + col / 32;
        const int pair = col % 32 / 2;
        return from_bf16(
            b[static_cast<std::size_t>(tile * 512 + pair * 32 + token % 16 * 2 + col % 2)]);
    };
    for (int row = 0; row < s.rows * 16; ++row)
        for (int token = 0; token < s.tokens * 16; ++token) {
            float want = add ? 3.0F : 0.0F;
            for (int col = 0; col < s.k * 32; ++col) want += left(row, col) * right(token, col);
            const int tile = token / 16 * s.rows + row / 16;
            ASSERT_EQ(c[static_cast<std::size_t>(tile * 256 + row % 16 * 16 + token % 16)], want)
                << row << " " << token;
        }
}

TEST(TileBlock, EveryResultIsTheSumOverItsColumns) {
    for (int rows = 1; rows <= 3; ++rows)
        for (int tokens = 1; tokens <= 3; ++tokens)
            for (int k = 1; k <= 3; ++k)
                for (const bool add : {false, true}) expect_product({rows, tokens, k, 1}, add);
}

TEST(TileBlock, EachStepOfTheWorkBesideIsDoneOnceInOrder) {
    for (const int steps : {1, 2, 3, 16, 40}) {
        constexpr int kTiles = 3;
        const std::vector<std::uint16_t> zeros(kTiles * kTileNumbers);
        std::vector<float> c(kTiles * kTiles * kResultNumbers);
        std::vector<int> done;
        const auto run = [](const void* work, int begin, int end) noexcept {
            auto& list = **static_cast<std::vector<int>* const*>(work);
            for (int i = begin; i < end; ++i) list.push_back(i);
        };
        std::vector<int>* const list = &done;
        tile_product<TileBlock<ArrayRegisters>>({zeros.data(),
                                                 zeros.data(),
                                                 kTileNumbers,
                                                 c.data(),
                                                 kTiles,
                                                 kTiles,
                                                 1,
                                                 false,
                                                 {run, &list, steps}});
        ASSERT_EQ(done.size(), static_cast<std::size_t>(steps));
        for (int i = 0; i < steps; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)], i);
    }
}

}  // namespace
}  // namespace heft::kernel
