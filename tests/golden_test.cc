// Every reference checkpoint of a family that heft knows, computed every way.
#include <algorithm>
#include <filesystem>
#include <memory>

#include <gtest/gtest.h>

#include "arch/arch.h"
#include "convert/to_gguf.h"
#include "format/checkpoint.h"
#include "golden_run.h"

namespace heft {
namespace {

using testing::Golden;
using testing::load;
using testing::Loaded;
using testing::run;

// tests/golden/README.md says where the bounds come from.
constexpr double kFloatBound = 2e-4;
constexpr double kHalfMedianBound = 0.15;
constexpr double kHalfTop1 = 0.95;

std::vector<int> greedy(const Loaded& loaded, op::Context& context, const Golden& golden) {
    const auto length = static_cast<int>(golden.prompt.size() + golden.greedy.size());
    auto cache = loaded.model.make_cache(length, context.precision, length);
    std::vector<int> tokens = golden.prompt;
    std::vector<float> logits;
    for (int at = 0; at + 1 < length;) {
        std::vector<model::Input> inputs;
        for (; at < static_cast<int>(tokens.size()); ++at)
            inputs.push_back({tokens[static_cast<std::size_t>(at)], at, &*cache,
                              at + 1 == static_cast<int>(tokens.size())});
        logits.clear();
        if (!loaded.model.forward(context, inputs, logits)) break;
        tokens.push_back(
            static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
        if (static_cast<int>(tokens.size()) == length) break;
    }
    return {tokens.begin() + static_cast<std::ptrdiff_t>(golden.prompt.size()), tokens.end()};
}

const std::vector<std::vector<int>> kFeedings = {{1 << 20}, {7, 16, 1, 24}, {1}};

class GoldenTest : public ::testing::TestWithParam<std::filesystem::path> {
  protected:
    void SetUp() override {
        if (!testing::known_family(GetParam())) GTEST_SKIP() << "a family for later";
        golden_ = testing::read_golden(GetParam());
    }

    Golden golden_;
    ThreadPool one_{1};
    ThreadPool two_{2};
};

TEST_P(GoldenTest, FloatLogitsAgreeHoweverThePromptIsFedOnEveryInstructionSet) {
    const auto loaded = load(GetParam());
    ASSERT_TRUE(loaded);
    for (const kernel::Table* table : kernel::usable()) {
        op::Context context{one_, *table, op::Precision::f32};
        for (const auto& feeding : kFeedings) {
            const auto logits = run(*loaded, context, golden_, feeding);
            EXPECT_LE(testing::worst(testing::errors(golden_, logits)), kFloatBound)
                << table->name << ", " << feeding.front() << " tokens at a time";
        }
        EXPECT_EQ(greedy(*loaded, context, golden_), golden_.greedy) << table->name;
    }
}

TEST_P(GoldenTest, ThreadsDoNotChangeABit) {
    const auto loaded = load(GetParam());
    ASSERT_TRUE(loaded);
    for (const auto precision : {op::Precision::f32, op::Precision::fast}) {
        op::Context alone{one_, kernel::best(), precision};
        op::Context together{two_, kernel::best(), precision};
        for (const auto& feeding : kFeedings)
            EXPECT_EQ(run(*loaded, alone, golden_, feeding),
                      run(*loaded, together, golden_, feeding));
    }
}

TEST_P(GoldenTest, FastPrecisionStaysWithinHalfPrecision) {
    const auto loaded = load(GetParam());
    ASSERT_TRUE(loaded);
    for (const kernel::Table* table : kernel::usable()) {
        op::Context context{two_, *table, op::Precision::fast};
        const auto logits = run(*loaded, context, golden_, kFeedings.front());
        EXPECT_LE(testing::median(testing::errors(golden_, logits)), kHalfMedianBound);
        EXPECT_GE(testing::top1_agreement(golden_, logits), kHalfTop1);
    }
}

TEST_P(GoldenTest, AgreesAfterConversionToGguf) {
    auto source = format::Checkpoint::open(GetParam());
    ASSERT_TRUE(source);
    auto config = arch::read_config(*source);
    ASSERT_TRUE(config);
    const auto file = std::filesystem::temp_directory_path()
                      / ("heft-golden-" + GetParam().filename().string() + ".gguf");
    for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
        convert::GgufOptions options;
        options.matrices = type;
        const auto written = convert::to_gguf(*source, *config, nullptr, options, file);
        ASSERT_TRUE(written) << written.error().what;
        const auto loaded = load(file);
        ASSERT_TRUE(loaded);
        op::Context context{two_, kernel::best(), op::Precision::f32};
        const auto logits = run(*loaded, context, golden_, kFeedings.front());
        const auto error = testing::errors(golden_, logits);
        const bool exact = type == DType::f32 || type == source->tensors().front().type;
        if (exact) {
            EXPECT_LE(testing::worst(error), kFloatBound) << dtype_info(type).name;
            EXPECT_EQ(greedy(*loaded, context, golden_), golden_.greedy);
        } else {
            EXPECT_LE(testing::median(error), kHalfMedianBound) << dtype_info(type).name;
        }
    }
    std::filesystem::remove(file);
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, GoldenTest, ::testing::ValuesIn(testing::golden_folders()),
                         [](const auto& checkpoint) {
                             std::string name = checkpoint.param.filename().string();
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name + "_" + std::to_string(checkpoint.index);
                         });

}  // namespace
}  // namespace heft
