// llama.cpp's utilities, and the list of all APIs.
#include <fmt/format.h>

#include "conform/checks.h"
#include "conform/rows.h"

namespace heft::conform {

namespace {

using enum Is;

std::string exposition(const Reply& reply) {
    return reply.body.find("# TYPE ") == std::string::npos ? "no metrics: " + shown(reply.body)
                                                           : "";
}

const Case kCases[] = {
    {"GET", "/health", "says that it is well", "", 200, {{"/status", equal, "\"ok\""}}},
    {"GET", "/props", "tells its settings", "", 200, {{"/chat_template", text}}},
    {"POST",
     "/tokenize",
     "ids of a text",
     R"({"model":"$MODEL","content":"Hello world"})",
     200,
     {{"/tokens/0", number}}},
    {"POST",
     "/tokenize",
     "with pieces",
     R"({"model":"$MODEL","content":"Hello world","with_pieces":true})",
     200,
     {{"/tokens/0/id", number}}},
    {"POST",
     "/detokenize",
     "text of ids",
     R"({"model":"$MODEL","tokens":[5,6,7]})",
     200,
     {{"/content", text}}},
    {"POST",
     "/apply-template",
     "prompt of a conversation",
     R"({"model":"$MODEL","messages":[{"role":"user","content":"Hello"}]})",
     200,
     {{"/prompt", full_text}}},
    {"GET", "/slots", "lists answers in the making", "", 200, {{"", array}}},
    {"GET", "/metrics", "gives numbers to Prometheus", "", 200, {}, exposition},
    {"POST", "/tokenize", "no JSON: 400", "{", 400},
};

}  // namespace

const Api& llama_api() {
    static const Api kApi{"llama.cpp", "", "", {}, kCases};
    return kApi;
}

std::span<const Api> apis() {
    static const Api kAll[] = {openai_api(), responses_api(), anthropic_api(), ollama_api(),
                               llama_api()};
    return kAll;
}

}  // namespace heft::conform
