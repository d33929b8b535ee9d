#include "op/attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "op/rope.h"
#include "op/tuning.h"
#include "tensor/quant/quant.h"

namespace heft::op {
namespace {

// Sums of a few hundred float products of numbers below 1.
constexpr double kBound = 2e-5;
// Values below 1 and their weights, each rounded to bfloat16, and what rounded queries and keys do
// to the weights.
constexpr double kTileBound = 8e-3;

std::vector<float> noise(std::size_t n, std::uint64_t seed) {
    Rng rng(seed);
    std::vector<float> out(n);
    for (float& value : out) value = static_cast<float>(2 * rng.uniform() - 1);
    return out;
}

// One query at position `last`, in double.
std::vector<double> plain(const AttentionShape& s, const float* q, const std::vector<float>& k,
                          const std::vector<float>& v, std::int64_t first, std::int64_t last) {
    std::vector<double> out(static_cast<std::size_t>(s.n_head * s.d_value));
    for (int h = 0; h < s.n_head; ++h) {
        const int kv = h / (s.n_head / s.n_kv);
        double sum = s.sinks == nullptr ? 0 : std::exp(static_cast<double>(s.sinks[h]));
        double* result = out.data() + std::ptrdiff_t{h} * s.d_value;
        for (std::int64_t j = first; j <= last; ++j) {
            const float* key = k.data() + (j * s.n_kv + kv) * s.d_head;
            const float* value = v.data() + (j * s.n_kv + kv) * s.d_value;
            double score = 0;
            for (int i = 0; i < s.d_head; ++i)
                score += static_cast<double>(q[h * s.d_head + i]) * static_cast<double>(key[i]);
            score *= static_cast<double>(s.scale);
            const auto cap = static_cast<double>(s.cap);
            if (cap > 0) score = cap * std::tanh(score / cap);
            if (s.slopes != nullptr)
                score += static_cast<double>(s.slopes[h]) * static_cast<double>(j - last);
            const double weight = std::exp(score);
            sum += weight;
            for (int i = 0; i < s.d_value; ++i) result[i] += weight * static_cast<double>(value[i]);
        }
        for (int i = 0; i < s.d_value; ++i) result[i] /= sum;
    }
    return out;
}

// Rows of this type, made of floats, which become what the type holds of them.
std::vector<std::byte> stored(DType type, std::vector<float>& values) {
    const DTypeInfo& info = dtype_info(type);
    const auto n = static_cast<std::int64_t>(values.size());
    std::vector<std::byte> out(static_cast<std::size_t>(n / info.block * info.block_bytes));
    codec(type)->quantise(values.data(), n, out.data());
    codec(type)->dequantise(out.data(), n, values.data());
    return out;
}

AttentionShape shape_of(int n_head, int n_kv, int d_head, int d_value) {
    AttentionShape shape;
    shape.n_head = n_head;
    shape.n_kv = n_kv;
    shape.d_head = d_head;
    shape.d_value = d_value;
    shape.scale = 0.25F;
    return shape;
}

// A cached sequence, and queries at the positions that end it.
struct Sequence {
    Sequence(AttentionShape of, DType keys_as, DType values_as, std::int64_t n_positions,
             std::uint64_t seed)
        : shape(of), length(n_positions) {
        const auto n = static_cast<std::size_t>(length);
        const auto row_bytes = [](DType type, int numbers) {
            return std::int64_t{numbers} / dtype_info(type).block * dtype_info(type).block_bytes;
        };
        shape.key_type = keys_as;
        shape.value_type = values_as;
        shape.key_row_bytes = row_bytes(keys_as, shape.n_kv * shape.d_head);
        shape.value_row_bytes = row_bytes(values_as, shape.n_kv * shape.d_value);
        q = noise(n * static_cast<std::size_t>(shape.n_head * shape.d_head), seed);
        k = noise(n * static_cast<std::size_t>(shape.n_kv * shape.d_head), seed + 1);
        v = noise(n * static_cast<std::size_t>(shape.n_kv * shape.d_value), seed + 2);
        keys = stored(keys_as, k);
        values = stored(values_as, v);
        key_blocks.resize((n + kBlock - 1) / kBlock);
        value_blocks.resize(key_blocks.size());
    }

    std::int64_t first_seen(std::int64_t at) const {
        if (window == 0) return 0;
        return chunked ? at - at % window : std::max<std::int64_t>(0, at - window + 1);
    }
    // The blocks are looked up anew: tests change what is stored.
    Seen seen(std::int64_t at) const {
        for (std::int64_t from = 0, i = 0; from < length; from += kBlock, ++i) {
            key_blocks[static_cast<std::size_t>(i)] = keys.data() + from * shape.key_row_bytes;
            value_blocks[static_cast<std::size_t>(i)] =
                values.data() + from * shape.value_row_bytes;
        }
        return {key_blocks.data(), value_blocks.data(), first_seen(at), at};
    }
    const float* query(std::int64_t at) const {
        return q.data() + at * shape.n_head * shape.d_head;
    }

    AttentionShape shape;
    std::int64_t length;
    std::int64_t window = 0;
    bool chunked = false;
    std::vector<float> q, k, v;
    std::vector<std::byte> keys, values;
    mutable std::vector<const std::byte*> key_blocks, value_blocks;
};

struct Wanted {
    const Sequence* of;
    std::int64_t at;
};

struct Way {
    Precision precision = Precision::fast;
    bool deterministic = false;
};

constexpr Way kAsEach{Precision::fast, true};  // as each token alone

std::vector<float> compute(const kernel::Table& table, int n_threads,
                           const std::vector<Wanted>& tokens, Way way = {}) {
    const AttentionShape& shape = tokens.front().of->shape;
    std::vector<Seen> seen;
    std::vector<float> q;
    for (const Wanted& token : tokens) {
        seen.push_back(token.of->seen(token.at));
        const float* from = token.of->query(token.at);
        q.insert(q.end(), from, from + std::ptrdiff_t{shape.n_head} * shape.d_head);
    }
    static ThreadPool one(1);
    static ThreadPool two(2);
    Context context{n_threads == 1 ? one : two, table, way.precision, way.deterministic};
    context.least_by_tiles = kMostTokensAsAlone + 1;
    std::vector<float> out(tokens.size() * static_cast<std::size_t>(shape.n_head * shape.d_value),
                           NAN);
    attention(context, shape, seen, q.data(), out.data());
    return out;
}

// The last `n` positions of a sequence.
std::vector<Wanted> last_of(const Sequence& sequence, std::int64_t n) {
    std::vector<Wanted> out;
    for (std::int64_t at = sequence.length - n; at < sequence.length; ++at)
        out.push_back({&sequence, at});
    return out;
}

void expect_plain(const Sequence& s, std::int64_t n, const kernel::Table& table, Way way) {
    const bool tiles =
        way.precision == Precision::fast && n > kMostTokensAsAlone && table.attend_tiles != nullptr;
    const auto got = compute(table, 2, last_of(s, n), way);
    const auto width = static_cast<std::size_t>(s.shape.n_head * s.shape.d_value);
    for (std::int64_t t = 0; t < n; ++t) {
        const std::int64_t at = s.length - n + t;
        const auto want = plain(s.shape, s.query(at), s.k, s.v, s.first_seen(at), at);
        for (std::size_t i = 0; i < width; ++i)
            ASSERT_NEAR(static_cast<double>(got[static_cast<std::size_t>(t) * width + i]), want[i],
                        tiles ? kTileBound : kBound)
                << table.name << " at " << at << " window " << s.window;
    }
}

void expect_plain(const Sequence& s, std::int64_t n) {
    for (const kernel::Table* table : kernel::usable()) {
        expect_plain(s, n, *table, {});
        if (table->attend_tiles != nullptr) expect_plain(s, n, *table, {Precision::f32});
    }
}

struct Case {
    int n_head, n_kv, d_head, d_value, length, n;
};

constexpr Case kCases[] = {
    {4, 2, 16, 16, 1, 1},     {4, 4, 32, 32, 6, 6},      {8, 2, 64, 64, 131, 9},
    {6, 1, 24, 24, 301, 2},   {2, 2, 128, 128, 600, 3},  {3, 3, 5, 7, 141, 141},
    {4, 1, 48, 32, 200, 5},   {4, 2, 16, 40, 130, 70},   {14, 2, 32, 64, 1100, 2},
    {200, 1, 32, 32, 520, 1}, {8, 2, 64, 64, 400, 100},  {6, 2, 72, 80, 300, 37},
    {5, 1, 160, 96, 150, 17}, {2, 1, 576, 512, 140, 20}, {40, 1, 32, 32, 200, 18},
};

constexpr DType kTypes[] = {DType::f32, DType::f16, DType::bf16, DType::q8_0};

bool suits(const Case& c, DType keys, DType values) {
    return c.d_head % dtype_info(keys).block == 0 && c.d_value % dtype_info(values).block == 0;
}

TEST(Attention, AgreesWithThePlainFormulaOnEveryInstructionSet) {
    for (const DType type : kTypes)
        for (const Case& c : kCases)
            if (suits(c, type, type))
                expect_plain(
                    {shape_of(c.n_head, c.n_kv, c.d_head, c.d_value), type, type, c.length, 1},
                    c.n);
}

TEST(Attention, KeysAndValuesMayBeOfDifferentTypes) {
    for (const DType keys : kTypes)
        for (const DType values : kTypes)
            expect_plain({shape_of(4, 2, 32, 64), keys, values, 150, 2}, 20);
}

TEST(Attention, WindowsAndChunksHideKeys) {
    for (const std::int64_t window : {1, 5, 64, 100, 513})
        for (const bool chunked : {false, true})
            for (const Case& c : kCases) {
                Sequence s(shape_of(c.n_head, c.n_kv, c.d_head, c.d_value), DType::f32, DType::f32,
                           c.length, 3);
                s.window = window;
                s.chunked = chunked;
                expect_plain(s, c.n);
            }
}

TEST(Attention, CapsSlopesAndSinksFollowTheirFormulas) {
    const std::vector<float> slopes = {0.5F, 0.25F, 0.125F, 0.0625F};
    const std::vector<float> sinks = {3, -2, 0, 0.5F};
    for (int which = 1; which < 8; ++which)
        for (const std::int64_t window : {0, 70})
            for (const int length : {1, 700}) {
                AttentionShape shape = shape_of(4, 2, 32, 32);
                if ((which & 1) != 0) shape.cap = 0.5F;
                if ((which & 2) != 0) shape.slopes = slopes.data();
                if ((which & 4) != 0) shape.sinks = sinks.data();
                Sequence s(shape, DType::f32, DType::f32, length, 4);
                s.window = window;
                expect_plain(s, std::min(length, 20));
            }
}

// Computed alone, in chunks of any size, beside tokens of other sequences, on any number of
// threads: the same bits where these are asked for.
TEST(Attention, BitsDependOnTheTokenAlone) {
    for (const kernel::Table* table : kernel::usable())
        for (const DType type : {DType::f16, DType::q8_0})
            for (const std::int64_t window : {0, 200}) {
                const AttentionShape shape = shape_of(8, 2, 32, 32);
                Sequence one(shape, type, type, 1700, 5);
                Sequence other(shape, type, type, 90, 6);
                one.window = other.window = window;
                const auto all = last_of(one, 150);
                const auto want = compute(*table, 1, all, kAsEach);
                EXPECT_EQ(compute(*table, 2, all, kAsEach), want) << table->name;
                const std::size_t width = want.size() / all.size();
                const auto expect_same = [&](const std::vector<float>& got, std::size_t from,
                                             std::size_t at, std::size_t n) {
                    for (std::size_t i = 0; i < n * width; ++i)
                        ASSERT_EQ(got[from * width + i], want[at * width + i])
                            << table->name << " token " << at << " number " << i;
                };
                for (const std::size_t chunk : {1, 7, 49})
                    for (std::size_t at = 0; at < all.size(); at += chunk) {
                        const std::size_t n = std::min(chunk, all.size() - at);
                        const auto from = all.begin() + static_cast<std::ptrdiff_t>(at);
                        const int threads = at % 2 == 0 ? 2 : 1;
                        expect_same(compute(*table, threads,
                                            {from, from + static_cast<std::ptrdiff_t>(n)}, kAsEach),
                                    0, at, n);
                    }
                std::vector<Wanted> mixed = last_of(other, 3);
                mixed.push_back(all.back());
                mixed.push_back({&other, 0});
                expect_same(compute(*table, 2, mixed, kAsEach), 3, all.size() - 1, 1);
            }
}

// Tiles, too: it matters only that there are enough tokens for them.
TEST(Attention, BitsOfTilesDependOnTheTokenAlone) {
    for (const kernel::Table* table : kernel::usable())
        for (const std::int64_t window : {0, 200}) {
            Sequence one(shape_of(6, 2, 32, 48), DType::f16, DType::f16, 900, 8);
            Sequence other(shape_of(6, 2, 32, 48), DType::f16, DType::f16, 90, 9);
            one.window = other.window = window;
            const auto all = last_of(one, 150);
            const auto want = compute(*table, 1, all);
            EXPECT_EQ(compute(*table, 2, all), want) << table->name;
            const auto width = static_cast<std::ptrdiff_t>(want.size() / all.size());
            for (const std::ptrdiff_t chunk : {18, 33, 50})
                for (std::ptrdiff_t at = 0; at + chunk <= 150; at += chunk) {
                    auto mixed = last_of(other, 3);
                    mixed.insert(mixed.end(), all.begin() + at, all.begin() + at + chunk);
                    mixed.push_back({&other, 0});
                    const auto got = compute(*table, 2, mixed);
                    for (std::ptrdiff_t i = 0; i < chunk * width; ++i)
                        ASSERT_EQ(got[static_cast<std::size_t>(3 * width + i)],
                                  want[static_cast<std::size_t>(at * width + i)])
                            << table->name << " chunk " << chunk << " from " << at;
                }
        }
}

// What lies behind a token in the cache is not its affair, whatever it is.
TEST(Attention, LaterKeysMayHoldAnything) {
    for (const kernel::Table* table : kernel::usable()) {
        Sequence s(shape_of(4, 2, 32, 32), DType::f32, DType::f32, 100, 7);
        const auto want = compute(*table, 1, {{&s, 97}});
        const auto poison = [](std::vector<std::byte>& rows) {
            std::fill(rows.begin() + static_cast<std::ptrdiff_t>(rows.size() / 100 * 98),
                      rows.end(), std::byte{0xff});
        };
        poison(s.keys);
        poison(s.values);
        auto got = compute(*table, 1, {{&s, 97}, {&s, 98}, {&s, 99}});
        EXPECT_TRUE(std::isnan(got.back()));
        got.resize(want.size());
        EXPECT_EQ(got, want) << table->name;
    }
}

TEST(Attention, TokensBesideABrokenOneStayAsTheyAre) {
    for (const kernel::Table* table : kernel::usable()) {
        Sequence s(shape_of(4, 2, 32, 40), DType::f16, DType::f16, 100, 10);
        const auto tokens = last_of(s, 40);
        const auto want = compute(*table, 2, tokens);
        for (std::vector<std::byte>* rows : {&s.keys, &s.values}) {
            const std::ptrdiff_t row = std::ssize(*rows) / 100;
            std::fill(rows->begin() + 70 * row, rows->begin() + 71 * row, std::byte{0xff});
        }
        const auto got = compute(*table, 2, tokens);
        const std::size_t before = want.size() / 4;  // positions 60 to 69
        for (std::size_t i = 0; i < want.size(); ++i)
            if (i < before)
                ASSERT_EQ(got[i], want[i]) << table->name;
            else
                ASSERT_TRUE(std::isnan(got[i])) << table->name;
    }
}

TEST(Rope, TurnsPairsByPositionTimesFrequency) {
    const double frequency[] = {1.0, 0.5};
    float angles[4];
    rope_angles(frequency, 1.0, 3, angles);
    const float head[] = {1, 2, 3, 4, 9};  // the fifth entry is not rotated
    const auto expect = [&](double a, double b, double angle, float first, float second) {
        EXPECT_NEAR(first, a * std::cos(angle) - b * std::sin(angle), 1e-6);
        EXPECT_NEAR(second, a * std::sin(angle) + b * std::cos(angle), 1e-6);
    };
    std::vector<float> half(head, head + 5);
    rope(RopePairs::half, angles, 2, 1, 5, half.data());
    expect(1, 3, 3.0, half[0], half[2]);
    expect(2, 4, 1.5, half[1], half[3]);
    EXPECT_EQ(half[4], 9);
    std::vector<float> near(head, head + 5);
    rope(RopePairs::neighbour, angles, 2, 1, 5, near.data());
    expect(1, 2, 3.0, near[0], near[1]);
    expect(3, 4, 1.5, near[2], near[3]);
}

}  // namespace
}  // namespace heft::op
