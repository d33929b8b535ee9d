// What a token gets does not depend on what is computed beside it: up to
// op::tokens_with_equal_bits() tokens always, any number where the context is deterministic. On
// every reference checkpoint.
#include <algorithm>
#include <filesystem>
#include <memory>

#include <gtest/gtest.h>

#include "arch/arch.h"
#include "format/checkpoint.h"
#include "golden_run.h"

namespace heft {
namespace {

using testing::Golden;
using testing::load;
using testing::Loaded;
using testing::run;

class BatchTest : public ::testing::TestWithParam<std::filesystem::path> {
  protected:
    void SetUp() override {
        if (!testing::known_family(GetParam())) GTEST_SKIP() << "a family for later";
        golden_ = testing::read_golden(GetParam());
        loaded_ = load(GetParam());
        ASSERT_TRUE(loaded_);
    }

    template <class Body>
    void on_every_path(bool deterministic, const Body& body) {
        for (const kernel::Table* table : kernel::usable())
            for (const auto precision : {op::Precision::f32, op::Precision::fast}) {
                SCOPED_TRACE(std::string(table->name)
                             + (precision == op::Precision::f32 ? " f32" : " fast"));
                op::Context context{pool_, *table, precision, deterministic};
                body(context);
            }
    }

    PagedVector<float> in_chunks(op::Context& context, std::vector<int> chunks) const {
        return run(*loaded_, context, golden_, chunks);
    }

    Golden golden_;
    std::unique_ptr<Loaded> loaded_;
    ThreadPool pool_{1};
};

TEST_P(BatchTest, AFewTokensTogetherGetTheBitsThatTheyGetAlone) {
    on_every_path(false, [&](op::Context& context) {
        const auto alone = in_chunks(context, {1});
        const int most = op::tokens_with_equal_bits(context);
        ASSERT_GE(most, 2);
        for (int chunk = 2; chunk <= std::min(most, 8); ++chunk)
            EXPECT_EQ(in_chunks(context, {chunk}), alone) << chunk << " at a time";
        EXPECT_EQ(in_chunks(context, {1, most, 2}), alone);
    });
}

TEST_P(BatchTest, AnyChunksGetTheSameBitsWhereThatIsAskedFor) {
    on_every_path(true, [&](op::Context& context) {
        const auto whole = in_chunks(context, {1 << 20});
        for (const int chunk : {1, 3, 7}) EXPECT_EQ(in_chunks(context, {chunk}), whole) << chunk;
        EXPECT_EQ(in_chunks(context, {7, 16, 1, 24}), whole);
    });
}

// The prompt `chunk` tokens at a time, with as many of two other sequences in the same pass.
PagedVector<float> in_company(const Loaded& loaded, op::Context& context, const Golden& golden,
                              int chunk) {
    const std::vector<int>& prompt = golden.prompt;
    const auto length = static_cast<int>(prompt.size());
    auto own = loaded.model.make_cache(length, context.precision, length);
    auto other = loaded.model.make_cache(length, context.precision, length);
    auto third = loaded.model.make_cache(length, context.precision, length);
    if (!own || !other || !third) return {};
    PagedVector<float> logits;
    for (int from = 0; from < length; from += chunk) {
        std::vector<model::Input> inputs;
        for (int i = from; i < std::min(length, from + chunk); ++i) {
            const bool want = std::find(golden.positions.begin(), golden.positions.end(), i)
                              != golden.positions.end();
            inputs.push_back({prompt[static_cast<std::size_t>(length - 1 - i)], i, &*other, false});
            inputs.push_back({prompt[static_cast<std::size_t>(i)], i, &*own, want});
            inputs.push_back({prompt[static_cast<std::size_t>(i / 2)], i, &*third, false});
        }
        EXPECT_TRUE(loaded.model.forward(context, inputs, logits));
    }
    return logits;
}

TEST_P(BatchTest, OtherSequencesDoNotChangeABitWhereThatIsAskedFor) {
    on_every_path(true, [&](op::Context& context) {
        const auto alone = in_chunks(context, {1 << 20});
        for (const int chunk : {1, 5, 1 << 20})
            EXPECT_EQ(in_company(*loaded_, context, golden_, chunk), alone) << chunk;
    });
}

// Guesses that turned out wrong leave no trace in a cache that is cut behind them.
TEST_P(BatchTest, WhatIsCutOffTheCacheIsForgotten) {
    const auto length = static_cast<int>(golden_.prompt.size());
    on_every_path(false, [&](op::Context& context) {
        const auto alone = in_chunks(context, {1});
        const int most = op::tokens_with_equal_bits(context);
        auto cache = loaded_->model.make_cache(length, context.precision, length);
        ASSERT_TRUE(cache);
        PagedVector<float> logits;
        for (int at = 0; at < length; ++at) {
            const bool want = std::find(golden_.positions.begin(), golden_.positions.end(), at)
                              != golden_.positions.end();
            std::vector<model::Input> inputs = {
                {golden_.prompt[static_cast<std::size_t>(at)], at, &*cache, want}};
            for (int i = at + 1; i < std::min(at + 1 + at % most, length); ++i)
                inputs.push_back(
                    {golden_.prompt[static_cast<std::size_t>(length - i)], i, &*cache, false});
            ASSERT_TRUE(loaded_->model.forward(context, inputs, logits));
            cache->set_length(at + 1);
        }
        EXPECT_EQ(logits, alone);
    });
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, BatchTest, ::testing::ValuesIn(testing::golden_folders()),
                         [](const auto& checkpoint) {
                             std::string name = checkpoint.param.filename().string();
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name + "_" + std::to_string(checkpoint.index);
                         });

}  // namespace
}  // namespace heft
