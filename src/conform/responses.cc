// OpenAI's responses, with their state.
#include <algorithm>

#include <fmt/format.h>

#include "conform/checks.h"
#include "conform/rows.h"

namespace heft::conform {

namespace {

using enum Is;

std::string stream_of_events(const Reply& reply) {
    if (reply.events.empty()) return "no events: " + shown(reply.body);
    const auto first = text_at(reply.events.front().json, "/type");
    if (first != "response.created") return "the first event is " + shown(first);
    const auto last = std::find_if(reply.events.rbegin(), reply.events.rend(),
                                   [](const Event& event) { return event.data != "[DONE]"; });
    const auto end = last == reply.events.rend() ? "" : text_at(last->json, "/type");
    if (end != "response.completed" && end != "response.incomplete")
        return "the last event is " + shown(end);
    const bool any = std::any_of(reply.events.begin(), reply.events.end(), [](const Event& event) {
        return text_at(event.json, "/type") == "response.output_text.delta";
    });
    return any ? "" : "no event has text";
}

const Case kCases[] = {
    {"POST",
     "/v1/responses",
     "answers",
     R"({"model":"$MODEL","input":"Hello","max_output_tokens":16})",
     200,
     {{"/object", equal, "\"response\""},
      {"/id", full_text},
      {"/status", one_of, "completed incomplete"},
      {"/output/0/type", equal, "\"message\""},
      {"/output/0/role", equal, "\"assistant\""},
      {"/output/0/content/0/type", equal, "\"output_text\""},
      {"/output/0/content/0/text", text},
      {"/usage/input_tokens", number},
      {"/usage/output_tokens", number}}},
    {"POST",
     "/v1/responses",
     "goes on from previous_response_id",
     R"({"model":"$MODEL","input":"And then?","max_output_tokens":16,"previous_response_id":"$ID"})",
     200,
     {{"/output/0/content/0/text", text}, {"/previous_response_id", full_text}}},
    {"GET",
     "/v1/responses/$ID",
     "gives a stored response back",
     "",
     200,
     {{"/object", equal, "\"response\""}}},
    {"POST",
     "/v1/responses",
     "streams events",
     R"({"model":"$MODEL","input":"Hello","max_output_tokens":16,"stream":true})",
     200,
     {},
     stream_of_events},
    {"POST",
     "/v1/responses",
     "an unknown previous response: 400",
     R"({"model":"$MODEL","input":"x","previous_response_id":"resp_none"})",
     400,
     {{"/error/message", full_text}}},
    {"POST",
     "/v1/responses",
     "no input: 400",
     R"({"model":"$MODEL","max_output_tokens":"many"})",
     400,
     {{"/error/message", full_text}}},
};

}  // namespace

const Api& responses_api() {
    static const Api kApi{"OpenAI responses", "", "", {}, kCases};
    return kApi;
}

}  // namespace heft::conform
