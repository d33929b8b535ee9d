#include "gen/penalties.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gen/dry.h"
#include "gen/mirostat.h"
#include "gen/test_lists.h"

namespace heft::gen {
namespace {

using testing::from_logits;
using testing::from_probabilities;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr float kTolerance = 1e-5F;

std::vector<float> logits_of(const Candidates& list) {
    std::vector<float> out;
    for (const auto& item : list.items) out.push_back(item.logit);
    return out;
}

TEST(Penalties, FollowTheSignOfTheLogitAndTheCount) {
    auto list = from_logits({2.0F, -2.0F, 0.0F, 5.0F});
    PenaltyOptions options;
    options.repeat = 2.0F;
    options.presence = 0.5F;
    options.frequency = 0.25F;
    const std::vector<TokenId> said = {0, 1, 0, 2, 0};
    penalise(list, count_tokens(said), options);
    EXPECT_EQ(logits_of(list), (std::vector<float>{-0.25F, -4.75F, -0.75F, 5.0F}));
}

TEST(Penalties, AreTheSameForAnyOrderOfTheList) {
    PenaltyOptions options;
    options.repeat = 1.3F;
    options.frequency = 0.1F;
    const auto counts = count_tokens(std::vector<TokenId>{3, 3, 900, -5, 7});
    auto by_id = from_logits(testing::rough_logits(100, 3));
    auto sorted = by_id;
    sort(sorted);
    penalise(by_id, counts, options);
    penalise(sorted, counts, options);
    sort(by_id);
    sort(sorted);
    EXPECT_EQ(testing::ids(by_id), testing::ids(sorted));
}

TEST(TokenWindow, CountsTheLastN) {
    TokenWindow window(3);
    for (const TokenId id : {1, 2, 1, 3, 3}) window.push(id);
    EXPECT_THAT(window.counts(), UnorderedElementsAre(Pair(1, 1), Pair(3, 2)));
    TokenWindow all(-1);
    TokenWindow none(0);
    for (const TokenId id : {1, 2, 1}) {
        all.push(id);
        none.push(id);
    }
    EXPECT_THAT(all.counts(), UnorderedElementsAre(Pair(1, 2), Pair(2, 1)));
    EXPECT_TRUE(none.counts().empty());
}

TEST(LogitBias, AddsAndForbids) {
    auto list = from_logits({1.0F, 2.0F, 3.0F});
    const std::vector<LogitBias> biases = {{0, 1.5F}, {2, kImpossible}, {0, 0.5F}};
    add_bias(list, biases);
    EXPECT_EQ(logits_of(list), (std::vector<float>{3.0F, 2.0F, kImpossible}));
}

struct DryCase {
    std::vector<float> before;
    std::vector<TokenId> text;
    std::vector<float> after;  // probabilities
    float multiplier, base;
    int allowed, last_n;
    std::vector<std::vector<TokenId>> breakers;
};

const std::vector<float> kFour(4, 0.25F);
const std::vector<float> kFive(5, 0.2F);

TEST(Dry, PenalisesTheTokenThatWouldRepeat) {
    const float x = 0.296923F;
    const float y = 0.241818F;
    const std::vector<DryCase> cases = {
        {kFour, {0, 1}, kFour, 1, 1.1F, 2, 4, {}},
        {kFour, {0, 1, 2, 0, 1}, {x, x, 0.109232F, x}, 1, 1.1F, 2, 5, {}},
        {kFour, {3, 3, 0, 1, 2, 0, 1}, {x, x, 0.109232F, x}, 1, 1.1F, 2, -1, {}},
        {kFour, {0, 1, 2, 0, 1}, kFour, 1, 1.1F, 2, 3, {}},
        {kFive, {0, 1, 3, 4, 0, 1}, kFive, 1, 1.1F, 2, 6, {{3}}},
        {kFive, {0, 1, 2, 0, 1}, {y, y, 0.032727F, y, y}, 2, 1.1F, 2, 5, {}},
        {kFive, {0, 1, 2, 3, 4, 0, 1}, kFive, 1, 1.1F, 4, 7, {}},
        {kFour, {0, 1, 2, 0, 1}, kFour, 1, 1.1F, 2, 5, {{0, 1}}},
        {kFour, {0, 1, 2, 0, 1}, kFour, 1, 1.1F, 2, 0, {}},
    };
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const DryCase& c = cases[i];
        DryOptions options;
        options.multiplier = c.multiplier;
        options.base = c.base;
        options.allowed_length = c.allowed;
        options.last_n = c.last_n;
        DryBreakers breakers;
        for (const auto& sequence : c.breakers) breakers.add(sequence);
        auto list = from_probabilities(c.before);
        dry(list, c.text, options, breakers);
        softmax(list);
        for (std::size_t id = 0; id < c.after.size(); ++id) {
            EXPECT_NEAR(list.items[id].p, c.after[id], kTolerance) << "case " << i;
        }
    }
}

// By definition: for each earlier place, how long is what precedes it like the end of the text?
std::vector<float> dry_by_definition(std::size_t n_vocab, const std::vector<TokenId>& text,
                                     const DryOptions& options) {
    std::vector<float> penalty(n_vocab, 0.0F);
    const auto n = static_cast<int>(text.size());
    for (int at = 1; at < n; ++at) {
        int length = 0;
        while (length < at && text[at - 1 - length] == text[n - 1 - length]) ++length;
        if (length < options.allowed_length) continue;
        auto& p = penalty[text[at]];
        p = std::max(
            p, options.multiplier
                   * std::pow(options.base, static_cast<float>(length - options.allowed_length)));
    }
    return penalty;
}

TEST(Dry, ExponentIsTheLongestRepetitionInAnyText) {
    constexpr std::size_t n_vocab = 3;
    Rng rng(17);
    DryOptions options;
    options.multiplier = 0.8F;
    options.allowed_length = 1;
    for (int round = 0; round < 300; ++round) {
        std::vector<TokenId> text(rng.next() % 40);
        for (auto& id : text) id = static_cast<TokenId>(rng.next() % n_vocab);
        Candidates list = from_logits(std::vector<float>(n_vocab, 0.0F));
        dry(list, text, options, {});
        const auto expected = dry_by_definition(n_vocab, text, options);
        for (std::size_t id = 0; id < n_vocab; ++id) {
            ASSERT_NEAR(list.items[id].logit, -expected[id], 1e-4F * (1 + expected[id]));
        }
    }
}

TEST(Dry, LongRepetitionsStayNumbers) {
    DryOptions options;
    options.multiplier = 5.0F;
    options.base = 4.0F;
    const std::vector<TokenId> text(5000, 1);
    auto list = from_logits({0.0F, 3e38F});
    dry(list, text, options, {});
    EXPECT_FALSE(std::isnan(list.items[1].logit));
    EXPECT_LT(list.items[1].logit, 0.0F);
}

TEST(Dry, AWholeBreakerIsNeverPenalised) {
    DryOptions options;
    options.multiplier = 1.0F;
    DryBreakers breakers;
    breakers.add(std::vector<TokenId>{2});
    auto list = from_logits({0, 0, 0, 0});
    // The breaker stands before the repetition, so that only the exemption can spare it.
    dry(list, std::vector<TokenId>{0, 1, 3, 0, 1}, options, breakers);
    EXPECT_LT(list.items[3].logit, 0.0F);
    DryBreakers exempt;
    exempt.add(std::vector<TokenId>{3});
    EXPECT_EQ(exempt.tokens_behind(std::vector<TokenId>{0, 1, 3, 0, 1}), 2U);
    auto spared = from_logits({0, 0, 0, 0});
    dry(spared, std::vector<TokenId>{0, 1, 3, 0, 1}, options, exempt);
    EXPECT_EQ(spared.items[3].logit, 0.0F);
}

TEST(DryBreakers, AreFoundInsideAndAcrossTokens) {
    const std::vector<std::string> words = {"a", "x\ny", "ab", "b", "c", "bc", "ca"};
    BreakerVocabulary vocabulary;
    vocabulary.size = static_cast<int>(words.size());
    vocabulary.bytes_of = [&words](TokenId id) { return words[static_cast<std::size_t>(id)]; };
    vocabulary.encode = [](std::string_view text) {
        std::vector<TokenId> out;
        for (const char c : text) out.push_back(c == 'b' ? 3 : 4);
        return out;
    };
    const std::vector<std::string> strings = {"\n", "abc"};
    const auto breakers = prepare_breakers(strings, vocabulary);
    EXPECT_TRUE(breakers.is_whole(1));   // contains the line end
    EXPECT_FALSE(breakers.is_whole(0));  // "a" only begins "abc"
    using Text = std::vector<TokenId>;
    EXPECT_EQ(breakers.tokens_behind(Text{5, 0, 3, 4, 5}), 1U);  // a b c
    EXPECT_EQ(breakers.tokens_behind(Text{5, 2, 4, 5, 5}), 2U);  // ab c
    EXPECT_EQ(breakers.tokens_behind(Text{5, 6, 3, 4, 5}), 1U);  // ca b c
    EXPECT_EQ(breakers.tokens_behind(Text{5, 0, 3, 3, 5}), 5U);  // never whole
    EXPECT_EQ(breakers.tokens_behind(Text{}), 0U);
}

TEST(Mirostat, HoldsTheSurpriseNearTau) {
    // A Zipf distribution over 500 tokens: more than 6 bits of entropy when nothing is cut.
    std::vector<float> logits(500);
    for (std::size_t i = 0; i < logits.size(); ++i)
        logits[i] = -std::log(static_cast<float>(i + 1));
    for (const float tau : {2.0F, 3.0F, 5.0F}) {
        Mirostat mirostat({true, tau, 0.1F});
        Rng rng(23);
        double sum = 0;
        constexpr int n_steps = 1500;
        for (int step = 0; step < n_steps; ++step) {
            auto list = from_logits(logits);
            mirostat.draw_from(list, rng);
            sum += mirostat.surprise();
        }
        EXPECT_NEAR(sum / n_steps, tau, 0.1) << tau;
    }
}

TEST(Mirostat, MovesMuByTheStatedStep) {
    Mirostat mirostat({true, 1.5F, 0.1F});
    EXPECT_EQ(mirostat.mu(), 3.0);
    Rng rng(1);
    auto list = from_probabilities({0.5F, 0.25F, 0.2F, 0.05F});  // 1, 2, 2.3, 4.3 bits
    mirostat.draw_from(list, rng);
    EXPECT_EQ(list.size(), 3U);
    EXPECT_NEAR(mirostat.mu(), 3.0 - 0.1F * (mirostat.surprise() - 1.5), 1e-9);
}

}  // namespace
}  // namespace heft::gen
