// OpenAI: models, chat completions, completions, embeddings.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/json.h"
#include "conform/checks.h"
#include "conform/rows.h"

namespace heft::conform {

namespace {

using enum Is;

std::string counts_add_up(const Reply& reply) {
    const Json& usage = at(reply.json, "/usage");
    const double sum =
        at(usage, "/prompt_tokens").get<double>() + at(usage, "/completion_tokens").get<double>();
    return sum == at(usage, "/total_tokens").get<double>()
               ? ""
               : "usage does not add up: " + usage.dump();
}

std::string stream_of_chunks(const Reply& reply) {
    if (reply.events.empty()) return "no events: " + shown(reply.body);
    if (reply.events.back().data != "[DONE]") return "the last event is not [DONE]";
    std::string finish;
    for (std::size_t i = 0; i + 1 < reply.events.size(); ++i) {
        const Json& chunk = reply.events[i].json;
        if (text_at(chunk, "/object") != "chat.completion.chunk")
            return "an event is no chat.completion.chunk: " + shown(reply.events[i].data);
        if (const std::string why = text_at(chunk, "/choices/0/finish_reason"); !why.empty())
            finish = why;
    }
    if (finish.empty()) return "no chunk has a finish_reason";
    return joined(reply, "/choices/0/delta/content").empty() ? "no chunk has content" : "";
}

std::string last_chunk_has_usage(const Reply& reply) {
    if (std::string what = stream_of_chunks(reply); !what.empty()) return what;
    const Json& last = reply.events[reply.events.size() - 2].json;
    if (!at(last, "/usage/total_tokens").is_number()) return "the last chunk has no usage";
    const Json& choices = at(last, "/choices");
    return choices.is_array() && choices.empty() ? "" : "the chunk with the usage has choices";
}

std::string no_o(const Reply& reply) {
    const std::string text = text_at(reply.json, "/choices/0/message/content");
    return text.find('o') == std::string::npos ? "" : "the stop text is in it: " + shown(text);
}

std::string two_choices(const Reply& reply) {
    const Json& choices = at(reply.json, "/choices");
    if (choices.size() != 2) return fmt::format("{} choices", choices.size());
    const Json &a = at(choices, "/0/index"), &b = at(choices, "/1/index");
    const bool good = (a == 0 && b == 1) || (a == 1 && b == 0);
    return good ? "" : "indices are not 0 and 1";
}

std::string object_in_content(const Reply& reply) {
    const std::string text = text_at(reply.json, "/choices/0/message/content");
    const auto tree = parse_json_tree(text);
    return tree && tree->is_object() ? "" : "the content is no JSON object: " + shown(text);
}

std::string colour_in_content(const Reply& reply) {
    return judge_colour(text_at(reply.json, "/choices/0/message/content"));
}

std::string colour_in_call(const Reply& reply) {
    return judge_colour(text_at(reply.json, "/choices/0/message/tool_calls/0/function/arguments"));
}

std::string colour_in_streamed_call(const Reply& reply) {
    if (joined(reply, "/choices/0/delta/tool_calls/0/function/name") != "paint")
        return "no call of the tool in the chunks";
    return judge_colour(joined(reply, "/choices/0/delta/tool_calls/0/function/arguments"));
}

std::string stream_of_texts(const Reply& reply) {
    if (reply.events.empty() || reply.events.back().data != "[DONE]")
        return "the last event is not [DONE]";
    return joined(reply, "/choices/0/text").empty() ? "no event has text" : "";
}

std::string two_vectors(const Reply& reply) {
    const Json& data = at(reply.json, "/data");
    if (!data.is_array() || data.size() != 2) return "not two vectors";
    const Json &a = at(data, "/0/embedding"), &b = at(data, "/1/embedding");
    if (!a.is_array() || a.empty() || a.size() != b.size()) return "vectors differ in length";
    const bool numbers =
        std::all_of(a.begin(), a.end(), [](const Json& x) { return x.is_number(); });
    return numbers ? "" : "a vector has something else than numbers";
}

const std::vector<Expect> kError = {{"/error/message", full_text}, {"/error/type", text}};

const Word kWords[] = {
    {"$CHAT", R"("model":"$MODEL","temperature":0)"},
    {"$HELLO", R"("messages":[{"role":"user","content":"Say hello."}])"},
    {"$TOOLS",
     R"("tools":[{"type":"function","function":{"name":"paint","description":"Paints a wall",)"
     R"("parameters":$COLOUR}}])"},
    {"$COLOUR",
     R"({"type":"object","properties":{"color":{"type":"string","enum":["red","green","blue"]}},)"
     R"("required":["color"],"additionalProperties":false})"},
};

const Case kCases[] = {
    {"GET",
     "/v1/models",
     "lists models",
     "",
     200,
     {{"/object", equal, "\"list\""},
      {"/data/0/id", full_text},
      {"/data/0/object", equal, "\"model\""},
      {"/data/0/created", number},
      {"/data/0/owned_by", text}}},
    {"GET",
     "/v1/models/$MODEL",
     "tells of one model",
     "",
     200,
     {{"/id", equal, "\"$MODEL\""}, {"/object", equal, "\"model\""}}},
    {"GET", "/v1/models/no-such-model", "says that there is none", "", 404, kError},

    {"POST",
     "/v1/chat/completions",
     "answers",
     R"({$CHAT,"max_tokens":8,$HELLO})",
     200,
     {{"/object", equal, "\"chat.completion\""},
      {"/id", full_text},
      {"/created", number},
      {"/model", text},
      {"/choices/0/index", equal, "0"},
      {"/choices/0/message/role", equal, "\"assistant\""},
      {"/choices/0/message/content", text},
      {"/choices/0/finish_reason", one_of, "stop length"}}},
    {"POST",
     "/v1/chat/completions",
     "counts tokens",
     R"({$CHAT,"max_tokens":8,$HELLO})",
     200,
     {{"/usage/prompt_tokens", number},
      {"/usage/completion_tokens", number},
      {"/usage/total_tokens", number}},
     counts_add_up},
    {"POST",
     "/v1/chat/completions",
     "streams chunks, then [DONE]",
     R"({$CHAT,"max_tokens":8,$HELLO,"stream":true})",
     200,
     {},
     stream_of_chunks},
    {"POST",
     "/v1/chat/completions",
     "streams the usage where asked",
     R"({$CHAT,"max_tokens":8,$HELLO,"stream":true,"stream_options":{"include_usage":true}})",
     200,
     {},
     last_chunk_has_usage},
    {"POST",
     "/v1/chat/completions",
     "max_tokens",
     R"({$CHAT,"max_tokens":1,$HELLO})",
     200,
     {{"/usage/completion_tokens", equal, "1"}}},
    {"POST",
     "/v1/chat/completions",
     "max_completion_tokens",
     R"({"model":"$MODEL","max_completion_tokens":1,$HELLO})",
     200,
     {{"/usage/completion_tokens", equal, "1"}}},
    {"POST",
     "/v1/chat/completions",
     "stop",
     R"({$CHAT,"max_tokens":24,$HELLO,"stop":["o"]})",
     200,
     {},
     no_o},
    {"POST",
     "/v1/chat/completions",
     "seed",
     R"({"model":"$MODEL","max_tokens":8,"temperature":1,"seed":7,$HELLO})",
     200,
     {{"/choices/0/message/content", text}},
     nullptr,
     false,
     true,
     "/choices/0/message/content"},
    {"POST",
     "/v1/chat/completions",
     "n",
     R"({$CHAT,"max_tokens":4,$HELLO,"n":2})",
     200,
     {{"/choices", array}},
     two_choices},
    {"POST",
     "/v1/chat/completions",
     "logprobs",
     R"({$CHAT,"max_tokens":2,$HELLO,"logprobs":true,"top_logprobs":2})",
     200,
     {{"/choices/0/logprobs/content/0/token", text},
      {"/choices/0/logprobs/content/0/logprob", number},
      {"/choices/0/logprobs/content/0/top_logprobs/1/logprob", number}}},
    {"POST", "/v1/chat/completions", "sampling parameters",
     R"({$CHAT,"max_tokens":2,$HELLO,"top_p":0.9,"frequency_penalty":0.5,"presence_penalty":0.5,"logit_bias":{"5":-10},"user":"u"})"},
    {"POST",
     "/v1/chat/completions",
     "system message, parts of content",
     R"({$CHAT,"max_tokens":2,"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Hello"}]}]})",
     200,
     {{"/choices/0/message/content", text}}},
    {"POST",
     "/v1/chat/completions",
     "response_format: json_object",
     R"({$CHAT,"max_tokens":128,$HELLO,"response_format":{"type":"json_object"}})",
     200,
     {{"/choices/0/finish_reason", text}},
     object_in_content},
    {"POST",
     "/v1/chat/completions",
     "response_format: json_schema",
     R"({$CHAT,"max_tokens":64,$HELLO,"response_format":{"type":"json_schema","json_schema":{"name":"c","strict":true,"schema":$COLOUR}}})",
     200,
     {},
     colour_in_content},
    {"POST", "/v1/chat/completions", "a schema that cannot be is refused",
     R"({$CHAT,"max_tokens":8,$HELLO,"response_format":{"type":"json_schema","json_schema":{"name":"c","strict":true,"schema":{"type":"nonsense"}}}})",
     400, kError},
    {"POST",
     "/v1/chat/completions",
     "tool_choice: required",
     R"({$CHAT,"max_tokens":96,"parallel_tool_calls":false,$HELLO,$TOOLS,"tool_choice":"required"})",
     200,
     {{"/choices/0/finish_reason", equal, "\"tool_calls\""},
      {"/choices/0/message/tool_calls/0/id", full_text},
      {"/choices/0/message/tool_calls/0/type", equal, "\"function\""},
      {"/choices/0/message/tool_calls/0/function/name", equal, "\"paint\""}},
     colour_in_call,
     true},
    {"POST",
     "/v1/chat/completions",
     "tool_choice: one tool",
     R"({$CHAT,"max_tokens":96,"parallel_tool_calls":false,$HELLO,$TOOLS,"tool_choice":{"type":"function","function":{"name":"paint"}}})",
     200,
     {{"/choices/0/message/tool_calls/0/function/name", equal, "\"paint\""}},
     colour_in_call,
     true},
    {"POST",
     "/v1/chat/completions",
     "tool_choice: none",
     R"({$CHAT,"max_tokens":8,$HELLO,$TOOLS,"tool_choice":"none"})",
     200,
     {{"/choices/0/message/tool_calls", absent}}},
    {"POST",
     "/v1/chat/completions",
     "streams tool calls",
     R"({$CHAT,"max_tokens":96,"parallel_tool_calls":false,$HELLO,$TOOLS,"tool_choice":"required","stream":true})",
     200,
     {},
     colour_in_streamed_call,
     true},
    {"POST",
     "/v1/chat/completions",
     "takes a tool's result",
     R"({$CHAT,"max_tokens":8,"messages":[{"role":"user","content":"Paint it."},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"paint","arguments":"{\"color\":\"red\"}"}}]},{"role":"tool","tool_call_id":"c1","content":"done"}],$TOOLS})",
     200,
     {{"/choices/0/message/role", equal, "\"assistant\""}}},
    {"POST", "/v1/chat/completions", "no messages: 400", R"({"model":"$MODEL"})", 400, kError},
    {"POST", "/v1/chat/completions", "a wrong type: 400",
     R"({$CHAT,"max_tokens":4,"temperature":"hot",$HELLO})", 400, kError},
    {"POST", "/v1/chat/completions", "an unknown role: 400",
     R"({$CHAT,"max_tokens":4,"messages":[{"role":"wizard","content":"x"}]})", 400, kError},
    {"POST", "/v1/chat/completions", "no JSON: 400", "{", 400, kError},
    {"POST", "/v1/chat/completions", "an unknown model: 404",
     R"({"model":"no-such-model","max_tokens":1,$HELLO})", 404, kError},

    {"POST",
     "/v1/completions",
     "continues a text",
     R"({"model":"$MODEL","prompt":"Once upon a time","max_tokens":8})",
     200,
     {{"/object", equal, "\"text_completion\""},
      {"/choices/0/text", text},
      {"/choices/0/finish_reason", one_of, "stop length"},
      {"/usage/total_tokens", number}}},
    {"POST",
     "/v1/completions",
     "streams",
     R"({"model":"$MODEL","prompt":"Once upon a time","max_tokens":8,"stream":true})",
     200,
     {},
     stream_of_texts},
    {"POST",
     "/v1/completions",
     "several prompts",
     R"({"model":"$MODEL","prompt":["One","Two"],"max_tokens":2})",
     200,
     {{"/choices/1/text", text}}},
    {"POST",
     "/v1/completions",
     "logprobs",
     R"({"model":"$MODEL","prompt":"Once","max_tokens":2,"logprobs":1})",
     200,
     {{"/choices/0/logprobs/tokens", full_array},
      {"/choices/0/logprobs/token_logprobs", full_array}}},

    {"POST",
     "/v1/embeddings",
     "one vector",
     R"({"model":"$MODEL","input":"Hello"})",
     200,
     {{"/object", equal, "\"list\""},
      {"/data/0/object", equal, "\"embedding\""},
      {"/data/0/embedding", full_array},
      {"/usage/prompt_tokens", number}}},
    {"POST",
     "/v1/embeddings",
     "several texts",
     R"({"model":"$MODEL","input":["Hello","World"]})",
     200,
     {},
     two_vectors},
    {"POST",
     "/v1/embeddings",
     "base64",
     R"({"model":"$MODEL","input":"Hello","encoding_format":"base64"})",
     200,
     {{"/data/0/embedding", full_text}}},
    {"POST", "/v1/embeddings", "nothing to embed: 400", R"({"model":"$MODEL"})", 400, kError},
};

}  // namespace

const Api& openai_api() {
    static const Api kApi{"OpenAI", "", "", kWords, kCases};
    return kApi;
}

}  // namespace heft::conform
