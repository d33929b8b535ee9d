#include "engine/tuning.h"

#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace heft::engine {
namespace {

class TuningFile : public ::testing::Test {
  protected:
    void SetUp() override { std::filesystem::create_directories(folder_); }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    void put(const std::string& text) const { std::ofstream(file_) << text; }

    std::filesystem::path folder_ =
        std::filesystem::temp_directory_path() / ("heft-tuning-" + std::to_string(::getpid()));
    std::filesystem::path file_ = folder_ / "in" / "tuning.json";
    op::Tuning other_{.streams = 2,
                      .prefetch = 123,
                      .few_tokens_in_float = 7,
                      .few_tokens_in_integer = 11,
                      .tokens_in_integers = 13};
};

TEST_F(TuningFile, IsReadAsItWasWritten) {
    EXPECT_FALSE(read_tuning(file_, "machine"));
    EXPECT_TRUE(write_tuning(file_, "machine", other_));
    EXPECT_EQ(read_tuning(file_, "machine"), other_);
    EXPECT_TRUE(write_tuning(file_, "machine", {}));  // over the old one
    EXPECT_EQ(read_tuning(file_, "machine"), op::Tuning{});
    EXPECT_FALSE(read_tuning(file_, "another machine"));
}

TEST_F(TuningFile, IsIgnoredWhenDamagedAndWrittenAnew) {
    std::filesystem::create_directories(file_.parent_path());
    const std::string good = R"({"schema":"heft.tuning/1","machine":"m","streams":2,"prefetch":0,)"
                             R"("tokens_in_integers":48,"few_tokens_in_float":3,)";
    for (const std::string& bad :
         {std::string(), std::string("{"), std::string(10000, '['), std::string("\xFF\xFE\0", 3),
          std::string("[]"), good + "}", good + R"("few_tokens_in_integer":0})",
          good + R"("few_tokens_in_integer":65})", good + R"("few_tokens_in_integer":"9"})",
          good + R"("few_tokens_in_integer":99999999999999999999})"}) {
        put(bad);
        EXPECT_FALSE(read_tuning(file_, "m")) << bad.substr(0, 100);
    }
    put(good + R"("few_tokens_in_integer":9})");
    EXPECT_TRUE(read_tuning(file_, "m"));
    put("damaged");
    EXPECT_TRUE(write_tuning(file_, "m", other_));
    EXPECT_EQ(read_tuning(file_, "m"), other_);
}

TEST_F(TuningFile, IsNotWrittenWhereItCannotBe) {
    std::ofstream(folder_ / "file") << "";
    EXPECT_FALSE(write_tuning(folder_ / "file" / "tuning.json", "m", other_));
}

TEST(Tuning, MeasuresSettingsWithinTheirLimits) {
    ThreadPool pool;
    const std::vector<std::byte> weights(std::size_t{64}
                                         << 20);  // enough to be read in their place
    for (const kernel::Table* table : kernel::usable()) {
        std::vector<TuningTrial> trials;
        const op::Tuning tuning = measure_tuning(pool, *table, weights, &trials);
        EXPECT_GE(tuning.streams, 1);
        EXPECT_LE(tuning.streams, kernel::kStreams);
        EXPECT_GE(tuning.prefetch, 0);
        EXPECT_LE(tuning.prefetch, op::kMostPrefetch);
        for (const int few : {tuning.few_tokens_in_float, tuning.few_tokens_in_integer}) {
            EXPECT_GE(few, 1);
            EXPECT_LE(few, op::kMostFewTokens);
        }
        EXPECT_GE(tuning.tokens_in_integers, 0);
        EXPECT_LE(tuning.tokens_in_integers, op::kMostTokensInIntegers);
        EXPECT_FALSE(trials.empty());
        for (const TuningTrial& trial : trials) EXPECT_GT(trial.seconds, 0);
    }
}

}  // namespace
}  // namespace heft::engine
