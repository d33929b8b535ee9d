#include "text/normaliser.h"

#include <array>
#include <cstdlib>
#include <memory>

#include <gtest/gtest.h>
#include <utf8proc.h>

#include "base/rng.h"
#include "text/test_charsmap.h"
#include "text/utf8.h"

namespace heft::text {
namespace {

std::string reference(const std::string& text, bool compose, bool compatible) {
    const auto options = static_cast<utf8proc_option_t>(
        UTF8PROC_STABLE | (compose ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE)
        | (compatible ? UTF8PROC_COMPAT : 0));
    utf8proc_uint8_t* out = nullptr;
    const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                   static_cast<utf8proc_ssize_t>(text.size()), &out, options);
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(out, &std::free);
    EXPECT_GE(size, 0);
    return {reinterpret_cast<const char*>(out), static_cast<std::size_t>(size)};
}

TEST(Normaliser, FormsAreThoseOfTheLibrary) {
    constexpr std::array<char32_t, 18> kUsual{U'a',   U'e',   U' ',   0x301,  0x323,   0x327,
                                              0xE9,   0x1EC7, 0x212B, 0xFB01, 0xAC00,  0x1100,
                                              0x1161, 0x11A8, 0x3099, 0x304B, 0x1F642, 0x2126};
    Rng rng(3);
    for (int round = 0; round < 3000; ++round) {
        std::string text;
        for (std::uint64_t n = rng.next() % 14; n > 0; --n)
            append_utf8(text, kUsual[rng.next() % kUsual.size()]);
        ASSERT_EQ(to_form(text, UnicodeForm::nfc), reference(text, true, false)) << text;
        ASSERT_EQ(to_form(text, UnicodeForm::nfd), reference(text, false, false)) << text;
        ASSERT_EQ(to_form(text, UnicodeForm::nfkc), reference(text, true, true)) << text;
        ASSERT_EQ(to_form(text, UnicodeForm::nfkd), reference(text, false, true)) << text;
    }
}

TEST(Normaliser, BrokenBytesPassThrough) {
    EXPECT_EQ(to_form("e\u0301\xFF"
                      "e\u0301\xE2\x82",
                      UnicodeForm::nfc),
              "é\xFFé\xE2\x82");
    EXPECT_EQ(to_form("\xFF\xFE", UnicodeForm::nfc), "\xFF\xFE");
}

TEST(Normaliser, StepsComeInOrderAndCannotBlowUp) {
    RegexScratch scratch;
    std::vector<NormaliserStep> steps;
    steps.emplace_back(Strip{true, false});
    steps.emplace_back(to_lower);
    steps.emplace_back(ReplaceText{" ", "▁"});
    EXPECT_EQ(Normaliser(std::move(steps)).apply("  ÀB C ", scratch), "àb▁c▁");

    std::vector<NormaliserStep> doubling;
    for (int i = 0; i < 32; ++i) doubling.emplace_back(ReplaceText{"a", "aaaa"});
    EXPECT_LT(Normaliser(std::move(doubling)).apply("aaaa", scratch).size(), 10'000U);
}

std::string mapped(std::vector<NormaliserStep> steps, std::string text) {
    RegexScratch scratch;
    return Normaliser(std::move(steps)).apply(std::move(text), scratch);
}

std::string mapped(CharMap map, std::string text) {
    std::vector<NormaliserStep> steps;
    steps.emplace_back(map);
    return mapped(std::move(steps), std::move(text));
}

TEST(Normaliser, CharactersAreMappedOneByOne) {
    EXPECT_EQ(mapped(to_lower, "ÀB ΑΣ \u0130 \xFFZ"), "àb ασ i\u0307 \xFFz");
    EXPECT_EQ(mapped(drop_marks, "e\u0301 \u0903a"), "e a");
    EXPECT_EQ(mapped(drop_nonspacing, "e\u0301 \u0903a"), "e \u0903a");
    EXPECT_EQ(mapped(clean_for_bert, "a\tb\u00A0c\u200Bd\uFFFD\x01"), "a b cd");
    EXPECT_EQ(mapped(space_around_han, "a日本b한"), "a 日  本 b한");
    EXPECT_EQ(mapped(clean_for_nmt, "a\x01\nb\u200B\u2581c"), "a b  c");
}

TEST(Normaliser, StripAndPrependKnowWhatIsEmpty) {
    std::vector<NormaliserStep> steps;
    steps.emplace_back(Strip{true, true});
    steps.emplace_back(Prepend{"▁"});
    EXPECT_EQ(mapped(std::move(steps), "\u3000 a b\u00A0\n"), "▁a b");
    std::vector<NormaliserStep> blank;
    blank.emplace_back(Strip{true, true});
    blank.emplace_back(Prepend{"▁"});
    EXPECT_EQ(mapped(std::move(blank), " \t"), "");
}

TEST(Normaliser, PatternsAreReplacedBetweenBrokenBytes) {
    auto runs = Regex::compile(" {2,}");
    ASSERT_TRUE(runs);
    std::vector<NormaliserStep> steps;
    steps.emplace_back(Replace{std::move(*runs), " "});
    EXPECT_EQ(mapped(std::move(steps), "a  \xFF   b\xE2\x82  "), "a \xFF b\xE2\x82 ");
}

TEST(Charsmap, TheLongestKeyWins) {
    const std::string blob = testing::charsmap_blob(
        {{"a", "1"}, {"abc", "3"}, {"é", "e"}, {"ﬁ", "fi"}, {"\n", " "}, {"\u200B", ""}});
    const auto map = Charsmap::build(as_bytes(blob));
    ASSERT_TRUE(map) << map.error().what;
    EXPECT_EQ(map->apply("abcabé\nﬁx\u200By\xFF日"), "31be fixy\xFF日");
    EXPECT_EQ(map->apply(""), "");
}

TEST(Charsmap, WhatIsCutOffOrUnboundedIsRefused) {
    const std::string blob = testing::charsmap_blob({{"a", "1"}});
    const auto refused = [](const std::string& bytes) {
        const auto map = Charsmap::build(as_bytes(bytes));
        return !map && map.error().code == Code::corrupt;
    };
    EXPECT_TRUE(refused(""));
    EXPECT_TRUE(refused(blob.substr(0, 6)));
    EXPECT_TRUE(refused(blob.substr(0, blob.size() - 1)));
    EXPECT_TRUE(refused(std::string("\3\0\0\0abc\0", 8)));
    EXPECT_TRUE(refused(blob + std::string(65, 'x') + '\0'));
    EXPECT_FALSE(refused(blob));
}

// Any bytes as a map end in some text, and in time: its links may go in circles.
TEST(Charsmap, HostileMapsStayInBounds) {
    Rng rng(11);
    const std::string text(5000, 'a');
    for (int round = 0; round < 200; ++round) {
        std::string blob("\0\4\0\0", 4);
        for (int i = 0; i < 1024; ++i) blob += static_cast<char>(i % 4 == 0 ? 'a' : rng.next() % 8);
        blob += std::string("x\0yy\0", 5);
        const auto map = Charsmap::build(as_bytes(blob));
        ASSERT_TRUE(map) << map.error().what;
        EXPECT_LE(map->apply(text).size(), text.size() * 64);
    }
}

}  // namespace
}  // namespace heft::text
