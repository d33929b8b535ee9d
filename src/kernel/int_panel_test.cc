#include <cmath>

#include <gtest/gtest.h>

#include "kernel/table.h"
#include "tensor/quant/quant.h"
#include "tensor/quant/test_blocks.h"

namespace heft::kernel {
namespace {

constexpr double kFloatEps = 0x1p-24;
constexpr int kMostTokens = 50;  // more than three tiles

// Rows of a type, and tokens quantised by one table.
struct Operands {
    const Table* table;
    DType type;
    std::int64_t n;
    std::int64_t row_bytes;
    std::vector<std::uint8_t> weights;
    std::vector<std::int8_t> q;
    std::vector<float> scale;
    std::vector<std::int16_t> sum16;
    std::vector<float> scaled16;
    std::vector<float> scaled32;
    std::vector<QuantisedRow> x;

    Operands(const Table& from, DType of, std::int64_t cols, Rng& rng)
        : table(&from),
          type(of),
          n(cols),
          row_bytes(cols / dtype_info(of).block * dtype_info(of).block_bytes),
          weights(test::random_weights(of, cols * kPanelRows, rng)),
          q(static_cast<std::size_t>(cols * kMostTokens)),
          scale(q.size() / 32),
          sum16(q.size() / 16),
          scaled16(q.size() / 16),
          scaled32(q.size() / 32) {
        std::vector<float> floats(static_cast<std::size_t>(cols));
        for (std::int64_t t = 0; t < kMostTokens; ++t) {
            for (float& value : floats) value = static_cast<float>(rng.uniform() * 2 - 1);
            const QuantisedRoom room{q.data() + t * n, scale.data() + t * n / 32,
                                     sum16.data() + t * n / 16, scaled16.data() + t * n / 16,
                                     scaled32.data() + t * n / 32};
            table->quantise_row(floats.data(), n, room);
            x.push_back(room.row());
        }
    }

    // [n_tokens][n_rows], from row and token `first_row` and `first_token` on.
    std::vector<float> product(int n_rows, int n_tokens, int first_row = 0, int first_token = 0,
                               int lanes = 1) const {
        const int tiles = (n_tokens + kTile - 1) / kTile;
        constexpr int kTileSums = kPanelRows * kTile;
        std::vector<float> sums(static_cast<std::size_t>(tiles * kTileSums));
        std::vector<ByteInput> packed(static_cast<std::size_t>(tiles));
        const DTypeInfo& info = dtype_info(type);
        for (std::int64_t k = 0; k < n; k += kInputColumns) {
            const auto n_cols = static_cast<int>(std::min<std::int64_t>(kInputColumns, n - k));
            for (int tile = 0; tile < tiles; ++tile)
                table->pack_bytes(x.data() + first_token + tile * kTile,
                                  std::min(kTile, n_tokens - tile * kTile), lanes, k, n_cols,
                                  packed.data() + tile);
            table->int_panel(
                type, {weights.data() + first_row * row_bytes + k / info.block * info.block_bytes,
                       row_bytes, n_rows, n_cols, 0, packed.data(), 1, tiles, sums.data(), k != 0,
                       lanes});
        }
        std::vector<float> out(static_cast<std::size_t>(n_rows * n_tokens));
        if (lanes == 2) {
            for (int t = 0; t < n_tokens; ++t)
                for (int r = 0; r < n_rows; ++r)
                    out[static_cast<std::size_t>(t * n_rows + r)] =
                        sums[static_cast<std::size_t>(r / 2 * kTile + 2 * t + r % 2)];
            return out;
        }
        for (int t = 0; t < n_tokens; t += kTile)
            for (int r = 0; r < n_rows; r += kTile)
                table->put_tile(sums.data() + t / kTile * kTileSums + r / kTile * kResultNumbers,
                                std::min(kTile, n_rows - r), std::min(kTile, n_tokens - t),
                                out.data() + t * n_rows + r, n_rows);
        return out;
    }
};

std::vector<std::int64_t> sizes(DType type) {
    if (dtype_info(type).block == 32) return {32, 96, 256, 288, 800};
    return {256, 768};
}

template <class Check>
void for_all(std::uint64_t seed, const Check& check) {
    Rng rng(seed);
    for (const Table* table : usable())
        for (const DTypeInfo& info : dtypes())
            if (table->has_dot_int(info.type))
                for (const std::int64_t n : sizes(info.type)) {
                    SCOPED_TRACE(std::string(table->name) + " " + info.name + " "
                                 + std::to_string(n));
                    check(Operands(*table, info.type, n, rng));
                }
}

// As DotInt: only the float sums over groups round.
TEST(IntPanel, EqualsDoubleWithinTheRoundingOfASumOverGroups) {
    for_all(1, [](const Operands& o) {
        constexpr int kRows = 19;
        const auto got = o.product(kRows, kMostTokens);
        std::vector<float> w(static_cast<std::size_t>(o.n));
        for (int r = 0; r < kRows; ++r) {
            codec(o.type)->dequantise(o.weights.data() + r * o.row_bytes, o.n, w.data());
            for (int t = 0; t < kMostTokens; ++t) {
                const QuantisedRow& x = o.x[static_cast<std::size_t>(t)];
                double want = 0;
                double magnitude = 0;
                for (std::size_t i = 0; i < w.size(); ++i) {
                    const double term =
                        static_cast<double>(w[i]) * static_cast<double>(x.scale[i / 32]) * x.q[i];
                    want += term;
                    magnitude += std::fabs(term);
                }
                constexpr double kCancelled = 4;
                const double bound =
                    magnitude * kFloatEps * kCancelled * (static_cast<double>(o.n) / 16 + 24);
                ASSERT_NEAR(got[static_cast<std::size_t>(t * kRows + r)], want, bound)
                    << r << " " << t;
            }
        }
    });
}

TEST(IntPanel, DoesNotDependOnNeighbours) {
    for_all(2, [](const Operands& o) {
        const auto all = o.product(kPanelRows, kMostTokens);
        for (const int n_rows : {1, 7, 16, 31, 32})
            for (const int n_tokens : {1, 7, 16, 17, 32, 33, 48}) {
                const int row = (kPanelRows - n_rows) / 2;
                const int token = (kMostTokens - n_tokens) / 2;
                const auto part = o.product(n_rows, n_tokens, row, token);
                for (int t = 0; t < n_tokens; ++t)
                    for (int r = 0; r < n_rows; ++r)
                        ASSERT_EQ(part[static_cast<std::size_t>(t * n_rows + r)],
                                  all[static_cast<std::size_t>((token + t) * kPanelRows + row + r)])
                            << n_rows << " " << n_tokens;
            }
    });
}

TEST(IntPanel, PairsOfRowsGiveTheSameBits) {
    for_all(4, [](const Operands& o) {
        for (const int n_rows : {1, 2, 7, 16, 31, 32})
            for (const int n_tokens : {1, 3, 8})
                ASSERT_EQ(o.product(n_rows, n_tokens, 0, 5, 2), o.product(n_rows, n_tokens, 0, 5))
                    << n_rows << " " << n_tokens;
    });
}

// Extreme codes against extreme activations: whatever saturates, shows.
TEST(IntPanel, NothingSaturates) {
    for_all(3, [](Operands o) {
        for (const int fill : {0x00, 0xff, 0x7f, 0x80, 0x0f, 0xf0})
            for (const int sign : {-1, 1}) {
                test::fill_codes(o.type, static_cast<std::uint8_t>(fill), o.weights);
                std::fill(o.q.begin(), o.q.end(), static_cast<std::int8_t>(127 * sign));
                std::fill(o.scale.begin(), o.scale.end(), 1.0F);
                std::fill(o.sum16.begin(), o.sum16.end(),
                          static_cast<std::int16_t>(127 * 16 * sign));
                std::fill(o.scaled16.begin(), o.scaled16.end(),
                          127.0F * 16.0F * static_cast<float>(sign));
                std::fill(o.scaled32.begin(), o.scaled32.end(),
                          127.0F * 32.0F * static_cast<float>(sign));
                std::vector<float> w(static_cast<std::size_t>(o.n));
                codec(o.type)->dequantise(o.weights.data(), o.n, w.data());
                double want = 0;
                double magnitude = 0;
                for (const float value : w) {
                    want += static_cast<double>(value) * 127 * sign;
                    magnitude += std::fabs(static_cast<double>(value) * 127);
                }
                for (const float got : o.product(17, 7))
                    ASSERT_NEAR(got, want, magnitude * kFloatEps * 64) << fill << " " << sign;
            }
    });
}

}  // namespace
}  // namespace heft::kernel
