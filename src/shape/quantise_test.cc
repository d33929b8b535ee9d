#include "shape/quantise.h"

#include <charconv>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../tests/temp_folder.h"
#include "base/rng.h"
#include "shape/mix_vectors.h"
#include "tensor/quant/quant.h"

namespace heft::shape {
namespace {

using convert::Weight;
using ::testing::HasSubstr;

// -- mixes

struct Shaped {
    const char* name;
    ModelFacts facts;
};
const Shaped kModels[] = {
    {"gqa4", {16, 0, 4, true, false}},
    {"tied", {10, 0, 1, false, false}},
    {"moe", {9, 8, 4, true, false}},
};

std::vector<int> layers_of(std::string_view ranges) {
    std::vector<int> out;
    const char* at = ranges.data();
    const char* end = at + ranges.size();
    while (at < end) {
        int first = 0;
        at = std::from_chars(at, end, first).ptr;
        int last = first;
        if (at < end && *at == '-') at = std::from_chars(at + 1, end, last).ptr;
        for (int i = first; i <= last; ++i) out.push_back(i);
        if (at < end) ++at;
    }
    return out;
}

TEST(Mix, ChoosesTheTypesThatLlamaCppChooses) {
    int compared = 0;
    for (const test::MixVector& row : test::kMixVectors) {
        const auto shaped = std::find_if(
            std::begin(kModels), std::end(kModels),
            [&](const Shaped& one) { return std::string_view(one.name) == row.model; });
        const auto check = [&](const std::string& name, std::string_view want) {
            const bool stacked = name.find("_exps") != std::string::npos;
            const DType got =
                type_in_mix(*find_mix(row.mix), shaped->facts, {name, 256, stacked ? 3 : 2});
            EXPECT_EQ(dtype_info(got).name, want) << row.model << " " << row.mix << " " << name;
            ++compared;
        };
        std::string_view rest = row.types;
        while (!rest.empty()) {
            const std::string_view word = rest.substr(0, rest.find(' '));
            rest.remove_prefix(std::min(word.size() + 1, rest.size()));
            const std::size_t equals = word.find('=');
            const std::size_t colon = word.find(':');
            const std::string_view want = word.substr(equals + 1);
            if (colon == std::string_view::npos) {
                check(std::string(word.substr(0, equals)) + ".weight", want);
                continue;
            }
            for (const int layer : layers_of(word.substr(colon + 1, equals - colon - 1)))
                check("blk." + std::to_string(layer) + "." + std::string(word.substr(0, colon))
                          + ".weight",
                      want);
        }
    }
    EXPECT_GT(compared, 4000);
}

TEST(Mix, EveryOneHasAWriterAndANameThatFindsIt) {
    for (const MixInfo& mix : mixes()) {
        EXPECT_EQ(find_mix(mix.name), &mix);
        ASSERT_NE(codec(mix.base), nullptr);
        EXPECT_NE(codec(mix.base)->quantise, nullptr) << mix.name;
    }
    EXPECT_STREQ(find_mix("q4_k_m")->name, "Q4_K_M");
    EXPECT_STREQ(find_mix("Q5_K")->name, "Q5_K_M");
    EXPECT_EQ(find_mix("Q9_Z"), nullptr);
}

TEST(Mix, RowsThatAreNoWholeBlocksGetSmallerOnes) {
    EXPECT_EQ(fitting_type(DType::q4_k, 256), DType::q4_k);
    EXPECT_EQ(fitting_type(DType::q4_k, 96), DType::q5_0);
    EXPECT_EQ(fitting_type(DType::q6_k, 96), DType::q8_0);
    EXPECT_EQ(fitting_type(DType::iq2_xs, 96), DType::iq4_nl);
    EXPECT_EQ(fitting_type(DType::q4_k, 40), DType::f16);
    EXPECT_EQ(fitting_type(DType::f32, 7), DType::f32);
}

// -- planning and encoding

std::vector<float> numbers(std::int64_t n, std::uint64_t seed) {
    Rng rng(seed);
    std::vector<float> out(static_cast<std::size_t>(n));
    for (float& x : out) x = static_cast<float>(rng.uniform() - 0.5);
    return out;
}

struct Stored {
    std::vector<std::byte> bytes;
    TensorView view;
};

Stored stored(const std::string& name, DType type, const Shape& shape,
              const std::vector<float>& values) {
    Stored out;
    out.bytes.resize(static_cast<std::size_t>(*tensor_bytes(type, shape)));
    codec(type)->quantise(values.data(), static_cast<std::int64_t>(values.size()),
                          out.bytes.data());
    out.view = {name, type, shape, out.bytes};
    return out;
}

Result<QuantisePlan> plan_of(const Stored& tensor, const QuantiseOptions& options) {
    return plan_quantising({convert::weight_of(tensor.view, false)}, {}, options);
}

TEST(Plan, WillNotLosePrecisionTwiceWithoutLeave) {
    const auto values = numbers(4 * 256, 1);
    const Stored lossy = stored("blk.0.ffn_up.weight", DType::q8_0, {4, 256}, values);
    QuantiseOptions options;
    options.mix = find_mix("Q4_0");
    const auto refused = plan_of(lossy, options);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what, HasSubstr("--allow-requantize"));
    options.allow_requantise = true;
    const auto plan = plan_of(lossy, options);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->requantised, std::vector<std::string>{"blk.0.ffn_up.weight"});
    // What stays as it is loses nothing.
    options.allow_requantise = false;
    options.mix = find_mix("Q8_0");
    EXPECT_TRUE(plan_of(lossy, options));
    const Stored mxfp4 = stored("blk.0.ffn_up.weight", DType::mxfp4, {4, 256}, values);
    EXPECT_TRUE(plan_of(mxfp4, options));
}

TEST(Plan, OverridesGoByPatternAndMustFitSomething) {
    const Stored tensor = stored("blk.0.ffn_up.weight", DType::f32, {4, 256}, numbers(4 * 256, 1));
    QuantiseOptions options;
    options.mix = find_mix("Q4_0");
    options.overrides = {*parse_override("blk.?.ffn_*=q6_k")};
    EXPECT_EQ(plan_of(tensor, options)->tensors[0].type, DType::q6_k);
    options.overrides = {*parse_override("blk.1.*=q6_k")};
    EXPECT_THAT(plan_of(tensor, options).error().what, HasSubstr("blk.1.*"));
    EXPECT_FALSE(parse_override("blk"));
    EXPECT_FALSE(parse_override("=Q4_0"));
    EXPECT_FALSE(parse_override("a=Q8_K"));
    const Stored narrow = stored("blk.0.ffn_up.weight", DType::f32, {4, 32}, numbers(4 * 32, 1));
    options.overrides = {*parse_override("*=Q4_K")};
    EXPECT_THAT(plan_of(narrow, options).error().what, HasSubstr("whole blocks"));
}

TEST(Plan, NormsAndRoutersStayExact) {
    QuantiseOptions options;
    options.mix = find_mix("Q4_0");
    for (const char* name : {"blk.0.attn_norm.weight", "blk.0.ffn_gate_inp.weight",
                             "position_embd.weight", "blk.0.attn_q.bias"}) {
        const Stored tensor = stored(name, DType::bf16, {4, 256}, numbers(4 * 256, 1));
        EXPECT_EQ(plan_of(tensor, options)->tensors[0].type, DType::bf16) << name;
    }
}

std::vector<std::byte> encoded(const Weight& weight, const EncodeJob& job, int threads) {
    ThreadPool pool(threads);
    Encoder encoder(pool, {});
    std::vector<std::byte> out;
    const auto done = encoder.encode(weight, job, [&out](Bytes bytes) -> Status {
        out.insert(out.end(), bytes.begin(), bytes.end());
        return {};
    });
    EXPECT_TRUE(done) << done.error().what;
    return out;
}

TEST(Encoder, GivesTheBytesOfItsCodecOnAnyNumberOfThreads) {
    // Rows of several chunks, so that threads take turns.
    const Shape shape{1500, 512};
    const auto values = numbers(1500 * 512, 3);
    const Stored tensor = stored("t", DType::f32, shape, values);
    const Weight weight = convert::weight_of(tensor.view, false);
    for (const DType type : {DType::q4_k, DType::q8_0, DType::f16, DType::f32}) {
        std::vector<std::byte> want(static_cast<std::size_t>(*tensor_bytes(type, shape)));
        codec(type)->quantise(values.data(), static_cast<std::int64_t>(values.size()), want.data());
        for (const int threads : {1, 2, 4})
            EXPECT_EQ(encoded(weight, {type}, threads), want) << dtype_info(type).name;
    }
}

TEST(Encoder, GivesEachStackedMatrixItsImportances) {
    const auto one = numbers(8 * 256, 4);
    auto both = one;
    both.insert(both.end(), one.begin(), one.end());
    const Stored tensor = stored("t", DType::f32, {2, 8, 256}, both);
    std::vector<float> importance(2 * 256, 1);
    for (int i = 256; i < 512; ++i) importance[static_cast<std::size_t>(i)] = i % 2 == 0 ? 9 : 0.1F;
    EncodeJob job{DType::q4_k, importance};
    const auto bytes = encoded(convert::weight_of(tensor.view, false), job, 2);
    const auto half = static_cast<std::ptrdiff_t>(bytes.size() / 2);
    EXPECT_FALSE(std::equal(bytes.begin(), bytes.begin() + half, bytes.begin() + half));
}

TEST(Encoder, RefusesWhatIsNoNumber) {
    auto values = numbers(4 * 256, 5);
    values[700] = NAN;
    const Stored tensor = stored("t", DType::f32, {4, 256}, values);
    ThreadPool pool(2);
    Encoder encoder(pool, {});
    const auto sink = [](Bytes) -> Status { return {}; };
    const Weight weight = convert::weight_of(tensor.view, false);
    const auto refused = encoder.encode(weight, {DType::q4_k}, sink);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::corrupt);
    EXPECT_TRUE(encoder.encode(weight, {DType::f16}, sink));
}

TEST(Encoder, StopsWhenToldAndPassesOnWhatTheSinkSays) {
    const Stored tensor = stored("t", DType::f32, {4000, 512}, numbers(4000 * 512, 6));
    const Weight weight = convert::weight_of(tensor.view, false);
    ThreadPool pool(2);
    Encoder stopped(pool, [](std::uint64_t done) { return done < 600000; });
    const auto sink = [](Bytes) -> Status { return {}; };
    EXPECT_EQ(stopped.encode(weight, {DType::q8_0}, sink).error().code, Code::cancelled);
    Encoder encoder(pool, {});
    const auto full = [](Bytes) -> Status { return Error{Code::exhausted, "full"}; };
    EXPECT_EQ(encoder.encode(weight, {DType::q8_0}, full).error().code, Code::exhausted);
}

// -- importance matrices

Imatrix some_imatrix() {
    Imatrix out;
    out.entries["blk.0.ffn_up.weight"] = {{4, 8, 12}, {4}};
    out.entries["blk.0.ffn_up_exps.weight"] = {{1, 2, 3, 4}, {2, 0}};
    out.datasets = {"words.txt"};
    out.chunks = 7;
    out.chunk_size = 512;
    return out;
}

TEST(Imatrix, ComesBackAsItWasWritten) {
    const heft::testing::TempFolder folder;
    ASSERT_TRUE(write_imatrix(some_imatrix(), folder / "m.gguf"));
    const auto read = read_imatrix(folder / "m.gguf");
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(read->datasets, std::vector<std::string>{"words.txt"});
    EXPECT_EQ(read->chunks, 7);
    EXPECT_EQ(read->chunk_size, 512);
    EXPECT_EQ(read->importance("blk.0.ffn_up.weight", 3), (std::vector<float>{1, 2, 3}));
    // An expert that saw nothing.
    EXPECT_EQ(read->importance("blk.0.ffn_up_exps.weight", 2), (std::vector<float>{0.5F, 1, 1, 1}));
    EXPECT_TRUE(read->importance("blk.0.ffn_up.weight", 4).empty());
    EXPECT_TRUE(read->importance("other", 3).empty());
}

template <class T>
void append(std::string& to, T value) {
    to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string old_format() {
    std::string out;
    append(out, std::int32_t{1});
    append(out, std::int32_t{3});
    out += "t.w";
    append(out, std::int32_t{2});  // calls
    append(out, std::int32_t{2});  // columns
    append(out, 6.0F);
    append(out, 8.0F);
    append(out, std::int32_t{5});  // chunks
    append(out, std::int32_t{4});
    out += "text";
    return out;
}

TEST(Imatrix, ReadsTheOlderFormat) {
    const auto read = parse_imatrix(as_bytes(old_format()));
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(read->importance("t.w", 2), (std::vector<float>{3, 4}));
    EXPECT_EQ(read->chunks, 5);
    EXPECT_EQ(read->datasets, std::vector<std::string>{"text"});
}

TEST(Imatrix, WritesTheOlderFormatWithTheSameMeans) {
    const Imatrix imatrix = some_imatrix();
    const testing::TempFolder folder;
    const auto path = folder.path() / "i.dat";
    ASSERT_TRUE(write_imatrix(imatrix, path));
    const auto read = read_imatrix(path);
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(read->importance("blk.0.ffn_up.weight", 3), (std::vector<float>{1, 2, 3}));
    // One that saw nothing has ones, as where the newer format is read.
    EXPECT_EQ(read->importance("blk.0.ffn_up_exps.weight", 2),
              imatrix.importance("blk.0.ffn_up_exps.weight", 2));
    EXPECT_EQ(read->chunks, 7);
    EXPECT_EQ(read->datasets, imatrix.datasets);
}

TEST(Imatrix, EveryCutAndWrongByteIsRefusedOrHarmless) {
    const std::string good = old_format();
    for (std::size_t n = 0; n < good.size(); ++n) {
        const auto cut = parse_imatrix(as_bytes(good.substr(0, n)));
        // Before the chunks the oldest files end.
        EXPECT_EQ(static_cast<bool>(cut), n == good.size() - 12) << n;
    }
    for (std::size_t i = 0; i < good.size(); ++i) {
        std::string bad = good;
        bad[i] = static_cast<char>(0xff);
        (void)parse_imatrix(as_bytes(bad));
    }
    EXPECT_FALSE(parse_imatrix(as_bytes("GGUF")));
    EXPECT_FALSE(parse_imatrix({}));
}

}  // namespace
}  // namespace heft::shape
