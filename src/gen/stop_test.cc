#include "gen/stop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"

namespace heft::gen {
namespace {

using Strings = std::vector<std::string>;

struct Outcome {
    std::string text;
    std::optional<std::string> hit;
    bool operator==(const Outcome&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
    return out << '"' << outcome.text << "\" (" << outcome.hit.value_or("no stop") << ')';
}

Outcome streamed(const Strings& stops, const Strings& pieces) {
    StopFilter filter(stops);
    Outcome outcome;
    for (const auto& piece : pieces) outcome.text += filter.push(piece);
    outcome.text += filter.finish();
    outcome.hit = filter.hit();
    return outcome;
}

// The definition, without any stream: where the first complete stop string begins, longest first.
Outcome whole(const Strings& stops, const std::string& text) {
    for (std::size_t end = 1; end <= text.size(); ++end) {
        const std::string* longest = nullptr;
        for (const auto& stop : stops) {
            const bool here = std::string_view(text).substr(0, end).ends_with(stop);
            if (here && (!longest || stop.size() > longest->size())) longest = &stop;
        }
        if (longest) return {text.substr(0, end - longest->size()), *longest};
    }
    return {text, std::nullopt};
}

struct Case {
    Strings stops;
    std::string text;
    std::string shown;
};

const std::vector<Case> kCases = {
    {{"STOP"}, "hello STOP world", "hello "},
    {{"STOP"}, "STOP", ""},
    {{"STOP"}, "hello STO", "hello STO"},
    {{"STOP"}, "SSTSTOSTOP", "SSTSTO"},
    {{"aab"}, "aaaab", "aa"},
    {{"abab", "bac"}, "ababac", ""},
    {{"abc", "b"}, "xabc", "xa"},
    {{"abcd", "bcd"}, "xabcd", "x"},
    {{"\n\n", "User:"}, "one\ntwo\n\nUser: x", "one\ntwo"},
    {{"\n\n", "\nUser:"}, "one\nUser: x", "one"},
    {{"é"}, "bère été", "bère "},
    {{"日本"}, "日曜日本", "日曜"},
    {{"🙂"}, "🙁🙂", "🙁"},
    {{}, "nothing to stop", "nothing to stop"},
    {{"x"}, "", ""},
};

TEST(StopFilter, EverySplitGivesTheSameText) {
    for (const auto& c : kCases) {
        const Outcome expected = whole(c.stops, c.text);
        ASSERT_EQ(expected.text, c.shown);
        for (std::size_t a = 0; a <= c.text.size(); ++a) {
            for (std::size_t b = a; b <= c.text.size(); ++b) {
                const Strings pieces = {c.text.substr(0, a), c.text.substr(a, b - a),
                                        c.text.substr(b)};
                ASSERT_EQ(streamed(c.stops, pieces), expected) << c.text << " " << a << " " << b;
            }
        }
        Strings bytes;
        for (const char byte : c.text) bytes.emplace_back(1, byte);
        EXPECT_EQ(streamed(c.stops, bytes), expected);
    }
}

TEST(StopFilter, RandomTextsAndSplits) {
    Rng rng(99);
    const auto word = [&rng](std::size_t most) {
        std::string text(1 + rng.next() % most, 'a');
        for (auto& c : text) c = static_cast<char>('a' + rng.next() % 2);
        return text;
    };
    for (int round = 0; round < 3000; ++round) {
        Strings stops;
        for (std::uint64_t n = rng.next() % 4; n > 0; --n) stops.push_back(word(6));
        const std::string text = word(30);
        Strings pieces;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t n = 1 + rng.next() % 5;
            pieces.push_back(text.substr(at, n));
            at += n;
        }
        ASSERT_EQ(streamed(stops, pieces), whole(stops, text)) << text;
    }
}

TEST(StopFilter, HoldsBackNoMoreThanItMust) {
    StopFilter filter({"</end>", "##"});
    EXPECT_EQ(filter.push("abc<"), "abc");
    EXPECT_EQ(filter.push("/en"), "");
    EXPECT_EQ(filter.push("t#"), "</ent");
    EXPECT_EQ(filter.push("x"), "#x");
    EXPECT_EQ(filter.push("\xC3"), "");  // half a character
    EXPECT_EQ(filter.push("\xA9"), "é");
    EXPECT_FALSE(filter.stopped());
    EXPECT_EQ(filter.push("y##z"), "y");
    EXPECT_TRUE(filter.stopped());
    EXPECT_EQ(filter.hit(), "##");
    EXPECT_EQ(filter.push("more"), "");
    EXPECT_EQ(filter.finish(), "");
}

TEST(StopFilter, InvalidUtf8PassesThroughInTheEnd) {
    const std::string text = "\x80\xC3\xFFok\xE2\x82";
    EXPECT_EQ(streamed({"zz"}, {text}).text, text);
}

TEST(Finished, TokensComeBeforeTheLimit) {
    StopOptions options;
    options.tokens = {2, 32000};
    options.max_tokens = 3;
    EXPECT_EQ(finished(options, 5, 2), std::nullopt);
    EXPECT_EQ(finished(options, 5, 3), FinishReason::length);
    EXPECT_EQ(finished(options, 32000, 3), FinishReason::stop_token);
    options.max_tokens = -1;
    EXPECT_EQ(finished(options, 5, 1'000'000), std::nullopt);
}

TEST(FinishReason, IsSpelledAsTheApiHasIt) {
    EXPECT_EQ(to_string(FinishReason::stop_token), "stop");
    EXPECT_EQ(to_string(FinishReason::stop_string), "stop");
    EXPECT_EQ(to_string(FinishReason::length), "length");
    EXPECT_EQ(to_string(FinishReason::context_full), "length");
    EXPECT_EQ(to_string(FinishReason::cancelled), "cancelled");
}

TEST(StopOptions, AreValidated) {
    EXPECT_TRUE(validate(StopOptions{}));
    StopOptions options;
    options.strings = {"ok", ""};
    EXPECT_FALSE(validate(options));
    options.strings = {"\xC3"};
    EXPECT_FALSE(validate(options));
    options.strings = Strings(257, "x");
    EXPECT_FALSE(validate(options));
    options.strings = {"\n\n", "日本"};
    EXPECT_TRUE(validate(options));
    options.max_tokens = -2;
    EXPECT_FALSE(validate(options));
}

}  // namespace
}  // namespace heft::gen
