#include "text/normaliser.h"

#include <array>
#include <cstdlib>
#include <memory>

#include <gtest/gtest.h>
#include <utf8proc.h>

#include "base/rng.h"
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
    steps.emplace_back(Lowercase{});
    steps.emplace_back(ReplaceText{" ", "▁"});
    EXPECT_EQ(Normaliser(std::move(steps)).apply("  ÀB C ", scratch), "àb▁c▁");

    std::vector<NormaliserStep> doubling;
    for (int i = 0; i < 32; ++i) doubling.emplace_back(ReplaceText{"a", "aaaa"});
    EXPECT_LT(Normaliser(std::move(doubling)).apply("aaaa", scratch).size(), 10'000U);
}

}  // namespace
}  // namespace heft::text
