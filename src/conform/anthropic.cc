// Anthropic: messages and their tokens.
#include <fmt/format.h>

#include "conform/checks.h"
#include "conform/rows.h"

namespace heft::conform {

namespace {

using enum Is;

std::string stream_of_events(const Reply& reply) {
    constexpr std::string_view kWanted[] = {"message_start",       "content_block_start",
                                            "content_block_delta", "content_block_stop",
                                            "message_delta",       "message_stop"};
    std::size_t next = 0;
    for (const Event& event : reply.events) {
        if (event.name == "ping") continue;
        if (event.name != text_at(event.json, "/type"))
            return fmt::format("the event {} has the type {}", shown(event.name),
                               shown(text_at(event.json, "/type")));
        if (next < std::size(kWanted) && event.name == kWanted[next]) ++next;
    }
    if (next < std::size(kWanted)) return fmt::format("no {} at its place", kWanted[next]);
    return reply.events.back().name == "message_stop" ? "" : "message_stop is not the last";
}

std::string no_o(const Reply& reply) {
    const std::string said = text_at(reply.json, "/content/0/text");
    return said.find('o') == std::string::npos ? "" : "the stop text is in it: " + shown(said);
}

std::string colour_in_call(const Reply& reply) {
    for (const Json& part : at(reply.json, "/content"))
        if (text_at(part, "/type") == "tool_use") return judge_colour(at(part, "/input").dump());
    return "no tool_use in the content";
}

std::string colour_in_stream(const Reply& reply) {
    return judge_colour(joined(reply, "/delta/partial_json"));
}

const std::vector<Expect> kError = {
    {"/type", equal, "\"error\""}, {"/error/type", full_text}, {"/error/message", full_text}};

const Word kWords[] = {
    {"$HELLO", R"("messages":[{"role":"user","content":"Say hello."}])"},
    {"$TOOLS",
     R"("tools":[{"name":"paint","description":"Paints a wall","input_schema":)"
     R"({"type":"object","properties":{"color":{"type":"string","enum":["red","green","blue"]}},)"
     R"("required":["color"],"additionalProperties":false}}])"},
};

const Case kCases[] = {
    {"POST",
     "/v1/messages",
     "answers",
     R"({"model":"$MODEL","max_tokens":8,$HELLO})",
     200,
     {{"/type", equal, "\"message\""},
      {"/role", equal, "\"assistant\""},
      {"/id", full_text},
      {"/model", text},
      {"/content", array},
      {"/stop_reason", one_of, "end_turn max_tokens stop_sequence"},
      {"/usage/input_tokens", number},
      {"/usage/output_tokens", number}}},
    {"POST",
     "/v1/messages",
     "streams its events in order",
     R"({"model":"$MODEL","max_tokens":8,$HELLO,"stream":true})",
     200,
     {},
     stream_of_events},
    {"POST",
     "/v1/messages",
     "max_tokens ends it",
     R"({"model":"$MODEL","max_tokens":1,$HELLO})",
     200,
     {{"/stop_reason", equal, "\"max_tokens\""}, {"/usage/output_tokens", equal, "1"}}},
    {"POST",
     "/v1/messages",
     "system, parts of content",
     R"({"model":"$MODEL","max_tokens":4,"system":[{"type":"text","text":"Be brief."}],"messages":[{"role":"user","content":[{"type":"text","text":"Hello"}]}]})",
     200,
     {{"/content", array}}},
    {"POST",
     "/v1/messages",
     "stop_sequences",
     R"({"model":"$MODEL","max_tokens":24,"stop_sequences":["o"],$HELLO})",
     200,
     {},
     no_o},
    {"POST",
     "/v1/messages",
     "tool_choice: any",
     R"({"model":"$MODEL","max_tokens":96,$HELLO,$TOOLS,"tool_choice":{"type":"any","disable_parallel_tool_use":true}})",
     200,
     {{"/stop_reason", equal, "\"tool_use\""}},
     colour_in_call,
     true},
    {"POST",
     "/v1/messages",
     "streams tool calls",
     R"({"model":"$MODEL","max_tokens":96,$HELLO,$TOOLS,"tool_choice":{"type":"any","disable_parallel_tool_use":true},"stream":true})",
     200,
     {},
     colour_in_stream,
     true},
    {"POST",
     "/v1/messages",
     "takes a tool's result",
     R"({"model":"$MODEL","max_tokens":8,"messages":[{"role":"user","content":"Paint it."},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"paint","input":{"color":"red"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"done"}]}],$TOOLS})",
     200,
     {{"/role", equal, "\"assistant\""}}},
    {"POST", "/v1/messages", "no max_tokens: 400",
     R"({"model":"$MODEL","messages":[{"role":"user","content":"x"}]})", 400, kError},
    {"POST", "/v1/messages", "no JSON: 400", "{", 400, kError},
    {"POST", "/v1/messages", "an unknown model: 404",
     R"({"model":"no-such-model","max_tokens":1,$HELLO})", 404, kError},
    {"POST",
     "/v1/messages/count_tokens",
     "counts",
     R"({"model":"$MODEL","messages":[{"role":"user","content":"Hello"}]})",
     200,
     {{"/input_tokens", number}}},
    {"POST", "/v1/messages/count_tokens", "no messages: 400", R"({"model":"$MODEL"})", 400, kError},
};

}  // namespace

const Api& anthropic_api() {
    static const Api kApi{"Anthropic", "anthropic-version", "2023-06-01", kWords, kCases};
    return kApi;
}

}  // namespace heft::conform
