// Answers in every format: what is in them, and that it does not matter how they are cut.
#include "text/reply_parser.h"

#include <random>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "text/test_replies.h"

namespace heft::text {

namespace {

using testing::read_reply;
using testing::ReadReply;
using testing::Sample;
using testing::samples;

std::string describe(const ReadReply& reply) {
    std::string out = "content «" + reply.content + "» reasoning «" + reply.reasoning + "»";
    for (const auto& call : reply.calls)
        out += "\n  " + call.name + " " + call.arguments + (call.whole ? "" : " (broken)");
    for (const auto& note : reply.degraded) out += "\n  ! " + note;
    return out;
}

void expect_reply(const ReadReply& got, const ReadReply& expected, const std::string& what) {
    EXPECT_EQ(describe(got), describe(expected)) << what;
}

const ReplyFormat& format_of(const Sample& sample) {
    const ReplyFormat* format = find_reply_format(sample.format);
    HEFT_CHECK(format);
    return *format;
}

TEST(ReplyParser, ReadsEveryFormat) {
    std::set<std::string> with_calls;
    for (const Sample& sample : samples()) {
        ReplyOptions options;
        options.in_reasoning = sample.in_reasoning;
        for (const bool streams : {true, false}) {
            options.stream_arguments = streams;
            expect_reply(read_reply(format_of(sample), sample.text, options), sample.reply,
                         std::string(sample.format) + ": " + sample.text);
        }
        if (!sample.reply.calls.empty()) with_calls.insert(sample.format);
    }
    for (const auto& format : reply_formats())
        EXPECT_TRUE(format.n_calls == 0 || with_calls.count(std::string(format.name)) != 0)
            << format.name;
}

// "tags" and "days" are no text by their schemas, "city" is, and nothing is known of "more".
TEST(ReplyParser, AClosingTagWithinAStringOfJsonEndsNothing) {
    const struct {
        const char *name, *value, *becomes;
    } rows[] = {
        {"tags", R"(["a</parameter>\n", {"b": "</parameter>"}])", nullptr},
        {"more", R"({"x": "\"</parameter>"})", nullptr},
        {"tags", R"(["a)", R"("[\"a")"},  // no JSON: the first tag counts
        {"tags", R"(["a" oops "</parameter>)", nullptr},
        {"city", R"(["a</parameter>)", nullptr},
    };
    const auto body = [](const std::string& name, const std::string& value) {
        return "<parameter=" + name + ">\n" + value + "\n</parameter>\n";
    };
    for (const auto& row : rows) {
        const std::string text = "<tool_call>\n<function=weather>\n" + body(row.name, row.value)
                                 + body("days", "3") + "</function>\n</tool_call>";
        for (const std::size_t cut : {1U, 1000U}) {
            const ReadReply reply =
                read_reply(*find_reply_format("qwen3-coder"), text, {}, [cut] { return cut; });
            SCOPED_TRACE(text);
            const bool is_text = std::string_view(row.name) == "city"
                                 || std::string_view(row.value).find("oops") != std::string::npos;
            if (is_text) {  // what follows the tag is of no parameter
                EXPECT_TRUE(reply.calls.empty());
                EXPECT_EQ(reply.content, text);
                continue;
            }
            ASSERT_EQ(reply.calls.size(), 1U) << describe(reply);
            const char* const becomes = row.becomes != nullptr ? row.becomes : row.value;
            EXPECT_EQ(reply.calls[0].arguments,
                      "{\"" + std::string(row.name) + "\": " + becomes + ", \"days\": 3}");
            EXPECT_TRUE(reply.degraded.empty());
        }
    }
}

// The string does not end, so that the tag was one.
TEST(ReplyParser, ATagWithinWhatWasNoJsonEndsTheValue) {
    const std::string text =
        "<seed:tool_call>\n<function=weather>\n<parameter=tags>[\"a</parameter>\n"
        "<parameter=days>3</parameter>\n</function>\n</seed:tool_call>";
    for (const std::size_t cut : {1U, 1000U}) {
        const ReadReply reply =
            read_reply(*find_reply_format("seed-oss"), text, {}, [cut] { return cut; });
        ASSERT_EQ(reply.calls.size(), 1U) << describe(reply);
        EXPECT_EQ(reply.calls[0].arguments, R"({"tags": "[\"a", "days": 3})");
    }
}

TEST(ReplyParser, CutsDoNotMatter) {
    std::mt19937 random(6);
    for (const Sample& sample : samples()) {
        // Also every answer that breaks off, in every format that may be given such a text.
        for (std::size_t size = 0; size <= sample.text.size(); size += 1 + size / 16) {
            const auto text = std::string_view(sample.text).substr(0, size);
            for (const bool streams : {true, false}) {
                const ReplyOptions options{sample.in_reasoning, streams};
                const auto whole = read_reply(format_of(sample), text, options);
                const auto bytes = read_reply(format_of(sample), text, options, [] { return 1; });
                const auto cut = read_reply(format_of(sample), text, options,
                                            [&random] { return 1 + random() % 7; });
                EXPECT_EQ(whole, bytes) << sample.format << ": " << text;
                EXPECT_EQ(whole, cut) << sample.format << ": " << text;
            }
        }
    }
}

// A format is given every other format's answers, cut off and with bytes changed.
TEST(ReplyParser, NothingIsLostOfWhatItCannotRead) {
    std::mt19937 random(7);
    for (const auto& format : reply_formats()) {
        for (const Sample& sample : samples()) {
            std::string text = sample.text;
            for (int i = 0; i < 3; ++i)
                text[random() % text.size()] = "{}[]\"<>|,:a \n"[random() % 13];
            const auto whole = read_reply(format, text);
            EXPECT_EQ(whole, read_reply(format, text, {}, [&random] { return 1 + random() % 5; }))
                << format.name << ": " << text;
            for (const auto& call : whole.calls)
                EXPECT_TRUE(!call.whole || is_json(call.arguments)) << call.arguments;
            if (format.name == "plain") {
                EXPECT_EQ(whole.content.find("<think>"), std::string::npos);
            }
        }
    }
}

TEST(ReplyParser, ControlTokensThatMatterGoIn) {
    ReplyParser parser(*find_reply_format("command-r7b"), testing::test_tools());
    ReadReply reply;
    collect(parser.push_special("<|START_THINKING|>"), reply);
    collect(parser.push("Hm."), reply);
    collect(parser.push_special("<|END_THINKING|>"), reply);
    collect(parser.push_special("<|START_RESPONSE|>"), reply);
    collect(parser.push("Yes."), reply);
    collect(parser.push_special("<|END_OF_TURN_TOKEN|>"), reply);
    collect(parser.finish(), reply);
    expect_reply(reply, {"Yes.", "Hm.", {}, {}}, "special");
}

TEST(ReplyParser, ArgumentsAreStreamed) {
    ReplyParser parser(*find_reply_format("hermes"), testing::test_tools());
    ReadReply reply;
    collect(parser.push("<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"ci"), reply);
    ASSERT_EQ(reply.calls.size(), 1U);
    EXPECT_EQ(reply.calls[0].arguments, "{\"ci");
    collect(parser.push("ty\": 1}"), reply);
    EXPECT_EQ(reply.calls[0].arguments, "{\"city\": 1}");
    EXPECT_EQ(parser.n_calls(), 0);
    collect(parser.push("}"), reply);
    EXPECT_EQ(parser.n_calls(), 1);
    EXPECT_TRUE(reply.calls[0].whole);
}

}  // namespace

}  // namespace heft::text
