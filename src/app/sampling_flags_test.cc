#include "app/sampling_flags.h"

#include <cmath>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heft::app {
namespace {

using ::testing::HasSubstr;

Result<gen::SamplingOptions> parsed(std::vector<std::string> arguments,
                                    const gen::SamplingOptions& defaults = {}) {
    CLI::App app;
    SamplingFlags flags;
    add_sampling(app, flags);
    std::reverse(arguments.begin(), arguments.end());
    app.parse(arguments);
    return apply(flags, defaults);
}

TEST(SamplingFlags, WhatIsLeftOutKeepsTheDefault) {
    gen::SamplingOptions defaults;
    defaults.temperature = 0.6F;
    defaults.top_k = 7;
    const auto options = parsed({"--top-k", "3"}, defaults);
    ASSERT_TRUE(options);
    EXPECT_EQ(options->temperature, 0.6F);
    EXPECT_EQ(options->top_k, 3);
}

TEST(SamplingFlags, EveryOptionReachesItsField) {
    const auto options = parsed({"--temp",
                                 "0.5",
                                 "--top-p",
                                 "0.7",
                                 "--min-p",
                                 "0.1",
                                 "--typical",
                                 "0.8",
                                 "--repeat-penalty",
                                 "1.1",
                                 "--repeat-last-n",
                                 "-1",
                                 "--presence-penalty",
                                 "0.2",
                                 "--frequency-penalty",
                                 "0.3",
                                 "--dry-multiplier",
                                 "0.4",
                                 "--dry-base",
                                 "1.5",
                                 "--dry-allowed-length",
                                 "3",
                                 "--dry-penalty-last-n",
                                 "9",
                                 "--dry-sequence-breaker",
                                 "none",
                                 "--xtc-probability",
                                 "0.5",
                                 "--xtc-threshold",
                                 "0.2",
                                 "--mirostat",
                                 "2",
                                 "--mirostat-lr",
                                 "0.3",
                                 "--mirostat-ent",
                                 "4",
                                 "--seed",
                                 "11",
                                 "--samplers",
                                 "kt",
                                 "--logit-bias",
                                 "5-inf",
                                 "--logit-bias",
                                 "6+2"});
    ASSERT_TRUE(options) << options.error().what;
    EXPECT_EQ(options->temperature, 0.5F);
    EXPECT_EQ(options->top_p, 0.7F);
    EXPECT_EQ(options->min_p, 0.1F);
    EXPECT_EQ(options->typical_p, 0.8F);
    EXPECT_EQ(options->penalties.repeat, 1.1F);
    EXPECT_EQ(options->penalties.last_n, -1);
    EXPECT_EQ(options->penalties.presence, 0.2F);
    EXPECT_EQ(options->penalties.frequency, 0.3F);
    EXPECT_EQ(options->dry.multiplier, 0.4F);
    EXPECT_EQ(options->dry.base, 1.5F);
    EXPECT_EQ(options->dry.allowed_length, 3);
    EXPECT_EQ(options->dry.last_n, 9);
    EXPECT_TRUE(options->dry.breakers.empty());
    EXPECT_EQ(options->xtc.probability, 0.5F);
    EXPECT_EQ(options->xtc.threshold, 0.2F);
    EXPECT_TRUE(options->mirostat.on);
    EXPECT_EQ(options->mirostat.eta, 0.3F);
    EXPECT_EQ(options->mirostat.tau, 4.0F);
    EXPECT_EQ(options->seed, 11);
    EXPECT_EQ(gen::to_string(options->order), "top_k;temperature");
    ASSERT_EQ(options->logit_bias.size(), 2U);
    EXPECT_TRUE(std::isinf(options->logit_bias[0].bias));
    EXPECT_EQ(options->logit_bias[1].id, 6);
}

TEST(SamplingFlags, WhatMakesNoSenseIsRefusedByName) {
    EXPECT_THAT(parsed({"--top-p", "2"}).error().what, HasSubstr("top_p"));
    EXPECT_EQ(parsed({"--mirostat", "1"}).error().code, Code::unsupported);
    EXPECT_THAT(parsed({"--samplers", "sparkle"}).error().what, HasSubstr("sparkle"));
}

TEST(LogitBias, IsAnIdAndASignedNumber) {
    EXPECT_EQ(parse_logit_bias("15043+1.5")->bias, 1.5F);
    EXPECT_EQ(parse_logit_bias("15043-1")->bias, -1.0F);
    EXPECT_EQ(parse_logit_bias("15043-1")->id, 15043);
    for (const char* text : {"", "5", "+1", "5+", "5*2", "x+1", "5+1x", "5++1", "99999999999+1"})
        EXPECT_FALSE(parse_logit_bias(text)) << text;
}

}  // namespace
}  // namespace heft::app
