// Attention by tiles: as it packs, on every table that has it, and as it attends, also on tile
// registers made of arrays.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "kernel/array_registers.h"
#include "kernel/generic/attention_tiles.inl.h"
#include "kernel/generic/tile_block.inl.h"
#include "kernel/table.h"
#include "tensor/half.h"
#include "tensor/quant/quant.h"

namespace heft::kernel {
namespace {

// As many lanes as a tile has rows, on any machine.
struct PlainLanes {
    static constexpr int kWidth = kTile;
    using F = float __attribute__((vector_size(64)));
    using I = std::int32_t __attribute__((vector_size(64)));

    static F load(const float* at) { return read<F>(at); }
    static void store(float* at, F value) { std::memcpy(at, &value, sizeof value); }
    static F set(float value) { return F{} + value; }
    static I set(std::int32_t value) { return I{} + value; }
    static F fma(F a, F b, F c) { return a * b + c; }
    static F greater(F a, F b) { return select<PlainLanes>((I)(a > b), a, b); }
    static std::int32_t max(I v) {
        std::int32_t most = v[0];
        for (int i = 1; i < kWidth; ++i) most = std::max<std::int32_t>(most, v[i]);
        return most;
    }
    static void to_bf16_pairs(F first, F second, std::uint16_t* to) {
        for (int i = 0; i < kWidth; ++i) {
            to[2 * i] = heft::to_bf16(first[i]);
            to[2 * i + 1] = heft::to_bf16(second[i]);
        }
    }
};

using Attend = void (*)(const KeyTiles&, const RowTiles&) noexcept;

std::vector<Attend> ways_to_attend() {
    std::vector<Attend> out{attend_tiles<PlainLanes, TileBlock<ArrayRegisters>>};
    for (const Table* table : usable())
        if (table->attend_tiles != nullptr) out.push_back(table->attend_tiles);
    return out;
}

struct Memory {  // of tiles, aligned as they want it
    explicit Memory(std::size_t n) : numbers(n + 32, 0x7fff) {}
    std::uint16_t* at() {
        const auto address = reinterpret_cast<std::uintptr_t>(numbers.data());
        return numbers.data() + (64 - address % 64) % 64 / sizeof(std::uint16_t);
    }
    std::vector<std::uint16_t> numbers;
};

struct Cached {
    Cached(DType type, int count, int width, Rng& rng) {
        const DTypeInfo& info = dtype_info(type);
        const std::int64_t stride = std::int64_t{width} / info.block * info.block_bytes + 6;
        bytes.assign(static_cast<std::size_t>(stride * count), std::byte{0xff});
        values.resize(static_cast<std::size_t>(count * width));
        for (float& x : values) x = static_cast<float>(2 * rng.uniform() - 1);
        for (int r = 0; r < count; ++r) {
            float* row = values.data() + std::ptrdiff_t{r} * width;
            std::byte* at = bytes.data() + r * stride;
            codec(type)->quantise(row, width, at);
            codec(type)->dequantise(at, width, row);
        }
        view = {bytes.data(), stride, count, width};
    }
    float at(int row, int column) const {
        const bool there = row < view.count && column < view.width;
        return there ? values[static_cast<std::size_t>(row * view.width + column)] : 0.0F;
    }
    std::vector<std::byte> bytes;
    std::vector<float> values;
    KvRows view;
};

template <class Body>
void each_block(const Body& body) {
    Rng rng(40);
    for (const Table* table : usable()) {
        if (table->attend_tiles == nullptr) continue;
        for (const DType type : {DType::f32, DType::f16, DType::bf16, DType::q8_0})
            for (const int width : {1, 8, 20, 32, 40, 64, 80, 96, 128})
                for (const int count : {1, 2, 17, 33, 127, 128})
                    if (width % dtype_info(type).block == 0)
                        body(*table, type, Cached(type, count, width, rng));
    }
}

TEST(PackKeyTiles, RoundsRowsAndFillsUpWithZeros) {
    each_block([](const Table& table, DType type, const Cached& cached) {
        const int tiles = (cached.view.width + 31) / 32;
        Memory packed(static_cast<std::size_t>(kTileKeys * tiles * kTileCols));
        table.pack_key_tiles(type, cached.view, packed.at());
        for (int j = 0; j < kTileKeys; ++j)
            for (int i = 0; i < tiles * kTileCols; ++i)
                ASSERT_EQ(packed.at()[(j / 16 * tiles + i / 32) * 512 + j % 16 * 32 + i % 32],
                          heft::to_bf16(cached.at(j, i)))
                    << table.name << " " << cached.view.width << " " << cached.view.count;
    });
}

TEST(PackValueTiles, TurnsRowsOverAndFillsUpWithZeros) {
    each_block([](const Table& table, DType type, const Cached& cached) {
        const int tiles = (cached.view.width + 31) / 32 * 2;
        Memory packed(static_cast<std::size_t>(kTileKeys * tiles * kTile));
        std::uint8_t spoilt[kTileKeys];
        EXPECT_FALSE(table.pack_value_tiles(type, cached.view, packed.at(), spoilt));
        for (int j = 0; j < kTileKeys; ++j)
            for (int i = 0; i < tiles * kTile; ++i)
                ASSERT_EQ(packed.at()[(i / 16 * 4 + j / 32) * 512 + i % 16 * 32 + j % 32],
                          heft::to_bf16(cached.at(j, i)))
                    << table.name << " " << cached.view.width << " " << cached.view.count;
    });
}

TEST(PackValueTiles, SaysWhichKeysHaveValuesThatAreNotFinite) {
    for (const Table* table : usable()) {
        if (table->attend_tiles == nullptr) continue;
        for (const float bad : {std::numeric_limits<float>::infinity(), -NAN}) {
            std::vector<float> values(std::size_t{100} * 48, 0.5F);
            values[std::size_t{7} * 48 + 47] = bad;
            values[std::size_t{99} * 48] = bad;
            Memory packed(std::size_t{kTileKeys} * 64);
            std::uint8_t spoilt[kTileKeys];
            EXPECT_TRUE(table->pack_value_tiles(
                DType::f32, {values.data(), 48 * sizeof(float), 100, 48}, packed.at(), spoilt));
            for (int j = 0; j < kTileKeys; ++j) {
                EXPECT_EQ(spoilt[j], j == 7 || j == 99 ? 1 : 0) << j;
                EXPECT_EQ(packed.at()[j / 32 * 512 + j % 32],
                          j == 7 || j >= 99 ? 0 : heft::to_bf16(0.5F))
                    << j;
            }
        }
    }
}

// Rows that see various parts of a block at position 256 of two tiles of columns each, as tiles.
class Block {
  public:
    static constexpr int kPairs = 3;
    static constexpr int kRows = kPairs * kPair;
    static constexpr int kWidth = 64;
    static constexpr std::int64_t kFrom = 256;

    Block(bool slopes, float cap, std::uint64_t seed)
        : keys_(kTileKeys * kWidth), values_(kTileKeys * kWidth), q_(kRows * kWidth) {
        Rng rng(seed);
        for (Memory* memory : {&keys_, &values_, &q_})
            for (auto& bits : memory->numbers)
                bits = heft::to_bf16(static_cast<float>(rng.uniform() - 0.5));
        for (int r = 0; r < kRows; ++r) {
            // The pairs see: some of the block, all of it, and nothing or a little.
            const bool second = r / kPair == 1;
            last[r] = second ? kFrom + 200 : kFrom + 5 * r % 100 - (r >= 2 * kPair ? 90 : 0);
            first[r] = second ? 3 : std::max<std::int64_t>(0, last[r] - 2 * r);
            slope[r] = 0.01F * static_cast<float>(r);
            shift[r] = -std::numeric_limits<float>::infinity();
        }
        for (int p = 0; p < kPairs; ++p) {
            const auto f = std::minmax_element(first + p * kPair, first + (p + 1) * kPair);
            const auto l = std::minmax_element(last + p * kPair, last + (p + 1) * kPair);
            reach[p] = {*f.first, *f.second, *l.first, *l.second};
        }
        tiles = {keys_.at(), values_.at(), nullptr, kFrom, kWidth / kTileCols, kWidth / kTile, cap};
        rows = {q_.at(), reach, first, last, slopes ? slope : nullptr, shift, sums, acc, kPairs};
    }

    double key(int j, int i) { return number(keys_, (j / 16 * 2 + i / 32) * 512, j % 16, i % 32); }
    double value(int j, int i) {
        return number(values_, (i / 16 * 4 + j / 32) * 512, i % 16, j % 32);
    }
    double query(int r, int i) {
        return number(q_, (r / 16 * 2 + i / 32) * 512, i % 32 / 2, r % 16 * 2 + i % 2);
    }
    float result(int r, int i) const {
        return acc[(r / 16 * (kWidth / 16) + i / 16) * 256 + i % 16 * 16 + r % 16];
    }
    double score(int r, int j) {
        double out = 0;
        for (int i = 0; i < kWidth; ++i) out += key(j, i) * query(r, i);
        const double cap = tiles.cap;
        if (cap > 0) out = cap * std::tanh(out / cap);
        if (rows.slope != nullptr)
            out += static_cast<double>(slope[r]) * static_cast<double>(kFrom + j - last[r]);
        return out;
    }
    bool sees(int r, int j) const { return kFrom + j >= first[r] && kFrom + j <= last[r]; }

    KeyTiles tiles;
    RowTiles rows;
    std::int64_t first[kRows], last[kRows];
    float slope[kRows], shift[kRows];
    float sums[kRows] = {};
    alignas(64) float acc[kRows * kWidth] = {};
    PairReach reach[kPairs];

  private:
    static double number(Memory& memory, int tile, int row, int column) {
        return static_cast<double>(heft::from_bf16(memory.at()[tile + row * 32 + column]));
    }
    Memory keys_, values_, q_;
};

// Weights are rounded to 8 bits and come of a polynomial good for 13.
constexpr double kWeightBound = 1.0 / 256;

void expect_softmax(Block& block, int times) {
    for (int r = 0; r < Block::kRows; ++r) {
        double sum = 0;
        std::vector<double> want(Block::kWidth);
        double size = 0;  // of all that was added
        for (int j = 0; j < kTileKeys; ++j) {
            if (!block.sees(r, j)) continue;
            const double weight =
                times * std::exp2(block.score(r, j) - static_cast<double>(block.shift[r]));
            sum += weight;
            size += weight;
            for (int i = 0; i < Block::kWidth; ++i)
                want[static_cast<std::size_t>(i)] += weight * block.value(j, i);
        }
        ASSERT_NEAR(static_cast<double>(block.sums[r]), sum, 2e-4 * sum) << r;
        for (int i = 0; i < Block::kWidth; ++i)
            ASSERT_NEAR(static_cast<double>(block.result(r, i)), want[static_cast<std::size_t>(i)],
                        kWeightBound * size)
                << r << " " << i;
    }
}

TEST(AttendTiles, IsTheSoftmaxOfTheKeysEachRowSees) {
    for (const Attend attend : ways_to_attend())
        for (const bool slopes : {false, true})
            for (const float cap : {0.0F, 2.0F}) {
                Block block(slopes, cap, 41);
                attend(block.tiles, block.rows);
                expect_softmax(block, 1);
                attend(block.tiles, block.rows);
                expect_softmax(block, 2);
                EXPECT_FALSE(ArrayRegisters::misused || ArrayRegisters::configured);
            }
}

TEST(AttendTiles, ScaleGrowsWithMuchGreaterScoresOnly) {
    for (const Attend attend : ways_to_attend()) {
        Block block(false, 0, 42);
        attend(block.tiles, block.rows);
        const std::vector<float> before(block.shift, block.shift + Block::kRows);
        for (int r = 0; r < Block::kRows; ++r) {
            // As if what there is stood for scores smaller by 5, or by 20.
            const float by = r % 2 == 0 ? 5 : 20;
            block.shift[r] -= by;
        }
        attend(block.tiles, block.rows);
        for (int r = 0; r < Block::kRows; ++r) {
            if (std::isinf(before[static_cast<std::size_t>(r)])) continue;
            const float shift = before[static_cast<std::size_t>(r)];
            EXPECT_EQ(block.shift[r], r % 2 == 0 ? shift - 5 : shift) << r;
        }
    }
}

TEST(AttendTiles, SpoiltKeysMakeNanOfTheRowsThatSeeThem) {
    for (const Attend attend : ways_to_attend()) {
        Block block(false, 0, 43);
        std::uint8_t spoilt[kTileKeys] = {};
        spoilt[20] = 1;
        block.tiles.spoilt = spoilt;
        attend(block.tiles, block.rows);
        for (int r = 0; r < Block::kRows; ++r)
            EXPECT_EQ(std::isnan(block.sums[r]), block.sees(r, 20)) << r;
    }
}

}  // namespace
}  // namespace heft::kernel
