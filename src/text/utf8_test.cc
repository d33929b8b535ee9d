#include "text/utf8.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "base/rng.h"

namespace heft::text {
namespace {

struct Mended {
    std::string bytes, text;
};

// The examples of Unicode 15, section 3.9, and the edges of every range.
const std::array kMended{
    Mended{"", ""},
    Mended{"plain", "plain"},
    Mended{"é日🙂", "é日🙂"},
    Mended{"\x80", "\uFFFD"},
    Mended{"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41",
           "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA"},
    Mended{"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41",
           "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA"},
    Mended{"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42",
           "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA\uFFFD\uFFFD"
           "B"},
    Mended{"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", "\uFFFD\uFFFD\uFFFD\uFFFDA"},
    Mended{"a\xF0\x9F\x99", "a\uFFFD"},
    Mended{"\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"},
    Mended{std::string("\0x", 2), std::string("\0x", 2)},
};

std::string random_bytes(Rng& rng) {
    constexpr std::array<unsigned char, 16> kUsual{0x41, 0x80, 0xBF, 0xC2, 0xC0, 0xE0, 0xA0, 0xED,
                                                   0x9F, 0xF0, 0x90, 0xF4, 0x8F, 0xFF, 0x00, 0xE6};
    std::string out;
    for (std::uint64_t n = rng.next() % 24; n > 0; --n)
        out += static_cast<char>(kUsual[rng.next() % kUsual.size()]);
    return out;
}

TEST(Utf8, IllFormedPartsBecomeReplacementCharacters) {
    for (const auto& [bytes, text] : kMended) {
        EXPECT_EQ(to_valid_utf8(bytes), text);
        EXPECT_TRUE(is_utf8(text));
        EXPECT_EQ(is_utf8(bytes), bytes == text);
    }
}

TEST(Utf8, StreamsGiveTheWholeInAnyPortions) {
    Rng rng(7);
    for (int round = 0; round < 2000; ++round) {
        const std::string bytes = random_bytes(rng);
        Utf8Stream stream;
        std::string joined;
        for (std::size_t at = 0; at < bytes.size();) {
            const std::size_t count = 1 + rng.next() % 4;
            const std::string piece = stream.push(std::string_view(bytes).substr(at, count));
            EXPECT_TRUE(is_utf8(piece));
            joined += piece;
            at += count;
        }
        joined += stream.finish();
        ASSERT_EQ(joined, to_valid_utf8(bytes));
    }
}

TEST(Utf8, EveryCharacterSurvives) {
    for (char32_t code = 0; code <= 0x10FFFF; ++code) {
        if (code >= 0xD800 && code <= 0xDFFF) continue;
        std::string text;
        append_utf8(text, code);
        const Utf8Char c = utf8_at(text, 0);
        ASSERT_TRUE(c.valid);
        ASSERT_EQ(c.code, code);
        ASSERT_EQ(c.bytes, text.size());
    }
}

}  // namespace
}  // namespace heft::text
