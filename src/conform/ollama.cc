// Ollama.
#include <fmt/format.h>

#include "conform/checks.h"
#include "conform/rows.h"

namespace heft::conform {

namespace {

using enum Is;

std::string lines_end(const Reply& reply, std::string_view pointer) {
    if (reply.events.size() < 2) return "no lines: " + shown(reply.body);
    for (std::size_t i = 0; i < reply.events.size(); ++i) {
        const Json& done = at(reply.events[i].json, "/done");
        const bool last = i + 1 == reply.events.size();
        if (!done.is_boolean() || done.get<bool>() != last)
            return last ? "the last line is not done" : "a line before the last says done";
    }
    if (!at(reply.events.back().json, "/eval_count").is_number()) return "no eval_count at the end";
    return joined(reply, pointer).empty() ? "no line has text" : "";
}

std::string chat_lines(const Reply& reply) {
    return lines_end(reply, "/message/content");
}

std::string generate_lines(const Reply& reply) {
    return lines_end(reply, "/response");
}

std::string colour_in_message(const Reply& reply) {
    return judge_colour(text_at(reply.json, "/message/content"));
}

const std::vector<Expect> kError = {{"/error", full_text}};

const Word kWords[] = {
    {"$CHAT", R"("model":"$MODEL","messages":[{"role":"user","content":"Say hello."}])"},
    {"$SHORT", R"("options":{"num_predict":8,"temperature":0})"},
};

const Case kCases[] = {
    {"GET", "/api/version", "tells its version", "", 200, {{"/version", full_text}}},
    {"GET",
     "/api/tags",
     "lists models",
     "",
     200,
     {{"/models/0/name", full_text},
      {"/models/0/model", full_text},
      {"/models/0/size", number},
      {"/models/0/details", object}}},
    {"GET", "/api/ps", "lists what is loaded", "", 200, {{"/models", array}}},
    {"POST",
     "/api/show",
     "tells of a model",
     R"({"model":"$MODEL"})",
     200,
     {{"/details", object}, {"/model_info", object}, {"/capabilities", array}}},
    {"POST", "/api/show", "an unknown model: 404", R"({"model":"no-such-model"})", 404, kError},
    {"POST",
     "/api/chat",
     "answers",
     R"({$CHAT,$SHORT,"stream":false})",
     200,
     {{"/message/role", equal, "\"assistant\""},
      {"/message/content", text},
      {"/done", equal, "true"},
      {"/done_reason", one_of, "stop length"},
      {"/eval_count", number},
      {"/prompt_eval_count", number},
      {"/total_duration", number},
      {"/created_at", full_text}}},
    {"POST",
     "/api/chat",
     "streams lines, the last one done",
     R"({$CHAT,$SHORT})",
     200,
     {},
     chat_lines},
    {"POST",
     "/api/chat",
     "format: a schema",
     R"({$CHAT,"stream":false,"options":{"num_predict":64},"format":{"type":"object","properties":{"color":{"type":"string","enum":["red","green","blue"]}},"required":["color"],"additionalProperties":false}})",
     200,
     {},
     colour_in_message},
    {"POST",
     "/api/chat",
     "takes tools",
     R"({$CHAT,$SHORT,"stream":false,"tools":[{"type":"function","function":{"name":"paint","parameters":{"type":"object","properties":{}}}}]})",
     200,
     {{"/message/role", equal, "\"assistant\""}}},
    {"POST",
     "/api/chat",
     "no messages: loads the model",
     R"({"model":"$MODEL"})",
     200,
     {{"/done", equal, "true"}}},
    {"POST", "/api/chat", "an unknown model: 404",
     R"({"model":"no-such-model","messages":[{"role":"user","content":"x"}]})", 404, kError},
    {"POST", "/api/chat", "no JSON: 400", "{", 400, kError},
    {"POST",
     "/api/generate",
     "answers",
     R"({"model":"$MODEL","prompt":"Hello","stream":false,$SHORT})",
     200,
     {{"/response", text}, {"/done", equal, "true"}, {"/eval_count", number}}},
    {"POST",
     "/api/generate",
     "streams lines, the last one done",
     R"({"model":"$MODEL","prompt":"Hello",$SHORT})",
     200,
     {},
     generate_lines},
    {"POST",
     "/api/generate",
     "raw",
     R"({"model":"$MODEL","prompt":"Once upon","raw":true,"stream":false,$SHORT})",
     200,
     {{"/response", text}}},
    {"POST",
     "/api/embed",
     "vectors",
     R"({"model":"$MODEL","input":["Hello","World"]})",
     200,
     {{"/embeddings/0", full_array}, {"/embeddings/1", full_array}}},
    {"POST",
     "/api/embeddings",
     "one vector",
     R"({"model":"$MODEL","prompt":"Hello"})",
     200,
     {{"/embedding", full_array}}},
    {"HEAD", "/", "is there"},
};

}  // namespace

const Api& ollama_api() {
    static const Api kApi{"Ollama", "", "", kWords, kCases};
    return kApi;
}

}  // namespace heft::conform
