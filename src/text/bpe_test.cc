#include "text/bpe.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "text/seams.h"

namespace heft::text {
namespace {

// The definition: look at all neighbours, merge the best, start again.
std::vector<std::string> merge_slowly(const std::string& word, const TokenTable& table,
                                      const MergeRules& rules) {
    struct Part {
        std::string text;
        Symbol symbol;
    };
    std::vector<Part> parts;
    for (std::size_t i = 0; i < word.size(); ++i) {
        Symbol symbol;
        symbol.id = table.find(word.substr(i, 1));
        symbol.begin = static_cast<std::uint32_t>(i);
        symbol.bytes = 1;
        parts.push_back({word.substr(i, 1), symbol});
    }
    while (true) {
        std::optional<std::size_t> best;
        Merge merge;
        for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
            const Merge found = rules.find(word, parts[i].symbol, parts[i + 1].symbol);
            if (found.rank < merge.rank) {
                merge = found;
                best = i;
            }
        }
        if (!best) break;
        parts[*best].text += parts[*best + 1].text;
        parts[*best].symbol.bytes += parts[*best + 1].symbol.bytes;
        parts[*best].symbol.id = merge.into;
        parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(*best) + 1);
    }
    std::vector<std::string> out;
    for (const Part& part : parts) out.push_back(part.text);
    return out;
}

std::vector<std::string> merge_quickly(const std::string& word, const TokenTable& table,
                                       const MergeRules& rules) {
    Merger merger;
    for (std::size_t i = 0; i < word.size(); ++i) merger.add(table.find(word.substr(i, 1)), i, 1);
    merger.run(word, rules);
    std::vector<std::string> out;
    merger.each([&](const Symbol& s) { out.push_back(word.substr(s.begin, s.bytes)); });
    return out;
}

std::string random_word(Rng& rng, std::size_t longest) {
    std::string word;
    for (std::size_t n = rng.next() % longest; n > 0; --n)
        word += static_cast<char>('a' + rng.next() % 3);
    return word;
}

// Letters, and words made of shorter ones; "d" is no token.
std::vector<std::string> random_tokens(Rng& rng) {
    std::vector<std::string> tokens{"a", "b", "c"};
    for (int i = 0; i < 40; ++i) {
        std::string token = tokens[rng.next() % tokens.size()];
        token += tokens[rng.next() % tokens.size()];
        if (token.size() <= 9) tokens.push_back(token);
    }
    return tokens;
}

TokenTable table_of(const std::vector<std::string>& tokens) {
    auto table = TokenTable::build(std::vector<std::string_view>(tokens.begin(), tokens.end()));
    EXPECT_TRUE(table);
    return std::move(*table);
}

std::vector<PairRules::Pair> random_pairs(Rng& rng, const TokenTable& table) {
    std::vector<PairRules::Pair> pairs;
    for (int i = 0; i < 60; ++i) {
        const auto size = static_cast<std::uint64_t>(table.size());
        const auto left = static_cast<TokenId>(rng.next() % size);
        const auto right = static_cast<TokenId>(rng.next() % size);
        const auto joined = std::string(table.text(left)) + std::string(table.text(right));
        if (const TokenId into = table.find(joined); into != kNoToken)
            pairs.push_back({left, right, into});
    }
    return pairs;
}

TEST(Bpe, MergesByPairsAsTheDefinitionDoes) {
    Rng rng(1);
    for (int round = 0; round < 300; ++round) {
        const TokenTable table = table_of(random_tokens(rng));
        const PairRules rules(random_pairs(rng, table));
        for (int i = 0; i < 10; ++i) {
            const std::string word = random_word(rng, 60);
            ASSERT_EQ(merge_quickly(word, table, rules), merge_slowly(word, table, rules)) << word;
        }
    }
}

TEST(Bpe, MergesByScoresWithTiesAsTheDefinitionDoes) {
    Rng rng(2);
    for (int round = 0; round < 300; ++round) {
        const TokenTable table = table_of(random_tokens(rng));
        std::vector<std::uint32_t> ranks;
        for (int i = 0; i < table.size(); ++i)
            ranks.push_back(rng.next() % 8 == 0
                                ? kNoRank
                                : ScoreRules::rank_of(-static_cast<float>(rng.next() % 6)));
        const ScoreRules rules(table, ranks);
        Seams seams;
        for (TokenId id = 0; id < table.size(); ++id) seams.add(table.text(id));
        for (int i = 0; i < 10; ++i) {
            const std::string word = random_word(rng, 60) + "d" + random_word(rng, 20);
            const auto whole = merge_slowly(word, table, rules);
            ASSERT_EQ(merge_quickly(word, table, rules), whole) << word;
            std::vector<std::string_view> parts;
            std::vector<std::string> in_parts;
            seams.split(word, parts);
            for (const auto& part : parts)
                for (auto& piece : merge_quickly(std::string(part), table, rules))
                    in_parts.push_back(std::move(piece));
            ASSERT_EQ(in_parts, whole) << "cut at the seams: " << word;
        }
    }
}

TEST(Bpe, RanksFallAsScoresRise) {
    constexpr std::array kRising{-1e30F, -5.0F, -1.5F, -1e-20F, 0.0F, 1e-20F, 2.0F, 1e30F};
    for (std::size_t i = 1; i < kRising.size(); ++i)
        EXPECT_LT(ScoreRules::rank_of(kRising[i]), ScoreRules::rank_of(kRising[i - 1]));
    EXPECT_EQ(ScoreRules::rank_of(-0.0F), ScoreRules::rank_of(0.0F));
    EXPECT_NE(ScoreRules::rank_of(-std::numeric_limits<float>::infinity()), kNoRank);
}

}  // namespace
}  // namespace heft::text
