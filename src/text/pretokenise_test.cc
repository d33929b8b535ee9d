#include "text/pretokenise.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace heft::text {
namespace {

using List = std::vector<std::string_view>;

struct Case {
    std::string_view name, text;
    List words;
};

const std::array kCases{
    Case{"gpt-2", "it's  x\n\n 42!", {"it", "'s", " ", " x", "\n\n", " 42", "!"}},
    Case{"llama-bpe", "I'LL 12345 a\r\n b", {"I", "'LL", " ", "123", "45", " a", "\r\n", " b"}},
    Case{"qwen2", "12 ab", {"1", "2", " ab"}},
    Case{"starcoder", "x 12", {"x", " ", "1", "2"}},
    Case{"falcon", "a--b 1234", {"a", "--", "b", " ", "123", "4"}},
    Case{"deepseek-llm", "Hi 日本 a  ", {"Hi", " ", "日本", " a", "  "}},
    Case{"deepseek-coder", "f(x)\n12", {"f", "(", "x", ")", "\n", "1", "2"}},
    Case{"deepseek-v3", "a1234 .b", {"a", "123", "4", " .", "b"}},
    Case{"gpt-4o", "HelloWorld's", {"Hello", "World's"}},
    Case{"tekken", "12 HelloWorld", {"1", "2", " Hello", "World"}},
    Case{"kimi-k2", "Hello日本World's 1234", {"Hello", "日本", "World's", " ", "123", "4"}},
    Case{"superbpe", "a 1234567 b", {"a ", "1", "234", "567", " b"}},
    Case{"tiny_aya", "1234 123a", {"1", "234", " ", "123", "a"}},
    Case{"afmoe", "1234a日", {"1", "234", "a", "日"}},
    Case{"gemma4", "a b\n\nc", {"a b", "\n\n", "c"}},
    Case{"jais-2", "a      b", {"a", "    ", " ", " b"}},
};

constexpr std::array<std::string_view, 5> kTexts{
    "plain words, 123 4567 and — dashes… \t\n\r\n  end  ",
    "日本語 한국어 ไทย हिन्दी عربى e\u0301\u0323x "
    "🙂🚀👨‍👩‍👧",
    "\xFF\xFE broken \x80\xE2\x82 bytes \xF0\x9F", "   \u00A0\u2003\u3000\u180E   ",
    "don't CAN'T I'm ſ'ſ"};

Pretokeniser compiled(std::string_view name) {
    const PreTokenizerRow* row = find_pre_tokenizer(name);
    EXPECT_NE(row, nullptr) << name;
    auto out = compile_pre_tokenizer(*row);
    EXPECT_TRUE(out) << name;
    return std::move(*out);
}

List split(const Pretokeniser& pretokeniser, std::string_view text) {
    static Words words;  // holds what the list points into
    RegexScratch scratch;
    pretokeniser.split(text, true, scratch, words);
    return words.list;
}

List split(std::string_view pattern, Cut cut, bool invert, std::string_view text) {
    auto regex = Regex::compile(pattern);
    EXPECT_TRUE(regex) << pattern;
    std::vector<PretokeniserStep> steps;
    steps.emplace_back(CutStep{std::move(*regex), cut, invert, false});
    return split(Pretokeniser(std::move(steps)), text);
}

TEST(Pretokenise, NamedPatternsCutAsTheirModelsDo) {
    for (const auto& [name, text, words] : kCases)
        EXPECT_EQ(split(compiled(name), text), words) << name;
}

TEST(Pretokenise, EveryNamedPatternKeepsEveryByte) {
    std::string names = known_pre_tokenizers() + ", ";
    int rows = 0;
    for (std::size_t at = 0; at < names.size(); ++rows) {
        const std::size_t end = names.find(", ", at);
        const Pretokeniser pretokeniser = compiled(names.substr(at, end - at));
        for (const auto text : kTexts) {
            std::string joined;
            for (const auto word : split(pretokeniser, text)) joined += word;
            EXPECT_EQ(joined, text) << names.substr(at, end - at);
        }
        at = end + 2;
    }
    EXPECT_GT(rows, 20);
    EXPECT_EQ(find_pre_tokenizer("no-such-model"), nullptr);
}

TEST(Pretokenise, MatchesGoWhereTheStepSays) {
    EXPECT_EQ(split("-", Cut::isolated, false, "a--b-"), (List{"a", "-", "-", "b", "-"}));
    EXPECT_EQ(split("-", Cut::removed, false, "a--b-"), (List{"a", "b"}));
    EXPECT_EQ(split("-", Cut::removed, true, "a--b-"), (List{"-", "-", "-"}));
    EXPECT_EQ(split("-", Cut::merged_with_previous, false, "a--b-"), (List{"a-", "-", "b-"}));
    EXPECT_EQ(split("-", Cut::merged_with_next, false, "a--b-"), (List{"a", "-", "-b", "-"}));
    EXPECT_EQ(split("-", Cut::contiguous, false, "a--b-"), (List{"a", "--", "b", "-"}));
}

TEST(Pretokenise, EmptyMatchesCut) {
    EXPECT_EQ(split("(?=b)", Cut::isolated, false, "abab"), (List{"a", "ba", "b"}));
    EXPECT_EQ(split("(?<=a)", Cut::removed, false, "abab"), (List{"a", "ba", "b"}));
}

TEST(Pretokenise, SpelledStepsSeeCharactersOfBytes) {
    // "ò" is C3 B2, spelled "Ã²": the second is a number.
    auto regex = Regex::compile(R"(\p{N})");
    ASSERT_TRUE(regex);
    std::vector<PretokeniserStep> steps;
    steps.emplace_back(CutStep{std::move(*regex), Cut::isolated, false, true});
    EXPECT_EQ(split(Pretokeniser(std::move(steps)), "xò1"), (List{"x\xC3", "\xB2", "1"}));
}

TEST(Pretokenise, MarksGoBeforeWords) {
    using When = MarkStep::When;
    const auto marked = [](When when) {
        std::vector<PretokeniserStep> steps;
        auto spaces = Regex::compile(R"(\s+)");
        steps.emplace_back(CutStep{std::move(*spaces), Cut::removed, false, false});
        steps.emplace_back(MarkStep{"▁", when, true});
        return split(Pretokeniser(std::move(steps)), "a ▁b\xFF\nc");
    };
    EXPECT_EQ(marked(When::always), (List{"▁a", "▁b\xFF", "▁c"}));
    EXPECT_EQ(marked(When::first), (List{"▁a", "▁b\xFF", "c"}));
    EXPECT_EQ(marked(When::never), (List{"a", "▁b\xFF", "c"}));
}

// Groups of three from the right, against the patterns that say so.
TEST(Pretokenise, DigitGroupsAreThoseOfThePattern) {
    for (const std::string_view pattern :
         {R"(\d{1,3}(?=(?:\d{3})*\b))", R"(\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N})))",
          R"((?=(\d{3})+(?!\d)))"}) {
        auto step = isolating_step(pattern);
        ASSERT_TRUE(step);
        ASSERT_TRUE(std::holds_alternative<GroupDigits>(*step)) << pattern;
        std::vector<PretokeniserStep> steps;
        steps.push_back(std::move(*step));
        const Pretokeniser ours(std::move(steps));
        for (const std::string_view text :
             {"1", "12", "123", "1234", "12345678", "a1234b 12345, 123", "٣٤٥٦ x", "1²345", "12a",
              "1234_", "", "é1234é 1234"})
            EXPECT_EQ(split(ours, text), split(pattern, Cut::isolated, false, text))
                << pattern << " " << text;
    }
}

TEST(Regex, SetsMayBeCutByOthers) {
    EXPECT_EQ(split("[a-z&&[^bc]]+", Cut::removed, true, "abcd ef"), (List{"a", "d", "ef"}));
    EXPECT_EQ(split("[a-z&&[bcd]]+", Cut::removed, true, "abcd ef"), (List{"bcd"}));
    EXPECT_EQ(split(R"(\p{Han}+)", Cut::removed, true, "日本。本"), (List{"日本", "本"}));
    EXPECT_EQ(split(R"(\w+)", Cut::removed, true, "e\u0301 a\u203Fb"),
              (List{"e\u0301", "a\u203Fb"}));
}

TEST(Regex, SpacesAreUnicodeWhiteSpace) {
    EXPECT_EQ(split(R"(\s)", Cut::removed, true, "\u180Ea\u2003b\u0085"),
              (List{"\u2003", "\u0085"}));
    EXPECT_EQ(split(R"([^\sa]+)", Cut::removed, true, "a\u180Ea\u3000"), (List{"\u180E"}));
    EXPECT_EQ(split(R"(\S+)", Cut::removed, true, " ab\u00A0c"), (List{"ab", "c"}));
}

TEST(Regex, WhatWouldBeReadOtherwiseIsRefused) {
    for (const std::string_view pattern :
         {"[a-z&&b]", "[^a&&[b]]", "[a[bc]]", R"([a\W])", "(", "[[:alpha", "a{2,1}"}) {
        const auto regex = Regex::compile(pattern);
        ASSERT_FALSE(regex) << pattern;
        EXPECT_EQ(regex.error().code, Code::unsupported);
        EXPECT_NE(regex.error().what.find(pattern), std::string::npos);
    }
    EXPECT_TRUE(Regex::compile("[[:alpha:]]+"));
    EXPECT_TRUE(Regex::compile(R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~])"));
}

TEST(Regex, RunawayPatternsEnd) {
    const std::string text(40, 'a');
    EXPECT_EQ(split("(a+)+$b", Cut::isolated, false, text), (List{text}));
    EXPECT_EQ(split("(?:(?:a*)*)*c", Cut::isolated, false, text), (List{text}));
    EXPECT_EQ(split("x*", Cut::isolated, false, "éaxé"), (List{"é", "a", "x", "é"}));
}

}  // namespace
}  // namespace heft::text
