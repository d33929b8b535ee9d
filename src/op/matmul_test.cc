#include "op/matmul.h"

#include <cmath>

#include <gtest/gtest.h>

#include "kernel/table.h"
#include "tensor/quant/quant.h"
#include "tensor/quant/test_blocks.h"

namespace heft::op {
namespace {

constexpr double kFloatEps = 0x1p-24;
// int8 activations: an error of up to 1/254 of the greatest of 32 activations each, averaging out.
constexpr double kFastRelativeRms = 0.01;

struct Matrix {
    std::vector<std::uint8_t> stored;
    Weight weight;
    std::vector<float> values;  // [rows, cols]
};

// `gap` bytes lie between its rows.
Matrix random_matrix(DType type, std::int64_t rows, std::int64_t cols, std::int64_t gap, Rng& rng) {
    const DTypeInfo& info = dtype_info(type);
    Matrix out;
    const std::int64_t row_bytes = cols / info.block * info.block_bytes;
    out.values.resize(static_cast<std::size_t>(rows * cols));
    for (std::int64_t r = 0; r < rows; ++r) {
        const auto row = test::random_weights(type, cols, rng);
        codec(type)->dequantise(row.data(), cols, out.values.data() + r * cols);
        out.stored.insert(out.stored.end(), row.begin(), row.end());
        out.stored.insert(out.stored.end(), static_cast<std::size_t>(gap), 0xff);
    }
    out.weight = {type, rows, cols, reinterpret_cast<const std::byte*>(out.stored.data()),
                  row_bytes + gap};
    return out;
}

std::vector<float> activations(std::int64_t n, Rng& rng) {
    std::vector<float> out(static_cast<std::size_t>(n));
    for (float& x : out) x = static_cast<float>(rng.uniform() * 2 - 1);
    return out;
}

struct Run {
    const kernel::Table& table;
    Precision precision;
    int n_threads;
    bool deterministic = false;
    bool as_alone = false;
    int tokens_in_integers = 24;
};

// The products of x [n_tokens, cols] with each matrix, concatenated.
std::vector<float> multiply(const Run& run, std::span<const Matrix> matrices,
                            const std::vector<float>& x, int n_tokens) {
    static ThreadPool one(1);
    static ThreadPool two(2);
    Context context{run.n_threads == 1 ? one : two, run.table, run.precision, run.deterministic,
                    run.as_alone};
    context.tuning.tokens_in_integers = run.tokens_in_integers;
    std::size_t size = 0;
    for (const Matrix& m : matrices) size += static_cast<std::size_t>(m.weight.rows * n_tokens);
    std::vector<float> out(size, NAN);
    std::vector<Product> products;
    float* at = out.data();
    for (const Matrix& m : matrices) {
        products.push_back({&m.weight, at, m.weight.rows});
        at += m.weight.rows * n_tokens;
    }
    matmul(context, products, x.data(), matrices.front().weight.cols, n_tokens);
    return out;
}

void expect_close(const Run& run, const Matrix& m, const std::vector<float>& x, int n_tokens) {
    const auto got = multiply(run, {&m, 1}, x, n_tokens);
    const std::int64_t n = m.weight.cols;
    double error = 0;
    double power = 0;
    for (std::int64_t t = 0; t < n_tokens; ++t) {
        for (std::int64_t r = 0; r < m.weight.rows; ++r) {
            double want = 0;
            double magnitude = 0;
            for (std::int64_t k = 0; k < n; ++k) {
                const double term =
                    static_cast<double>(m.values[static_cast<std::size_t>(r * n + k)])
                    * x[static_cast<std::size_t>(t * n + k)];
                want += term;
                magnitude += std::fabs(term);
                power += term * term;
            }
            const double value = got[static_cast<std::size_t>(t * m.weight.rows + r)];
            if (run.precision == Precision::f32) {
                const double bound = magnitude * kFloatEps * (static_cast<double>(n) + 12);
                ASSERT_NEAR(value, want, bound) << run.table.name << " row " << r << " token " << t;
            }
            error += (value - want) * (value - want);
        }
    }
    EXPECT_LE(std::sqrt(error), kFastRelativeRms * std::sqrt(power))
        << run.table.name << " " << dtype_info(m.weight.type).name;
}

TEST(Matmul, AgreesWithDoubleForEveryTypeAndTable) {
    Rng rng(10);
    for (const DTypeInfo& info : dtypes()) {
        if (codec(info.type) == nullptr) continue;
        const Matrix m = random_matrix(info.type, 37, info.block > 32 ? 512 : 288, 6, rng);
        for (const int n_tokens : {1, 3, 9, 24, 25}) {
            const auto x = activations(m.weight.cols * n_tokens, rng);
            for (const kernel::Table* table : kernel::usable()) {
                expect_close({*table, Precision::f32, 1}, m, x, n_tokens);
                expect_close({*table, Precision::fast, 1}, m, x, n_tokens);
            }
        }
    }
}

// As on a machine where tiles are faster than integers, or the other way round.
kernel::Table with_tiles(const kernel::Table& table, bool of_every_type) {
    kernel::Table out = table;
    out.has_tiles =
        of_every_type ? [](DType) noexcept { return true; } : [](DType) noexcept { return false; };
    return out;
}

TEST(Matmul, GoesInIntegersUpToASettingEvenWhereThereAreTiles) {
    Rng rng(18);
    const Matrix m = random_matrix(DType::q6_k, 83, 768, 6, rng);
    const auto x = activations(m.weight.cols * 33, rng);
    for (const kernel::Table* table : kernel::usable()) {
        if (table->tile_product == nullptr) continue;
        const kernel::Table all = with_tiles(*table, true);
        const kernel::Table none = with_tiles(*table, false);
        const auto run = [&](const kernel::Table& kernels, int n_tokens, int most,
                             bool deterministic) {
            return multiply({kernels, Precision::fast, 2, deterministic, false, most}, {&m, 1}, x,
                            n_tokens);
        };
        for (const int n_tokens : {9, 17, 32})
            EXPECT_EQ(run(all, n_tokens, 32, false), run(none, n_tokens, 32, false)) << n_tokens;
        EXPECT_NE(run(all, 33, 32, false), run(none, 33, 32, false));
        EXPECT_EQ(run(all, 9, 32, true), run(all, 9, 0, true));
    }
}

TEST(Matmul, TilesOfEveryTypeAgreeWithDouble) {
    Rng rng(16);
    for (const kernel::Table* table : kernel::usable()) {
        if (table->tile_product == nullptr) continue;
        const kernel::Table all = with_tiles(*table, true);
        for (const DTypeInfo& info : dtypes()) {
            if (codec(info.type) == nullptr) continue;
            const std::int64_t cols = info.block == 1 ? 801 : info.block > 32 ? 768 : 800;
            const Matrix m = random_matrix(info.type, 101, cols, 6, rng);
            for (const int n_tokens : {25, 33, 48, 70}) {
                const auto x = activations(m.weight.cols * n_tokens, rng);
                expect_close({all, Precision::fast, 2}, m, x, n_tokens);
            }
        }
        const Matrix tall = random_matrix(DType::q8_0, 2100, 64, 0, rng);
        const auto x = activations(tall.weight.cols * 530, rng);
        expect_close({all, Precision::fast, 2}, tall, x, 530);
        EXPECT_EQ(multiply({all, Precision::fast, 1}, {&tall, 1}, x, 530),
                  multiply({all, Precision::fast, 2}, {&tall, 1}, x, 530));
    }
}

TEST(Matmul, OneAndTwoThreadsGiveTheSameBits) {
    Rng rng(11);
    for (const DTypeInfo& info : dtypes()) {
        if (codec(info.type) == nullptr) continue;
        const std::int64_t cols = info.block == 1 ? 77 : 2 * info.block;
        std::vector<Matrix> matrices;
        for (const std::int64_t rows : {1, 37, 5})
            matrices.push_back(random_matrix(info.type, rows, cols, 0, rng));
        for (int n_tokens = 1; n_tokens <= 33; n_tokens += n_tokens < 9 ? 1 : 4) {
            const auto x = activations(cols * n_tokens, rng);
            for (const Precision precision : {Precision::f32, Precision::fast}) {
                const kernel::Table& table = kernel::best();
                EXPECT_EQ(multiply({table, precision, 1}, matrices, x, n_tokens),
                          multiply({table, precision, 2}, matrices, x, n_tokens))
                    << info.name << " " << n_tokens;
            }
        }
    }
}

// Whether the tokens get the same bits one by one, and so many at a time.
void expect_same_bits(const Run& run, const Matrix& m, const std::vector<float>& x,
                      std::initializer_list<int> chunks) {
    const auto n_tokens = static_cast<int>(x.size()) / static_cast<int>(m.weight.cols);
    const auto in_chunks = [&](int chunk) {
        std::vector<float> out;
        for (int from = 0; from < n_tokens; from += chunk) {
            const int n = std::min(chunk, n_tokens - from);
            const std::vector<float> part(x.begin() + from * m.weight.cols,
                                          x.begin() + (from + n) * m.weight.cols);
            const auto rows = multiply(run, {&m, 1}, part, n);
            out.insert(out.end(), rows.begin(), rows.end());
        }
        return out;
    };
    const auto alone = in_chunks(1);
    for (const int chunk : chunks)
        EXPECT_EQ(in_chunks(chunk), alone)
            << run.table.name << " " << dtype_info(m.weight.type).name << " "
            << (run.precision == Precision::f32 ? "f32" : "fast") << ", " << chunk << " at a time";
}

TEST(Matmul, AFewTokensTogetherGetTheBitsThatTheyGetAlone) {
    Rng rng(16);
    ThreadPool pool(1);
    for (const DTypeInfo& info : dtypes()) {
        if (codec(info.type) == nullptr) continue;
        const Matrix m = random_matrix(info.type, 37, info.block > 32 ? 512 : 288, 6, rng);
        for (const kernel::Table* table : kernel::usable()) {
            for (const Precision precision : {Precision::f32, Precision::fast}) {
                const int most = tokens_with_equal_bits({pool, *table, precision});
                const auto x = activations(m.weight.cols * most, rng);
                expect_same_bits({*table, precision, 1}, m, x, {2, 3, most - 1, most});
                const auto more = activations(m.weight.cols * kMostTokensAsAlone, rng);
                expect_same_bits({*table, precision, 1, false, true}, m, more,
                                 {2, 3, 5, 8, kMostTokensAsAlone});
            }
        }
    }
}

TEST(Matmul, AnyNumberOfTokensGetsTheSameBitsWhereThatIsAskedFor) {
    Rng rng(17);
    for (const DTypeInfo& info : dtypes()) {
        if (codec(info.type) == nullptr) continue;
        const Matrix m = random_matrix(info.type, 37, info.block > 32 ? 512 : 288, 6, rng);
        const auto x = activations(m.weight.cols * 67, rng);
        for (const kernel::Table* table : kernel::usable())
            for (const Precision precision : {Precision::f32, Precision::fast})
                expect_same_bits({*table, precision, 1, true}, m, x, {2, 3, 7, 16, 33, 67});
    }
}

TEST(Matmul, RaggedSizesOfPlainNumbers) {
    Rng rng(12);
    for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
        for (const std::int64_t cols : {1, 2, 15, 17, 31, 33, 255, 257, 1024}) {
            for (const std::int64_t rows : {1, 31, 33}) {
                const Matrix m = random_matrix(type, rows, cols, 1, rng);
                for (const int n_tokens : {1, 2, 13}) {
                    const auto x = activations(cols * n_tokens, rng);
                    for (const kernel::Table* table : kernel::usable())
                        expect_close({*table, Precision::f32, 1}, m, x, n_tokens);
                }
            }
        }
    }
}

TEST(Matmul, EveryTokenCountUpToSeveralTiles) {
    Rng rng(13);
    const Matrix m = random_matrix(DType::f32, 33, 300, 0, rng);
    for (int n_tokens = 1; n_tokens <= 40; ++n_tokens) {
        const auto x = activations(m.weight.cols * n_tokens, rng);
        for (const kernel::Table* table : kernel::usable())
            expect_close({*table, Precision::f32, 1}, m, x, n_tokens);
    }
}

TEST(Matmul, RowsBeyondTheMatrixAreNotTouched) {
    Rng rng(14);
    const Matrix m = random_matrix(DType::q8_0, 33, 64, 0, rng);
    for (const int n_tokens : {1, 8, 20}) {
        const auto x = activations(m.weight.cols * n_tokens, rng);
        ThreadPool pool(2);
        Context context{pool, kernel::best()};
        constexpr std::int64_t kStride = 40;
        std::vector<float> out(static_cast<std::size_t>(kStride * n_tokens), 7.0F);
        const Product product{&m.weight, out.data(), kStride};
        matmul(context, {&product, 1}, x.data(), m.weight.cols, n_tokens);
        for (std::size_t i = 0; i < out.size(); ++i) {
            if (i % kStride >= 33) {
                EXPECT_EQ(out[i], 7.0F) << i;
            }
        }
    }
}

// Permuting a matrix's columns and its input alike changes nothing, and products keep their places
// whatever orders they have.
TEST(Matmul, InputOrdersAreUndone) {
    Rng rng(15);
    const std::int64_t cols = 96;
    std::vector<std::int32_t> reversed(static_cast<std::size_t>(cols));
    std::vector<std::int32_t> rotated(reversed.size());
    for (std::int32_t k = 0; k < cols; ++k) {
        reversed[static_cast<std::size_t>(k)] = static_cast<std::int32_t>(cols) - 1 - k;
        rotated[static_cast<std::size_t>(k)] = (k + 17) % static_cast<std::int32_t>(cols);
    }
    for (const int n_tokens : {1, 3, 30}) {
        const auto x = activations(cols * n_tokens, rng);
        std::vector<Matrix> matrices;
        for (const auto* order :
             {&reversed, static_cast<decltype(&reversed)>(nullptr), &rotated, &reversed}) {
            matrices.push_back(random_matrix(DType::q8_0, 37, cols, 0, rng));
            if (order != nullptr) matrices.back().weight.input_order = order->data();
        }
        const kernel::Table& table = kernel::best();
        const auto together = multiply({table, Precision::fast, 2}, matrices, x, n_tokens);
        std::size_t at = 0;
        for (Matrix& m : matrices) {
            std::vector<float> moved = x;
            if (m.weight.input_order != nullptr)
                for (std::size_t i = 0; i < x.size(); ++i)
                    moved[i] =
                        x[i / 96 * 96 + static_cast<std::size_t>(m.weight.input_order[i % 96])];
            m.weight.input_order = nullptr;
            for (const float value :
                 multiply({table, Precision::fast, 2}, {&m, 1}, moved, n_tokens))
                ASSERT_EQ(value, together[at++]);
        }
    }
}

}  // namespace
}  // namespace heft::op
