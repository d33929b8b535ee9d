#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "kernel/table.h"
#include "tensor/quant/quant.h"

namespace heft::kernel {
namespace {

constexpr DType kTypes[] = {DType::f32, DType::f16, DType::bf16, DType::q8_0};
constexpr int kWidths[] = {1, 3, 8, 16, 20, 32, 64, 72, 80, 96, 128, 256};
constexpr int kCounts[] = {1, 2, 5, 8, 17, 63, 64};

std::size_t padded(int width) {
    return static_cast<std::size_t>((width + kKvPad - 1) / kKvPad * kKvPad);
}

std::vector<float> floats(std::size_t n, Rng& rng) {
    std::vector<float> out(n);
    for (float& x : out) x = static_cast<float>(rng.uniform() * 2 - 1);
    return out;
}

// Rows at an odd distance, and what they hold.
struct Rows {
    std::vector<std::byte> bytes;
    std::vector<float> values;  // [count][width]
    KvRows view;
};

Rows random_rows(DType type, int count, int width, Rng& rng) {
    const DTypeInfo& info = dtype_info(type);
    const std::int64_t stride = std::int64_t{width} / info.block * info.block_bytes + 6;
    Rows out;
    out.bytes.assign(static_cast<std::size_t>(stride * count), std::byte{0xff});
    out.values.resize(static_cast<std::size_t>(count * width));
    for (int r = 0; r < count; ++r) {
        const auto row = floats(static_cast<std::size_t>(width), rng);
        std::byte* at = out.bytes.data() + r * stride;
        codec(type)->quantise(row.data(), width, at);
        codec(type)->dequantise(at, width, out.values.data() + std::ptrdiff_t{r} * width);
    }
    out.view = {out.bytes.data(), stride, count, width};
    return out;
}

template <class Body>
void each_shape(const Body& body) {
    Rng rng(30);
    for (const DType type : kTypes)
        for (const int width : kWidths)
            for (const int count : kCounts)
                if (width % dtype_info(type).block == 0)
                    body(type, random_rows(type, count, width, rng));
}

TEST(PackKeys, TurnsTheBlockOverBitForBit) {
    each_shape([](DType type, const Rows& rows) {
        const auto width = static_cast<std::size_t>(rows.view.width);
        for (const Table* table : usable()) {
            std::vector<float> packed(padded(rows.view.width) * kKeys, NAN);
            table->pack_keys(type, rows.view, packed.data());
            for (std::size_t i = 0; i < width; ++i)
                for (std::size_t j = 0; j < kKeys; ++j) {
                    const bool there = j < static_cast<std::size_t>(rows.view.count);
                    ASSERT_EQ(packed[i * kKeys + j], there ? rows.values[j * width + i] : 0.0F)
                        << table->name << " " << width << " " << rows.view.count;
                }
        }
    });
}

TEST(PackValues, PadsRowsWithZerosBitForBit) {
    each_shape([](DType type, const Rows& rows) {
        const auto width = static_cast<std::size_t>(rows.view.width);
        const std::size_t stride = padded(rows.view.width);
        for (const Table* table : usable()) {
            std::vector<float> packed(stride * kKeys, NAN);
            table->pack_values(type, rows.view, packed.data());
            for (std::size_t j = 0; j < static_cast<std::size_t>(rows.view.count); ++j)
                for (std::size_t i = 0; i < stride; ++i)
                    ASSERT_EQ(packed[j * stride + i], i < width ? rows.values[j * width + i] : 0.0F)
                        << table->name << " " << width;
        }
    });
}

// A block of keys at position 128 and rows that see various parts of it.
class Tile {
  public:
    static constexpr int kHead = 24;
    static constexpr int kValue = 48;
    static constexpr std::int64_t kFrom = 128;

    Tile(int n_rows, float cap, Rng& rng)
        : q(floats(static_cast<std::size_t>(n_rows) * kHead, rng)),
          keys(floats(std::size_t{kHead} * kKeys, rng)),
          values(floats(std::size_t{kValue} * kKeys, rng)),
          sums(static_cast<std::size_t>(n_rows) * kSumLanes),
          acc(static_cast<std::size_t>(n_rows) * kValue) {
        for (int r = 0; r < n_rows; ++r) {
            const std::int64_t last = kFrom - 2 + 7 * r;
            rows.push_back({q.data() + std::ptrdiff_t{r} * kHead,
                            std::max<std::int64_t>(0, last - 30 * r), last,
                            r % 2 == 0 ? 0.0F : 0.03F, -std::numeric_limits<float>::infinity(),
                            sums.data() + std::ptrdiff_t{r} * kSumLanes,
                            acc.data() + std::ptrdiff_t{r} * kValue});
        }
        block = {keys.data(), values.data(), kFrom, kHead, kValue, cap};
    }

    std::vector<float> q, keys, values, sums, acc;
    std::vector<AttentionRow> rows;
    KeyBlock block;
};

void expect_softmax(const Tile& tile, const AttentionRow& row, const char* isa) {
    std::vector<double> want(Tile::kValue);
    double sum = 0;
    for (int j = 0; j < kKeys; ++j) {
        const std::int64_t at = Tile::kFrom + j;
        if (at < row.first || at > row.last) continue;
        double score = 0;
        for (int i = 0; i < Tile::kHead; ++i)
            score +=
                static_cast<double>(row.q[i]) * tile.keys[static_cast<std::size_t>(i * kKeys + j)];
        const double cap = tile.block.cap;
        if (cap > 0) score = cap * std::tanh(score / cap);
        score += static_cast<double>(row.slope) * static_cast<double>(at - row.last);
        const double weight = std::exp2(score - static_cast<double>(row.max));
        sum += weight;
        for (int i = 0; i < Tile::kValue; ++i)
            want[static_cast<std::size_t>(i)] +=
                weight * tile.values[static_cast<std::size_t>(j * Tile::kValue + i)];
    }
    double lanes = 0;
    for (int i = 0; i < kSumLanes; ++i) lanes += static_cast<double>(row.sums[i]);
    EXPECT_NEAR(lanes, sum, 1e-4) << isa;
    for (int i = 0; i < Tile::kValue; ++i)
        EXPECT_NEAR(row.acc[i], want[static_cast<std::size_t>(i)], 1e-4) << isa << " " << i;
}

TEST(Attend, IsTheSoftmaxOfTheKeysEachRowSees) {
    for (const float cap : {0.0F, 2.0F})
        for (const Table* table : usable()) {
            Rng rng(31);
            Tile tile(13, cap, rng);
            table->attend(tile.block, tile.rows.data(), static_cast<int>(tile.rows.size()));
            for (const AttentionRow& row : tile.rows) expect_softmax(tile, row, table->name);
        }
}

TEST(Attend, GivesARowTheSameBitsInEveryTile) {
    for (const Table* table : usable()) {
        Rng one(32);
        Tile together(13, 0, one);
        table->attend(together.block, together.rows.data(), 13);
        for (int n = 1; n <= 7; ++n) {
            Rng again(32);
            Tile apart(13, 0, again);
            for (int r = 0; r < 13; r += n)
                table->attend(apart.block, apart.rows.data() + r, std::min(n, 13 - r));
            EXPECT_EQ(apart.acc, together.acc) << table->name << " " << n;
            EXPECT_EQ(apart.sums, together.sums) << table->name << " " << n;
        }
    }
}

TEST(AttendStored, GivesTheBitsOfPackedValues) {
    Rng rng(35);
    for (const DType type : kTypes)
        for (const int width : kWidths)
            for (const int count : {1, 63, 64}) {
                if (width % dtype_info(type).block != 0) continue;
                const Rows values = random_rows(type, count, width, rng);
                for (const Table* table : usable())
                    for (const int n_rows : {1, 2, 5, 13}) {
                        const auto run = [&](bool stored) {
                            Rng again(36);
                            Tile tile(n_rows, 0, again);
                            const std::size_t stride = padded(width);
                            std::vector<float> packed(stride * kKeys, NAN);
                            table->pack_values(type, values.view, packed.data());
                            std::vector<float> acc(static_cast<std::size_t>(n_rows) * stride);
                            for (std::size_t r = 0; r < tile.rows.size(); ++r) {
                                tile.rows[r].last =
                                    std::min(tile.rows[r].last, Tile::kFrom + count - 1);
                                tile.rows[r].acc = acc.data() + r * stride;
                            }
                            tile.block.values = stored ? nullptr : packed.data();
                            tile.block.d_value = static_cast<int>(stride);
                            if (stored)
                                table->attend_stored(type, tile.block, values.view,
                                                     tile.rows.data(), n_rows);
                            else
                                table->attend(tile.block, tile.rows.data(), n_rows);
                            return acc;
                        };
                        ASSERT_EQ(run(true), run(false))
                            << table->name << " " << width << " " << count << " " << n_rows;
                    }
            }
}

// A second block with the keys of the first must double what there is, and greater scores must
// shrink it.
TEST(Attend, GoesOnFromWhatTheRowHas) {
    for (const Table* table : usable()) {
        Rng rng(33);
        Tile tile(1, 0, rng);
        tile.rows[0].first = 0;
        tile.rows[0].last = 1000;
        table->attend(tile.block, tile.rows.data(), 1);
        const auto once = tile.acc;
        table->attend(tile.block, tile.rows.data(), 1);
        for (std::size_t i = 0; i < once.size(); ++i)
            EXPECT_NEAR(tile.acc[i], 2 * once[i], 1e-4) << table->name;
        const float max = tile.rows[0].max;
        tile.rows[0].max = max - 3;  // as if what there is stood for scores smaller by 3
        const auto twice = tile.acc;
        table->attend(tile.block, tile.rows.data(), 1);
        EXPECT_EQ(tile.rows[0].max, max);
        for (std::size_t i = 0; i < once.size(); ++i)
            EXPECT_NEAR(tile.acc[i], twice[i] / 8 + once[i], 1e-4) << table->name;
    }
}

TEST(Attend, NeverTouchesValuesThatARowDoesNotSee) {
    for (const Table* table : usable()) {
        Rng rng(34);
        Tile tile(12, 0, rng);
        for (std::size_t r = 0; r < tile.rows.size(); ++r) {
            tile.rows[r].first = Tile::kFrom + 10;
            tile.rows[r].last = Tile::kFrom + 20 + static_cast<std::int64_t>(r);
        }
        for (int j = 0; j < kKeys; ++j)
            if (j < 10 || j > 31)
                std::fill_n(tile.values.data() + j * Tile::kValue, Tile::kValue, NAN);
        table->attend(tile.block, tile.rows.data(), static_cast<int>(tile.rows.size()));
        for (const float value : tile.acc) EXPECT_FALSE(std::isnan(value)) << table->name;
    }
}

TEST(Attend, WeightsArePowersOfTwoDownToZero) {
    for (const Table* table : usable()) {
        // One number per query and key: scores from 0 down, of which each is a key's own weight.
        std::vector<float> keys(kKeys), values(std::size_t{kKeys} * kKvPad);
        for (int step = 0; step < 40; ++step) {
            for (int j = 0; j < kKeys; ++j)
                keys[static_cast<std::size_t>(j)] =
                    j == 0 ? 0 : -0.0513F * static_cast<float>(j + kKeys * step);
            std::fill(values.begin(), values.end(), 0.0F);
            for (std::size_t j = 0; j < kKvPad; ++j) values[(3 * j + 1) * kKvPad + j] = 1;
            const float q[] = {1};
            float sums[kSumLanes] = {};
            float acc[kKvPad] = {};
            AttentionRow row{q, 0, kKeys, 0, -std::numeric_limits<float>::infinity(), sums, acc};
            table->attend({keys.data(), values.data(), 0, 1, kKvPad, 0}, &row, 1);
            for (std::size_t j = 0; j < kKvPad; ++j) {
                const double want = std::exp2(static_cast<double>(keys[3 * j + 1]));
                ASSERT_NEAR(acc[j], want, want > 1e-37 ? want * 2e-7 : 1.2e-38) << table->name;
            }
        }
    }
}

}  // namespace
}  // namespace heft::kernel
