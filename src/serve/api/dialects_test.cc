// What every dialect says of the same request, streamed and whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serve/api/test_api.h"

namespace heft::serve {
namespace {

using test::Said;
using test::server;

const Json kAsked = Json::array({{{"role", "user"}, {"content", "Tell me a story about a cat."}}});

// How a dialect asks for the same, and where the text stands in its replies and events.
struct Way {
    const char* path;
    Json body;
    Json::json_pointer text;    // of a whole reply
    Json::json_pointer delta;   // of an event; others have no such member
    Json::json_pointer n_made;  // of a whole reply
};

std::vector<Way> chat_ways() {
    using P = Json::json_pointer;
    return {
        {"/v1/chat/completions",
         {{"model", "tiny"},
          {"messages", kAsked},
          {"seed", 7},
          {"temperature", 0.7},
          {"max_tokens", 24}},
         P("/choices/0/message/content"),
         P("/choices/0/delta/content"),
         P("/usage/completion_tokens")},
        {"/v1/messages",
         {{"model", "tiny"},
          {"messages", kAsked},
          {"seed", 7},
          {"temperature", 0.7},
          {"max_tokens", 24}},
         P("/content/0/text"),
         P("/delta/text"),
         P("/usage/output_tokens")},
        {"/v1/responses",
         {{"model", "tiny"},
          {"input", kAsked},
          {"seed", 7},
          {"temperature", 0.7},
          {"max_output_tokens", 24}},
         P("/output/0/content/0/text"),
         P("/delta"),
         P("/usage/output_tokens")},
        {"/api/chat",
         {{"model", "tiny"},
          {"messages", kAsked},
          {"options", {{"seed", 7}, {"temperature", 0.7}, {"num_predict", 24}}}},
         P("/message/content"),
         P("/message/content"),
         P("/eval_count")},
        {"/api/generate",
         {{"model", "tiny"},
          {"prompt", "Tell me a story about a cat."},
          {"options", {{"seed", 7}, {"temperature", 0.7}, {"num_predict", 24}}}},
         P("/response"),
         P("/response"),
         P("/eval_count")},
    };
}

std::string joined(const Said& said, const Json::json_pointer& at) {
    std::string text;
    for (const Json& event : said.events)
        if (event.contains(at) && event[at].is_string()) text += event[at].get<std::string>();
    return text;
}

TEST(Dialects, AnswerTheSameRequestAlikeStreamedAndWhole) {
    std::string expected;
    for (Way& way : chat_ways()) {
        way.body["stream"] = false;
        const Said whole = server().post(way.path, way.body);
        ASSERT_EQ(whole.status, 200) << way.path << whole.text;
        const std::string text = whole.json.at(way.text).get<std::string>();
        EXPECT_FALSE(text.empty());
        if (expected.empty()) expected = text;
        EXPECT_EQ(text, expected) << way.path;
        EXPECT_EQ(whole.json.at(way.n_made), 24) << way.path;
        EXPECT_TRUE(whole.json.contains("heft")) << way.path;

        way.body["stream"] = true;
        const Said streamed = server().post(way.path, way.body);
        ASSERT_EQ(streamed.status, 200) << way.path << streamed.text;
        EXPECT_EQ(joined(streamed, way.delta), expected) << way.path;
        EXPECT_GT(streamed.events.size(), 5U) << way.path;
    }
}

TEST(Dialects, SayErrorsInTheirOwnWords) {
    using P = Json::json_pointer;
    struct Case {
        const char* path;
        Json body;
        int status;
        Json::json_pointer at;
        const char* says;
    };
    const std::vector<Case> cases = {
        {"/v1/chat/completions",
         {{"model", "none"}, {"messages", kAsked}},
         404,
         P("/error/code"),
         "model_not_found"},
        {"/v1/chat/completions",
         {{"messages", kAsked}, {"temperature", 3}},
         400,
         P("/error/param"),
         "temperature"},
        {"/v1/chat/completions",
         {{"messages", kAsked}, {"temperature", "hot"}},
         400,
         P("/error/code"),
         "invalid_type"},
        {"/v1/chat/completions",
         {{"messages", kAsked}, {"nonsense", 1}},
         400,
         P("/error/code"),
         "unknown_parameter"},
        {"/v1/chat/completions", {{"messages", Json::array()}}, 400, P("/error/param"), "messages"},
        {"/v1/chat/completions",
         {{"messages", {{{"role", "cook"}, {"content", "x"}}}}},
         400,
         P("/error/param"),
         "messages[0].role"},
        {"/v1/chat/completions",
         {{"messages", {{{"role", "user"}, {"content", {{{"type", "image_url"}}}}}}}},
         400,
         P("/error/code"),
         "unsupported_content"},
        {"/v1/chat/completions", {{"messages", kAsked}, {"n", 0}}, 400, P("/error/param"), "n"},
        {"/v1/chat/completions",
         {{"messages", kAsked}, {"top_logprobs", 3}},
         400,
         P("/error/param"),
         "top_logprobs"},
        {"/v1/chat/completions",
         {{"messages", kAsked}, {"functions", Json::array()}},
         400,
         P("/error/code"),
         "unsupported_parameter"},
        {"/v1/chat/completions",
         {{"messages", kAsked}, {"logit_bias", {{"x", 1}}}},
         400,
         P("/error/param"),
         "logit_bias"},
        {"/v1/chat/completions",
         {{"messages", kAsked}, {"logit_bias", {{"99999999", 1}}}},
         400,
         P("/error/param"),
         "logit_bias"},
        {"/v1/chat/completions",
         {{"messages", kAsked}, {"tool_choice", "required"}},
         400,
         P("/error/param"),
         "tool_choice"},
        {"/v1/completions", {{"prompt", "a"}, {"best_of", 2}}, 400, P("/error/param"), "best_of"},
        {"/v1/completions", {{"prompt", "a"}, {"suffix", "b"}}, 400, P("/error/param"), "suffix"},
        {"/v1/completions",
         {{"prompt", "a"}, {"seed", 18446744073709551615U}},
         400,
         P("/error/param"),
         "seed"},
        {"/v1/completions", Json::object(), 400, P("/error/param"), "prompt"},
        {"/v1/completions", {{"prompt", {1, -2}}}, 400, P("/error/param"), "prompt"},
        {"/v1/embeddings",
         {{"input", "a"}, {"dimensions", 8}},
         400,
         P("/error/param"),
         "dimensions"},
        {"/v1/embeddings",
         {{"input", "a"}, {"encoding_format", "hex"}},
         400,
         P("/error/param"),
         "encoding_format"},
        {"/v1/responses",
         {{"input", "a"}, {"previous_response_id", "resp_x"}},
         400,
         P("/error/code"),
         "previous_response_not_found"},
        {"/v1/messages",
         {{"model", "tiny"}, {"messages", kAsked}},
         400,
         P("/error/type"),
         "invalid_request_error"},
        {"/v1/messages",
         {{"model", "none"}, {"max_tokens", 5}, {"messages", kAsked}},
         404,
         P("/error/type"),
         "not_found_error"},
        {"/api/chat",
         {{"model", "none"}, {"messages", kAsked}},
         404,
         P("/error"),
         "there is no model \"none\""},
        {"/api/generate",
         {{"model", "tiny"}, {"prompt", "a"}, {"options", {{"temperature", "hot"}}}},
         400,
         P("/error"),
         "options.temperature has to be a number, and is not"},
        {"/tokenize", {{"content", 5}}, 400, P("/error/type"), "invalid"},
    };
    for (const Case& c : cases) {
        const Said said = server().post(c.path, c.body);
        EXPECT_EQ(said.status, c.status) << c.path << c.body << said.text;
        ASSERT_TRUE(said.json.contains(c.at)) << c.path << said.text;
        EXPECT_EQ(said.json.at(c.at), c.says) << c.path << said.text;
    }
}

TEST(Dialects, TakeHostileBodiesForWhatTheyAre) {
    const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
    std::string many = "{\"a\":1";
    for (int i = 0; i < 200'000; ++i) many += ",\"k" + std::to_string(i) + "\":1";
    many += "}";
    const std::string bodies[] = {"",
                                  "{",
                                  "[]",
                                  "null",
                                  "{\"messages\": \"\xff\"}",
                                  "\xef\xbb",
                                  deep,
                                  "{\"messages\":" + deep + "}",
                                  many,
                                  "{\"n\": 1e999}"};
    for (const Route& route : server().routes()) {
        if (route.method != "POST") continue;
        for (const std::string& body : bodies) {
            const Said said = server().call("POST", route.pattern, body);
            // Names that nobody knows are told, not refused, in Ollama's API.
            const bool told = body == many && route.pattern.rfind("/api/", 0) == 0;
            EXPECT_TRUE(said.status == 400 || (told && said.status == 200))
                << route.pattern << body.substr(0, 80);
        }
    }
}

TEST(Dialects, TellWhatIsNotDone) {
    const Said said = server().post(
        "/api/chat", {{"model", "tiny"},
                      {"messages", kAsked},
                      {"stream", false},
                      {"colour", "red"},
                      {"options", {{"num_ctx", 64}, {"num_predict", 2}, {"tempo", 3}}}});
    ASSERT_EQ(said.status, 200) << said.text;
    const std::string told = said.json["heft"]["degraded"].dump();
    for (const char* name : {"colour", "options.num_ctx", "options.tempo"})
        EXPECT_THAT(told, testing::HasSubstr(name));
    // A prompt too long says by how much.
    std::string text;
    for (int i = 0; i < 5000; ++i) text += "word ";
    const Said full = server().post("/v1/completions", {{"prompt", text}});
    EXPECT_EQ(full.status, 400);
    EXPECT_EQ(full.json["error"]["code"], "context_length_exceeded") << full.text;
    EXPECT_THAT(full.text, testing::HasSubstr("more than a context of"));
}

TEST(Dialects, EndWithAStopSequence) {
    Json body = {{"model", "tiny"},    {"messages", kAsked}, {"seed", 7},
                 {"temperature", 0.7}, {"max_tokens", 60},   {"stop_sequences", {"zzz", " "}}};
    const Said said = server().post("/v1/messages", body);
    ASSERT_EQ(said.status, 200) << said.text;
    EXPECT_EQ(said.json["stop_reason"], "stop_sequence");
    EXPECT_EQ(said.json["stop_sequence"], " ");
    EXPECT_EQ(said.json["content"][0]["text"].get<std::string>().find(' '), std::string::npos);
}

TEST(Dialects, ReportEveryRequestOnceAndCancelWithTheClient) {
    test::Server own;
    const auto recorder =
        own.begin("POST", "/v1/completions",
                  R"({"prompt":"Once","max_tokens":100000,"ignore_eos":true,"stream":true,"n":2})");
    ASSERT_TRUE(recorder->wait_chunks(4));
    recorder->go();
    const auto outcomes = own.service().outcomes(1);
    ASSERT_EQ(outcomes.size(), 1U);
    EXPECT_TRUE(outcomes[0].cancelled);
    EXPECT_GT(outcomes[0].n_made, 0);
    EXPECT_LT(outcomes[0].n_made, 5000);
    EXPECT_EQ(own.service().model().scheduler().stats().cancelled, 2U);

    const Said said = own.post("/v1/completions", {{"prompt", "Once"}, {"max_tokens", 3}});
    const auto more = own.service().outcomes(2);
    ASSERT_EQ(more.size(), 2U);
    EXPECT_EQ(more[1].endpoint, "/v1/completions");
    EXPECT_EQ(more[1].n_made, 3);
    EXPECT_EQ(said.json["usage"]["prompt_tokens"], more[1].n_prompt);
}

}  // namespace
}  // namespace heft::serve
