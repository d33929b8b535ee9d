// Answers that are not as they should be: nothing is lost, and a note says what is wrong.
#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "text/reply_parser.h"
#include "text/test_replies.h"

namespace heft::text {

namespace {

using testing::read_reply;
using testing::ReadReply;

const ReplyFormat& format_named(std::string_view name) {
    const ReplyFormat* format = find_reply_format(name);
    HEFT_CHECK(format);
    return *format;
}

void expect_text(std::string_view format, const std::string& text, std::size_t n_notes = 1) {
    for (const bool streams : {true, false}) {
        const ReadReply reply = read_reply(format_named(format), text, {false, streams});
        EXPECT_EQ(reply.content, text) << format;
        EXPECT_TRUE(reply.calls.empty()) << format << ": " << text;
        EXPECT_EQ(reply.degraded.size(), n_notes) << format << ": " << text;
    }
}

TEST(BrokenReply, WhatIsNoCallIsText) {
    expect_text("hermes", "See:\n<tool_call>\n{\"nome\": \"weather\"}\n</tool_call>");
    expect_text("hermes", "<tool_call>\nweather(Paris)\n</tool_call>");
    expect_text("hermes", "<tool_call>\n{\"name\": \"weather\", \"arguments\": [1]}\n</tool_call>");
    expect_text("hermes", "<tool_call>");
    expect_text("hermes", "<tool_call>\n{\"name\": \"weath");
    expect_text("mistral-v3", "[TOOL_CALLS]");
    expect_text("mistral-v3", "[TOOL_CALLS][]");
    expect_text("mistral-v11", "[TOOL_CALLS]weather{\"city\": \"Paris\"}");
    expect_text("lfm2", "<|tool_call_start|>[weather(\"Paris\")]<|tool_call_end|>");
    expect_text("lfm2", "<|tool_call_start|>[weather(city=Paris)]<|tool_call_end|>");
    expect_text("lfm2", "<|tool_call_start|>[weather(city=\"Paris\"");
    expect_text("qwen3-coder", "<tool_call>\n<function=weather>\n<parameter=city>\nPa");
    expect_text("qwen3-coder", "<tool_call>\n<function=weather>\nParis</function></tool_call>");
    expect_text("gemma4", "<|tool_call>call:weather{city:Paris}<tool_call|>");
    expect_text("kimi-k2", "<|tool_calls_section_begin|><|tool_call_begin|>weather:0");
    expect_text("deepseek-v3.1", "<｜tool▁calls▁begin｜>weather");
}

TEST(BrokenReply, ToolsThatNobodyOffered) {
    expect_text("hermes",
                "<tool_call>\n{\"name\": \"rm\", \"arguments\": {\"a\": 1}}\n</tool_call>");
    expect_text("qwen3-coder", "<tool_call>\n<function=rm>\n</function>\n</tool_call>");
    expect_text("lfm2", "<|tool_call_start|>[now(), rm()]<|tool_call_end|>");
    expect_text("glm-4.5", "<tool_call>rm</tool_call>");
    expect_text("apertus", "<|tools_prefix|>[{\"rm\": {}}]<|tools_suffix|>");
    // With no marker before it, this may well be the answer.
    expect_text("llama-3", "{\"name\": \"Alice\", \"age\": 3}", 0);
    expect_text("llama-3", "{\"temperature\": 21}", 0);
    expect_text("llama-4", "[see(x)]", 0);
    expect_text("xlam-2", "[{\"a\": 1}]", 0);
}

TEST(BrokenReply, ArgumentsThatHaveBeenShown) {
    const std::string text = "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": Pa}}";
    const ReadReply shown = read_reply(format_named("hermes"), text);
    ASSERT_EQ(shown.calls.size(), 1U);
    EXPECT_FALSE(shown.calls[0].whole);
    EXPECT_EQ(shown.degraded.size(), 1U);
    EXPECT_EQ(shown.calls[0].arguments + shown.content, "{\"city\": Pa}}");
    expect_text("hermes", "<tool_call>\n{\"name\": \"weather\", \"arguments\": [\"city\": Pa}}");
    const ReadReply cut = read_reply(format_named("hermes"), text.substr(0, text.size() - 4));
    ASSERT_EQ(cut.calls.size(), 1U);
    EXPECT_FALSE(cut.calls[0].whole);
    EXPECT_EQ(cut.degraded.size(), 1U);
    EXPECT_EQ(cut.content, "");
}

TEST(BrokenReply, TheGoodCallsOfABrokenSectionCount) {
    const ReadReply reply = read_reply(
        format_named("mistral-v3"), "[TOOL_CALLS][{\"name\": \"now\"}, {\"name\": \"rm\"}] Well.");
    ASSERT_EQ(reply.calls.size(), 1U);
    EXPECT_EQ(reply.calls[0].name, "now");
    EXPECT_EQ(reply.degraded.size(), 1U);
    EXPECT_TRUE(reply.content.ends_with("{\"name\": \"rm\"}] Well.")) << reply.content;
}

TEST(BrokenReply, MissingEndsAreForgiven) {
    for (const char* text : {"<tool_call>\n{\"name\": \"now\", \"arguments\": {}}",
                             "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n"}) {
        const ReadReply reply = read_reply(format_named("hermes"), text);
        EXPECT_EQ(reply.calls.size(), 1U);
        EXPECT_TRUE(reply.degraded.empty());
        EXPECT_EQ(reply.content, "");
    }
}

// Each of these would take minutes if any byte were looked at again and again, and some would hold
// megabytes back.
TEST(BrokenReply, LongTextsTakeLinearTime) {
    const std::string parts[] = {"<",
                                 " ",
                                 "<tool_call>",
                                 "{",
                                 "[",
                                 "[[",
                                 "\"",
                                 "\\",
                                 "weather(",
                                 "<think>",
                                 "</think>",
                                 "a=1,",
                                 "<function=weather><parameter=a>",
                                 "[TOOL_CALLS]",
                                 ">>>",
                                 "<|channel|>",
                                 "<|message|>"};
    const auto start = std::chrono::steady_clock::now();
    for (const auto& format : reply_formats()) {
        for (const auto& part : parts) {
            std::string text;
            for (const auto& call : format.syntaxes()) text += call.open;
            while (text.size() < 20'000) text += part;
            const ReadReply reply = read_reply(format, text);
            EXPECT_LE(reply.degraded.size(), 16U);
            EXPECT_EQ(reply, read_reply(format, text, {}, [] { return 4096; }));
        }
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

TEST(BrokenReply, WhatIsHeldBackIsBounded) {
    std::string text = "<tool_call>\n<function=weather>\n<parameter=city>\n";
    text.append(2 * kMaxHeldCall, 'a');
    ReplyParser parser(format_named("qwen3-coder"), testing::test_tools());
    std::size_t shown = 0;
    for (const auto& event : parser.push(text)) shown += event.text.size();
    EXPECT_EQ(shown, text.size());
    EXPECT_EQ(parser.degraded().size(), 1U);
}

}  // namespace

}  // namespace heft::text
