#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "kernel/table.h"
#include "tensor/half.h"

namespace heft::kernel {
namespace {

constexpr double kRelative = 2e-6;

struct Rows {
    DType type;
    std::int64_t stride;
    std::vector<std::uint8_t> bytes;
    std::vector<float> values;  // [count, d_head]
};

Rows random_rows(DType type, int count, int d_head, Rng& rng) {
    const int size = dtype_info(type).block_bytes;
    Rows out{type, std::int64_t{d_head} * size + 10, {}, {}};
    for (int r = 0; r < count; ++r) {
        std::vector<std::uint8_t> row(static_cast<std::size_t>(out.stride), 0xff);
        for (int i = 0; i < d_head; ++i) {
            const auto value = static_cast<float>(rng.uniform() * 2 - 1);
            const std::uint16_t half = type == DType::f16 ? to_f16(value) : to_bf16(value);
            std::uint8_t* at = row.data() + i * size;
            if (type != DType::f32)
                std::memcpy(at, &half, sizeof half);
            else
                std::memcpy(at, &value, sizeof value);
            out.values.push_back(type == DType::f32   ? value
                                 : type == DType::f16 ? from_f16(half)
                                                      : from_bf16(half));
        }
        out.bytes.insert(out.bytes.end(), row.begin(), row.end());
    }
    return out;
}

std::vector<float> floats(int n, Rng& rng) {
    std::vector<float> out(static_cast<std::size_t>(n));
    for (float& x : out) x = static_cast<float>(rng.uniform());
    return out;
}

constexpr int kHeads[] = {1, 3, 8, 16, 20, 64, 72, 80, 96, 128, 256};
constexpr int kCounts[] = {1, 2, 3, 4, 5, 9, 70};

TEST(AttentionKernels, ScoresEqualDouble) {
    Rng rng(30);
    for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
        for (const int d : kHeads) {
            for (const int count : kCounts) {
                const Rows k = random_rows(type, count, d, rng);
                const auto q = floats(d, rng);
                for (const Table* table : usable()) {
                    std::vector<float> got(static_cast<std::size_t>(count));
                    table->scores(type, q.data(), k.bytes.data(), k.stride, count, d, 0.5F,
                                  got.data());
                    for (int j = 0; j < count; ++j) {
                        double want = 0;
                        for (int i = 0; i < d; ++i)
                            want += static_cast<double>(q[static_cast<std::size_t>(i)])
                                    * k.values[static_cast<std::size_t>(j * d + i)] / 2;
                        EXPECT_NEAR(got[static_cast<std::size_t>(j)], want, kRelative * d)
                            << table->name << " " << d << " " << count;
                    }
                }
            }
        }
    }
}

TEST(AttentionKernels, WeightedSumEqualsDoubleAndAdds) {
    Rng rng(31);
    for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
        for (const int d : kHeads) {
            for (const int count : kCounts) {
                const Rows v = random_rows(type, count, d, rng);
                const auto p = floats(count, rng);
                const auto start = floats(d, rng);
                for (const Table* table : usable()) {
                    auto acc = start;
                    table->weighted_sum(type, p.data(), v.bytes.data(), v.stride, count, d,
                                        acc.data());
                    for (std::size_t i = 0; i < start.size(); ++i) {
                        double want = start[i];
                        for (std::size_t j = 0; j < p.size(); ++j)
                            want += static_cast<double>(p[j]) * v.values[j * start.size() + i];
                        EXPECT_NEAR(acc[i], want, kRelative * (count + 1))
                            << table->name << " " << d;
                    }
                }
            }
        }
    }
}

// Keys are split into pieces by pages and threads; that must not show.
TEST(AttentionKernels, PiecesGiveTheSameBits) {
    Rng rng(32);
    constexpr int kCount = 23;
    for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
        for (const int d : kHeads) {
            const Rows rows = random_rows(type, kCount, d, rng);
            const auto q = floats(d, rng);
            const auto p = floats(kCount, rng);
            for (const Table* table : usable()) {
                std::vector<float> whole(kCount);
                std::vector<float> pieces(kCount);
                std::vector<float> sum(static_cast<std::size_t>(d));
                std::vector<float> sum_of_pieces(static_cast<std::size_t>(d));
                const std::uint8_t* at = rows.bytes.data();
                table->scores(type, q.data(), at, rows.stride, kCount, d, 0.3F, whole.data());
                table->weighted_sum(type, p.data(), at, rows.stride, kCount, d, sum.data());
                for (const int first : {0, 7}) {
                    const int n = first == 0 ? 7 : kCount - 7;
                    const std::uint8_t* piece = at + first * rows.stride;
                    table->scores(type, q.data(), piece, rows.stride, n, d, 0.3F,
                                  pieces.data() + first);
                    table->weighted_sum(type, p.data() + first, piece, rows.stride, n, d,
                                        sum_of_pieces.data());
                }
                EXPECT_EQ(whole, pieces) << table->name;
                EXPECT_EQ(sum, sum_of_pieces) << table->name;
            }
        }
    }
}

}  // namespace
}  // namespace heft::kernel
