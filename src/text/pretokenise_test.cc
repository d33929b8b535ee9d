#include "text/pretokenise.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace heft::text {
namespace {

using Words = std::vector<std::string_view>;

struct Case {
    std::string_view name, text;
    Words words;
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

Words split(const Pretokeniser& pretokeniser, std::string_view text) {
    Words words;
    RegexScratch scratch;
    pretokeniser.split(text, scratch, words);
    return words;
}

Words split(std::string_view pattern, Cut cut, bool invert, std::string_view text) {
    auto regex = Regex::compile(pattern);
    EXPECT_TRUE(regex) << pattern;
    std::vector<CutStep> steps;
    steps.push_back({std::move(*regex), cut, invert});
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
    EXPECT_EQ(split("-", Cut::isolated, false, "a--b-"), (Words{"a", "-", "-", "b", "-"}));
    EXPECT_EQ(split("-", Cut::removed, false, "a--b-"), (Words{"a", "b"}));
    EXPECT_EQ(split("-", Cut::removed, true, "a--b-"), (Words{"-", "-", "-"}));
    EXPECT_EQ(split("-", Cut::merged_with_previous, false, "a--b-"), (Words{"a-", "-", "b-"}));
    EXPECT_EQ(split("-", Cut::merged_with_next, false, "a--b-"), (Words{"a", "-", "-b", "-"}));
    EXPECT_EQ(split("-", Cut::contiguous, false, "a--b-"), (Words{"a", "--", "b", "-"}));
}

TEST(Regex, SpacesAreUnicodeWhiteSpace) {
    EXPECT_EQ(split(R"(\s)", Cut::removed, true, "\u180Ea\u2003b\u0085"),
              (Words{"\u2003", "\u0085"}));
    EXPECT_EQ(split(R"([^\sa]+)", Cut::removed, true, "a\u180Ea\u3000"), (Words{"\u180E"}));
    EXPECT_EQ(split(R"(\S+)", Cut::removed, true, " ab\u00A0c"), (Words{"ab", "c"}));
}

TEST(Regex, WhatWouldBeReadOtherwiseIsRefused) {
    for (const std::string_view pattern : {"[a-z&&[^b]]", "[a[bc]]", "(", "[[:alpha", "a{2,1}"}) {
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
    EXPECT_EQ(split("(a+)+$b", Cut::isolated, false, text), (Words{text}));
    EXPECT_EQ(split("(?:(?:a*)*)*c", Cut::isolated, false, text), (Words{text}));
    EXPECT_EQ(split("x*", Cut::isolated, false, "éaxé"), (Words{"éa", "x", "é"}));
}

}  // namespace
}  // namespace heft::text
