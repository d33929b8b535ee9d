#include "text/added_tokens.h"

#include <string>

#include <gtest/gtest.h>

namespace heft::text {
namespace {

AddedToken token(std::string text, TokenId id, bool control = false) {
    AddedToken out;
    out.text = std::move(text);
    out.id = id;
    out.control = control;
    return out;
}

// "text" for text, "#id" for a token; joined by "|".
std::string split(std::vector<AddedToken> tokens, std::string_view text, bool control = true) {
    auto added = AddedTokens::build(std::move(tokens));
    EXPECT_TRUE(added);
    std::vector<Segment> segments;
    added->split(text, control, segments);
    std::string out;
    for (const Segment& segment : segments) {
        if (!out.empty()) out += '|';
        out +=
            segment.id == kNoToken ? std::string(segment.text) : "#" + std::to_string(segment.id);
    }
    return out;
}

TEST(AddedTokens, TheLeftmostThenTheLongestWins) {
    const std::vector<AddedToken> tokens{token("ab", 1), token("abc", 2), token("bcd", 3),
                                         token("abcdx", 4), token("", 5)};
    EXPECT_EQ(split(tokens, ""), "");
    EXPECT_EQ(split(tokens, "abcd"), "#2|d");
    EXPECT_EQ(split(tokens, "xabab"), "x|#1|#1");
    EXPECT_EQ(split(tokens, "bcdabcdx"), "#3|#4");
    EXPECT_EQ(split(tokens, "abcd abcdabc"), "#2|d |#2|d|#2");
    EXPECT_EQ(split({}, "abc"), "abc");
}

TEST(AddedTokens, ControlTokensAreTextUnlessAskedFor) {
    const std::vector<AddedToken> tokens{token("<|x|>", 1, true), token("<|", 2)};
    EXPECT_EQ(split(tokens, "a<|x|>", true), "a|#1");
    EXPECT_EQ(split(tokens, "a<|x|>", false), "a|#2|x|>");
}

TEST(AddedTokens, FlagsTakeSpacesAlongOrAskForAWord) {
    AddedToken left = token("<m>", 1);
    left.lstrip = true;
    AddedToken right = token("<e>", 2);
    right.rstrip = true;
    AddedToken word = token("cat", 3);
    word.single_word = true;
    EXPECT_EQ(split({left}, "a \n\u3000<m> b"), "a|#1| b");
    EXPECT_EQ(split({right}, "a <e> \n b<e>"), "a |#2|b|#2");
    EXPECT_EQ(split({left, right}, "<e>  <m>"), "#2|#1");
    EXPECT_EQ(split({word}, "cat cats écat cat."), "#3| cats écat |#3|.");
}

TEST(AddedTokens, AnyBytesAreText) {
    EXPECT_EQ(split({token("\xFF", 1), token("é", 2)}, "a\xFF\xC3\xA9\xC3"), "a|#1|#2|\xC3");
}

TEST(AddedTokens, RefusesAbsurdLengths) {
    EXPECT_FALSE(AddedTokens::build({token(std::string(5000, 'x'), 1)}));
}

}  // namespace
}  // namespace heft::text
