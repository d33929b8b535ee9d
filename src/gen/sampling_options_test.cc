#include "gen/sampling_options.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gen/sampling.h"

namespace heft::gen {
namespace {

using ::testing::HasSubstr;

TEST(ParseOrder, ReadsNamesAndLetters) {
    const std::vector<Stage> usual = {Stage::top_k, Stage::top_p, Stage::typ_p, Stage::temperature};
    const std::vector<std::pair<std::string_view, std::vector<Stage>>> cases = {
        {"penalties;dry;top_n_sigma;top_k;typ_p;top_p;min_p;xtc;temperature", default_order()},
        {"edskypmxt", default_order()},
        {"top_k", std::vector{Stage::top_k}},
        {"temp", std::vector{Stage::temperature}},
        {"kpyt", usual},
        {" top-k ; nucleus;typical;temp;", usual},
    };
    for (const auto& [text, order] : cases) {
        const auto parsed = parse_order(text);
        ASSERT_TRUE(parsed) << text;
        EXPECT_EQ(*parsed, order) << text;
    }
    EXPECT_EQ(*parse_order(to_string(default_order())), default_order());
}

TEST(ParseOrder, NamesWhatItDoesNotKnow) {
    for (const std::string text : {"top_k;top_q;temperature", "top_q", "kqt"}) {
        const auto parsed = parse_order(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_THAT(parsed.error().what, HasSubstr("q"));
        EXPECT_THAT(parsed.error().what, HasSubstr("typ_p (y)"));
    }
    EXPECT_FALSE(parse_order("e;dry"));  // names or letters, not both
    EXPECT_FALSE(parse_order(""));
    EXPECT_FALSE(parse_order(" "));
    EXPECT_FALSE(parse_order("top_k;;temp"));
}

TEST(Validate, RefusesWhatHasNoMeaning) {
    EXPECT_TRUE(validate(SamplingOptions{}));
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float inf = std::numeric_limits<float>::infinity();
    using Values = std::vector<float>;
    const Values not_share = {nan, -1, 2};
    const Values any = {0};  // the change does not depend on the value
    const auto refuses = [](const std::string& named, const Values& values, const auto& change) {
        for (const float value : values) {
            SamplingOptions options;
            change(options, value);
            const auto status = validate(options);
            ASSERT_FALSE(status) << named << " " << value;
            EXPECT_THAT(status.error().what, HasSubstr(named));
            EXPECT_FALSE(Sampler::make(options, 10));
        }
    };
    refuses("temperature", {nan, inf}, [](auto& o, float v) { o.temperature = v; });
    refuses("range", {nan, -1}, [](auto& o, float v) { o.dynamic_range = v; });
    refuses("exponent", {nan, -1}, [](auto& o, float v) { o.dynamic_exponent = v; });
    refuses("top_p", not_share, [](auto& o, float v) { o.top_p = v; });
    refuses("min_p", not_share, [](auto& o, float v) { o.min_p = v; });
    refuses("typical_p", not_share, [](auto& o, float v) { o.typical_p = v; });
    refuses("top_n_sigma", {nan, inf}, [](auto& o, float v) { o.top_n_sigma = v; });
    refuses("repeat_penalty", {nan, 0, inf}, [](auto& o, float v) { o.penalties.repeat = v; });
    refuses("presence_penalty", {nan, inf}, [](auto& o, float v) { o.penalties.presence = v; });
    refuses("frequency_penalty", {nan, inf}, [](auto& o, float v) { o.penalties.frequency = v; });
    refuses("dry_multiplier", {nan, -1}, [](auto& o, float v) { o.dry.multiplier = v; });
    refuses("dry_base", {nan, 0.5F}, [](auto& o, float v) { o.dry.base = v; });
    refuses("xtc_probability", not_share, [](auto& o, float v) { o.xtc.probability = v; });
    refuses("xtc_threshold", not_share, [](auto& o, float v) { o.xtc.threshold = v; });
    refuses("mirostat_tau", {nan, 0}, [](auto& o, float v) { o.mirostat.tau = v; });
    refuses("mirostat_eta", {nan, 0}, [](auto& o, float v) { o.mirostat.eta = v; });
    refuses("logit bias", {nan, inf}, [](auto& o, float v) { o.logit_bias.push_back({1, v}); });
    refuses("token id", any, [](auto& o, float v) { o.logit_bias.push_back({-1, v}); });
    refuses("repeat_last_n", any, [](auto& o, float) { o.penalties.last_n = -2; });
    refuses("dry_penalty_last_n", any, [](auto& o, float) { o.dry.last_n = -2; });
    refuses("dry_allowed_length", any, [](auto& o, float) { o.dry.allowed_length = -1; });
    refuses("breaker", any, [](auto& o, float) { o.dry.breakers.emplace_back(); });
    refuses("min_keep", any, [](auto& o, float) { o.min_keep = -1; });
    refuses("seed", any, [](auto& o, float) { o.seed = -2; });
    refuses("top_logprobs", any, [](auto& o, float) { o.top_logprobs = -1; });
    SamplingOptions outside;
    outside.logit_bias = {{10, 1.0F}};
    EXPECT_TRUE(validate(outside));
    EXPECT_FALSE(Sampler::make(outside, 10));
}

}  // namespace
}  // namespace heft::gen
