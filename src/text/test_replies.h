// Answers of models, as their formats have them, and what is in them.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "text/reply_parser.h"

namespace heft::text::testing {

struct ReadCall {
    std::string name, arguments;
    bool whole = true;
    bool operator==(const ReadCall&) const = default;
};

struct ReadReply {
    std::string content, reasoning;
    std::vector<ReadCall> calls;
    std::vector<std::string> degraded;
    bool operator==(const ReadReply&) const = default;
};

inline const std::vector<Tool>& test_tools() {
    static const std::vector<Tool> kTools = {
        {"weather", R"({"type":"object","properties":{"city":{"type":"string"},
            "days":{"type":"integer"},"exact":{"type":"boolean"},"tags":{"type":"array"}},
            "required":["city"]})"},
        {"now", ""},
    };
    return kTools;
}

inline void collect(std::vector<ReplyEvent> events, ReadReply& reply) {
    for (auto& event : events) {
        switch (event.kind) {
            case ReplyEvent::Kind::content: reply.content += event.text; break;
            case ReplyEvent::Kind::reasoning: reply.reasoning += event.text; break;
            case ReplyEvent::Kind::call_begin:
                HEFT_CHECK(event.call == static_cast<int>(reply.calls.size()));
                reply.calls.push_back({event.text, "", false});
                break;
            case ReplyEvent::Kind::call_arguments:
                reply.calls.back().arguments += event.text;
                break;
            case ReplyEvent::Kind::call_end: reply.calls.back().whole = event.whole; break;
        }
    }
}

// `next_cut` answers how long the next piece is, at least 1.
inline ReadReply read_reply(const ReplyFormat& format, std::string_view text,
                            ReplyOptions options = {},
                            const std::function<std::size_t()>& next_cut = {}) {
    ReplyParser parser(format, test_tools(), options);
    ReadReply reply;
    while (!text.empty()) {
        const auto piece = text.substr(0, next_cut ? next_cut() : text.size());
        text.remove_prefix(piece.size());
        collect(parser.push(piece), reply);
    }
    collect(parser.finish(), reply);
    reply.degraded = parser.degraded();
    return reply;
}

struct Sample {
    const char* format;
    std::string text;
    ReadReply reply;
    bool in_reasoning = false;
};

// Of every format that knows calls, at least one answer with a call.
inline std::vector<Sample> samples() {
    const std::string paris = R"({"city": "Paris"})";
    const std::vector<ReadCall> one = {{"weather", paris}};
    const std::vector<ReadCall> two = {{"weather", paris}, {"now", "{}"}};
    const std::string nested = R"({"city": "a } \" { ] \u00e9 </tool_call>", "tags": [{}, [1]]})";
    return {
        {"plain", "Hello,  you.\n", {"Hello,  you.\n", "", {}, {}}},
        {"plain", "<think>\nHm.\n</think>\n\nYes. ", {"Yes. ", "Hm.", {}, {}}},
        {"plain", "Hm.\n</think>\n\nYes.", {"Yes.", "Hm.", {}, {}}, true},
        {"plain", "a <thin b </think> c", {"a <thin b </think> c", "", {}, {}}},
        {"harmony",
         "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary "
         "to=functions.weather <|constrain|>json<|message|>{\"city\": \"Paris\"}<|call|>",
         {"", "Hm.", one, {}}},
        {"harmony",
         " to=functions.weather<|channel|>commentary json<|message|>{\"city\": \"Paris\"}<|call|>",
         {"", "", one, {}}},
        {"harmony",
         "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>"
         "It is {21}.<|return|>",
         {"It is {21}.", "Hm.", {}, {}}},
        {"harmony", "No channel at all.", {"No channel at all.", "", {}, {}}},
        {"gemma4",
         "<|channel>thought\nHm.\n<channel|><|tool_call>call:weather{city:<|\"|>Pa}r\"is<|\"|>,"
         "days:"
         "2,tags:[<|\"|>a<|\"|>,{k:true}]}<tool_call|><|tool_call>call:now{}<tool_call|>",
         {"",
          "Hm.",
          {{"weather", R"({"city": "Pa}r\"is", "days": 2, "tags": ["a", {"k": true}]})"},
           {"now", "{}"}},
          {}}},
        {"functiongemma",
         "<start_function_call>call:weather{city:<escape>Paris<escape>}<end_function_call>",
         {"", "", one, {}}},
        {"deepseek-v3.2",
         "Hm.</think>Let me see.\n\n<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"weather\">\n"
         "<｜DSML｜parameter name=\"city\" string=\"true\">Paris</｜DSML｜parameter>\n"
         "<｜DSML｜parameter name=\"days\" string=\"false\">2</｜DSML｜parameter>\n"
         "</｜DSML｜invoke>\n<｜DSML｜invoke "
         "name=\"now\">\n</｜DSML｜invoke>\n</｜DSML｜function_calls>",
         {"Let me see.",
          "Hm.",
          {{"weather", R"({"city": "Paris", "days": 2})"}, {"now", "{}"}},
          {}},
         true},
        {"deepseek-v4",
         "<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"weather\">\n<｜DSML｜parameter "
         "name=\"city\" "
         "string=\"true\">Paris</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>",
         {"", "", one, {}}},
        {"deepseek-v3",
         "Hm.\n</think>\n\nI look.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>"
         "weather\n```json\n{\"city\": \"Paris\"}\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>"
         "function<｜tool▁sep｜>now\n```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
         {"I look.", "Hm.", two, {}},
         true},
        {"deepseek-v3.1",
         "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>weather<｜tool▁sep｜>{\"city\": \"Paris\"}"
         "<｜tool▁call▁end｜><｜tool▁call▁begin｜>now<｜tool▁sep｜>{}<｜tool▁call▁end｜>"
         "<｜tool▁calls▁end｜>",
         {"", "", two, {}}},
        {"kimi-k2",
         "Sure.<|tool_calls_section_begin|><|tool_call_begin|>functions.weather:0"
         "<|tool_call_argument_begin|>{\"city\": \"Paris\"}<|tool_call_end|><|tool_call_begin|>"
         "functions.now:1<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>",
         {"Sure.", "", two, {}}},
        {"minimax-m2",
         "Hm.\n</think>\n\n<minimax:tool_call>\n<invoke name=\"weather\">\n<parameter "
         "name=\"city\">"
         "Paris</parameter>\n<parameter name=\"days\">2</parameter>\n</invoke>\n"
         "</minimax:tool_call>",
         {"", "Hm.", {{"weather", R"({"city": "Paris", "days": 2})"}}, {}},
         true},
        {"seed-oss",
         "<seed:think>Hm.</seed:think>\n<seed:tool_call>\n<function=weather>\n<parameter=city>Paris"
         "</parameter>\n</function>\n</seed:tool_call>",
         {"", "Hm.", one, {}}},
        {"apertus",
         "<|inner_prefix|>Hm.<|inner_suffix|><|tools_prefix|>[{\"weather\": {\"city\": "
         "\"Paris\"}}, "
         "{\"now\": {}}]<|tools_suffix|>",
         {"", "Hm.", two, {}}},
        {"atem",
         " to=weather<|message|><atem:function_calls>\n<atem:invoke name=\"weather\">\n"
         "<atem:parameter name=\"city\">Paris</atem:parameter>\n</atem:invoke>\n"
         "</atem:function_calls><|eom|><|start|>assistant to=user<|message|>Wait.<|eot|>",
         {"Wait.", "", one, {}}},
        {"glm-4.5",
         "\n<think>Hm.</think>\nI look.\n<tool_call>weather\n<arg_key>city</arg_key>\n<arg_value>"
         "Paris</arg_value>\n<arg_key>days</arg_key>\n<arg_value>2</arg_value>\n</tool_call>\n"
         "<tool_call>now\n</tool_call>",
         {"I look.", "Hm.", {{"weather", R"({"city": "Paris", "days": 2})"}, {"now", "{}"}}, {}}},
        {"glm-4.5",
         "Hm.</think><tool_call>weather<arg_key>city</arg_key><arg_value>Paris</arg_value>"
         "</tool_call>",
         {"", "Hm.", one, {}},
         true},
        {"qwen3-coder",
         "I look.\n\n<tool_call>\n<function=weather>\n<parameter=city>\nLine 1\n  </function>\n\n"
         "</parameter>\n<parameter=exact>\nTrue\n</parameter>\n<parameter=tags>\n[1, \"a\"]\n"
         "</parameter>\n<parameter=more>\n{\"a\": 1}\n</parameter>\n</function>\n</tool_call>\n"
         "<tool_call>\n<function=now>\n</function>\n</tool_call>",
         {"I look.",
          "",
          {{"weather",
            R"({"city": "Line 1\n  </function>\n", "exact": true, "tags": [1, "a"], "more": {"a": 1}})"},
           {"now", "{}"}},
          {}}},
        {"functionary-v3.1",
         "<function=weather>{\"city\": \"Paris\"}</function><function=now>{}</function>",
         {"", "", two, {}}},
        {"functionary-v3.2",
         "all\nI look.>>>weather\n{\"city\": \"Paris\"}>>>now\n{}",
         {"I look.", "", two, {}}},
        {"functionary-v3.2", "weather\n{\"city\": \"Paris\"}", {"", "", one, {}}},
        {"firefunction-v2",
         " functools[{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}, {\"name\": "
         "\"now\", \"arguments\": {}}]",
         {"", "", two, {}}},
        {"mistral-v11",
         "[THINK]Hm.[/THINK]I look.[TOOL_CALLS]weather[ARGS]{\"city\": \"Paris\"}[TOOL_CALLS]now"
         "[CALL_ID]abc123def[ARGS]{}",
         {"I look.", "Hm.", two, {}}},
        {"mistral-v3",
         "[TOOL_CALLS] [{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}, \"id\": "
         "\"abc123def\"}, {\"arguments\": {}, \"name\": \"now\"}]",
         {"", "", two, {}}},
        {"command-r7b",
         "<|START_THINKING|>Hm.<|END_THINKING|><|START_ACTION|>[\n    {\"tool_call_id\": \"0\", "
         "\"tool_name\": \"weather\", \"parameters\": {\"city\": \"Paris\"}}\n]<|END_ACTION|>",
         {"", "Hm.", one, {}}},
        {"command-r7b", "<|START_RESPONSE|>It rains.<|END_RESPONSE|>", {"It rains.", "", {}, {}}},
        {"command-r",
         "Action: ```json\n[\n    {\n        \"tool_name\": \"weather\",\n        \"parameters\": "
         "{\"city\": \"Paris\"}\n    }\n]\n```",
         {"", "", one, {}}},
        {"phi-4-mini",
         "<|tool_call|>[{\"name\": \"weather\", \"arguments\": {\"city\": "
         "\"Paris\"}}]<|/tool_call|>",
         {"", "", one, {}}},
        {"granite-3",
         "<|tool_call|>[{\"arguments\": {\"city\": \"Paris\"}, \"name\": \"weather\"}]",
         {"", "", one, {}}},
        {"granite-3",
         "<think>Hm.</think><response>It rains.</response>",
         {"It rains.", "Hm.", {}, {}}},
        {"gigachat-3.1",
         "I look.<|function_call|>{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}",
         {"I look.", "", one, {}}},
        {"gigachat-3",
         "I look.<|message_sep|>\n\nfunction call<|role_sep|>\n{\"name\": \"weather\", "
         "\"arguments\": {\"city\": \"Paris\"}}",
         {"I look.", "", one, {}}},
        {"lfm2",
         "<|tool_call_start|>[weather(city='Pa\\'ri\"s', exact=True, tags=[None, (1, -2.5e3)]), "
         "now()]<|tool_call_end|>I look.",
         {"I look.",
          "",
          {{"weather", R"({"city": "Pa'ri\"s", "exact": true, "tags": [null, [1, -2.5e3]]})"},
           {"now", "{}"}},
          {}}},
        {"apriel",
         "I think.\n[BEGIN FINAL RESPONSE]\nWell.\n<tool_calls>[{\"name\": \"weather\", "
         "\"arguments\": {\"city\": \"Paris\"}, \"id\": \"1\"}]</tool_calls>",
         {"Well.", "I think.", one, {}},
         true},
        {"tool-calls-list",
         "<tool_calls>[\n  {\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}\n]"
         "</tool_calls>",
         {"", "", one, {}}},
        {"nemotron-2",
         "<think>\n</think>\n\n<TOOLCALL>[{\"name\": \"weather\", \"arguments\": \"{\\\"city\\\": "
         "\\\"Paris\\\"}\"}, {\"name\": \"now\", \"arguments\": {}}]</TOOLCALL>",
         {"", "", two, {}}},
        {"olmo-3",
         "<function_calls>\nweather(city=\"Paris\")\nnow()\n</function_calls>",
         {"", "", two, {}}},
        {"hermes",
         "<think>\nHm.\n</think>\n\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": "
         "\"Paris\"}}\n</tool_call>\n<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n"
         "</tool_call>",
         {"", "Hm.", two, {}}},
        {"hermes",
         "I look.\n<tool_call>{\"name\": \"weather\", \"arguments\": " + nested
             + "}</tool_call>\nWell?",
         {"I look.Well?", "", {{"weather", nested}}, {}}},
        {"llama-4", "[weather(city=\"Paris\"), now()]", {"", "", two, {}}},
        {"llama-4", "<|python_start|>[weather(city=\"Paris\")]<|python_end|>", {"", "", one, {}}},
        {"llama-3",
         "{\"name\": \"weather\", \"parameters\": {\"city\": \"Paris\"}}; {\"name\": \"now\", "
         "\"parameters\": {}}",
         {"", "", two, {}}},
        {"llama-3",
         "<|python_tag|>{\"type\": \"function\", \"name\": \"weather\", \"parameters\": {\"city\": "
         "\"Paris\"}}",
         {"", "", one, {}}},
        {"llama-3", "{\"city\": \"Paris\"}", {"{\"city\": \"Paris\"}", "", {}, {}}},
        {"xlam-2",
         "[{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}, {\"name\": \"now\", "
         "\"arguments\": {}}]",
         {"", "", two, {}}},
        {"gemma",
         "I look.\n```tool_code\nweather(city=\"Paris\")\nnow()\n```",
         {"I look.", "", two, {}}},
        {"gemma", "[1] A list.", {"[1] A list.", "", {}, {}}},
        {"gemma", "```python\nweather()\n```", {"```python\nweather()\n```", "", {}, {}}},
    };
}

}  // namespace heft::text::testing
