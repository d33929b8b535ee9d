// What is particular to each API: the shapes that its clients rely on.
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serve/api/test_api.h"
#include "text/base64.h"

namespace heft::serve {
namespace {

using test::Said;
using test::server;
using testing::ElementsAre;

const Json kAsked = Json::array({{{"role", "user"}, {"content", "Once upon a time"}}});

TEST(OpenAi, StreamsWithUsageAndAnEnd) {
    const Said said =
        server().post("/v1/chat/completions", {{"messages", kAsked},
                                               {"max_tokens", 5},
                                               {"seed", 1},
                                               {"stream", true},
                                               {"stream_options", {{"include_usage", true}}}});
    ASSERT_EQ(said.status, 200) << said.text;
    EXPECT_EQ(said.type, "text/event-stream");
    EXPECT_TRUE(said.done_mark);
    EXPECT_EQ(said.events.front()["choices"][0]["delta"]["role"], "assistant");
    const Json& last = said.events.back();
    EXPECT_TRUE(last["choices"].empty());
    EXPECT_EQ(last["usage"]["completion_tokens"], 5);
    const Json& before = said.events[said.events.size() - 2];
    EXPECT_EQ(before["choices"][0]["finish_reason"], "length");
    for (const Json& event : said.events) {
        EXPECT_EQ(event["object"], "chat.completion.chunk");
        EXPECT_EQ(event["id"], said.events.front()["id"]);
        EXPECT_FALSE(event["system_fingerprint"].get<std::string>().empty());
    }
}

TEST(OpenAi, MakesSeveralChoicesEachOfWhichCanBeHadAlone) {
    Json body = {{"prompt", {"Once upon", "The dog"}}, {"max_tokens", 8}, {"seed", 3}, {"n", 2}};
    const Said said = server().post("/v1/completions", body);
    ASSERT_EQ(said.status, 200) << said.text;
    ASSERT_EQ(said.json["choices"].size(), 4U);
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(said.json["choices"][i]["index"], i);
        const Said alone = server().post(
            "/v1/completions",
            {{"prompt", i < 2 ? "Once upon" : "The dog"}, {"max_tokens", 8}, {"seed", 3 + i % 2}});
        EXPECT_EQ(alone.json["choices"][0]["text"], said.json["choices"][i]["text"]) << i;
    }
    EXPECT_EQ(said.json["usage"]["completion_tokens"], 32);
}

TEST(OpenAi, EchoesThePrompt) {
    Json body = {{"prompt", "Once upon"}, {"max_tokens", 4}, {"seed", 3}};
    const std::string plain = server().post("/v1/completions", body).json["choices"][0]["text"];
    body["echo"] = true;
    EXPECT_EQ(server().post("/v1/completions", body).json["choices"][0]["text"],
              "Once upon" + plain);
}

TEST(OpenAi, TellsLogProbabilitiesInBothForms) {
    const Said chat = server().post("/v1/chat/completions", {{"messages", kAsked},
                                                             {"max_tokens", 4},
                                                             {"temperature", 0},
                                                             {"logprobs", true},
                                                             {"top_logprobs", 2}});
    ASSERT_EQ(chat.status, 200) << chat.text;
    const Json& content = chat.json["choices"][0]["logprobs"]["content"];
    ASSERT_EQ(content.size(), 4U);
    std::string text;
    for (const Json& token : content) {
        text += token["token"].get<std::string>();
        ASSERT_EQ(token["top_logprobs"].size(), 2U);
        // Greedy: the token chosen is the most probable one.
        EXPECT_EQ(token["top_logprobs"][0]["token"], token["token"]);
        EXPECT_LE(token["logprob"], 0);
    }
    EXPECT_THAT(
        text, testing::HasSubstr(chat.json["choices"][0]["message"]["content"].get<std::string>()));

    const Said plain =
        server().post("/v1/completions",
                      {{"prompt", "Once"}, {"max_tokens", 3}, {"temperature", 0}, {"logprobs", 1}});
    const Json& logprobs = plain.json["choices"][0]["logprobs"];
    for (const char* name : {"tokens", "token_logprobs", "top_logprobs", "text_offset"})
        EXPECT_EQ(logprobs[name].size(), 3U) << name;

    const Said streamed = server().post("/v1/chat/completions", {{"messages", kAsked},
                                                                 {"max_tokens", 4},
                                                                 {"temperature", 0},
                                                                 {"logprobs", true},
                                                                 {"top_logprobs", 2},
                                                                 {"stream", true}});
    Json joined = Json::array();
    for (const Json& event : streamed.events)
        if (!event["choices"].empty() && event["choices"][0]["logprobs"].is_object())
            for (const Json& token : event["choices"][0]["logprobs"]["content"])
                joined.push_back(token);
    EXPECT_EQ(joined, content);
}

TEST(OpenAi, ObeysBiases) {
    const Said ids = server().post("/tokenize", {{"content", " cat"}});
    ASSERT_EQ(ids.status, 200) << ids.text;
    const std::string id = std::to_string(ids.json["tokens"][0].get<int>());
    const Said said = server().post(
        "/v1/completions",
        {{"prompt", "The"}, {"max_tokens", 3}, {"temperature", 0}, {"logit_bias", {{id, 100}}}});
    const Said text = server().post(
        "/detokenize",
        {{"tokens", {ids.json["tokens"][0], ids.json["tokens"][0], ids.json["tokens"][0]}}});
    EXPECT_EQ(said.json["choices"][0]["text"], text.json["content"]) << said.text;
}

TEST(OpenAi, EmbedsAsNumbersAndAsBytes) {
    const Json inputs = {"a cat", "a dog"};
    const Said numbers = server().post("/v1/embeddings", {{"input", inputs}});
    ASSERT_EQ(numbers.status, 200) << numbers.text;
    const Said bytes =
        server().post("/v1/embeddings", {{"input", inputs}, {"encoding_format", "base64"}});
    for (std::size_t i = 0; i < 2; ++i) {
        const auto vector = numbers.json["data"][i]["embedding"].get<std::vector<float>>();
        const auto raw = text::base64_decode(bytes.json["data"][i]["embedding"].get<std::string>());
        ASSERT_TRUE(raw);
        ASSERT_EQ(raw->size(), vector.size() * 4);
        EXPECT_EQ(std::memcmp(raw->data(), vector.data(), raw->size()), 0);
        double squares = 0;
        for (const float value : vector) squares += static_cast<double>(value) * value;
        EXPECT_NEAR(squares, 1, 1e-5);
    }
    const Said ollama = server().post("/api/embed", {{"model", "tiny"}, {"input", inputs}});
    EXPECT_EQ(ollama.json["embeddings"][1], numbers.json["data"][1]["embedding"]);
    EXPECT_EQ(server().post("/api/embeddings", {{"model", "tiny"}, {"prompt", "a"}}).status, 200);
}

TEST(OpenAi, ListsModels) {
    EXPECT_EQ(server().call("GET", "/v1/models").json["data"][0]["id"], "tiny");
    EXPECT_EQ(server().call("GET", "/v1/models/tiny").json["object"], "model");
    EXPECT_EQ(server().call("GET", "/v1/models/none").status, 404);
    EXPECT_EQ(server().call("GET", "/api/tags").json["models"][0]["name"], "tiny");
    EXPECT_EQ(server().call("GET", "/api/ps").json["models"][0]["model"], "tiny");
    EXPECT_EQ(server().call("GET", "/api/version").json["version"], "0.0.0");
    const Said shown = server().post("/api/show", {{"model", "tiny"}});
    EXPECT_THAT(shown.json["template"].get<std::string>(), testing::HasSubstr("messages"));
    EXPECT_EQ(server().call("GET", "/props").json["model_alias"], "tiny");
}

TEST(OpenAi, ContinuesAStoredResponse) {
    const Said first = server().post(
        "/v1/responses", {{"input", "My name is Ann."}, {"max_output_tokens", 6}, {"seed", 2}});
    ASSERT_EQ(first.status, 200) << first.text;
    const std::string id = first.json["id"];
    const Json ask = {{"input", "What is my name?"},
                      {"previous_response_id", id},
                      {"max_output_tokens", 6},
                      {"seed", 2}};
    const Said second = server().post("/v1/responses", ask);
    ASSERT_EQ(second.status, 200) << second.text;
    const std::string said = first.json["output"][0]["content"][0]["text"];
    const Said whole =
        server().post("/v1/responses", {{"input",
                                         {{{"role", "user"}, {"content", "My name is Ann."}},
                                          {{"role", "assistant"}, {"content", said}},
                                          {{"role", "user"}, {"content", "What is my name?"}}}},
                                        {"max_output_tokens", 6},
                                        {"seed", 2}});
    EXPECT_EQ(second.json["output"][0]["content"], whole.json["output"][0]["content"]);
    EXPECT_EQ(second.json["usage"]["input_tokens"], whole.json["usage"]["input_tokens"]);
    // It is nobody else's.
    EXPECT_EQ(server().call("POST", "/v1/responses", ask.dump(), "another").status, 400);
    EXPECT_EQ(server().call("GET", "/v1/responses/" + id, "", "another").status, 404);
    EXPECT_EQ(server().call("GET", "/v1/responses/" + id).json["id"], id);
    EXPECT_EQ(server().call("DELETE", "/v1/responses/" + id).json["deleted"], true);
    EXPECT_EQ(server().post("/v1/responses", ask).status, 400);
}

TEST(Responses, StreamInTheOrderOfTheApi) {
    const Said said = server().post(
        "/v1/responses",
        {{"input", "Hello"}, {"stream", true}, {"max_output_tokens", 2}, {"seed", 2}});
    std::vector<std::string> names;
    for (const std::string& name : said.names)
        if (names.empty() || names.back() != name) names.push_back(name);
    EXPECT_THAT(
        names, ElementsAre("response.created", "response.in_progress", "response.output_item.added",
                           "response.content_part.added", "response.output_text.delta",
                           "response.output_text.done", "response.content_part.done",
                           "response.output_item.done", "response.incomplete"));
    for (std::size_t i = 0; i < said.events.size(); ++i)
        EXPECT_EQ(said.events[i]["sequence_number"], i);
}

TEST(Anthropic, StreamsInTheOrderOfTheApi) {
    const Said said = server().post("/v1/messages", {{"model", "tiny"},
                                                     {"max_tokens", 4},
                                                     {"system", "Be kind."},
                                                     {"messages", kAsked},
                                                     {"stream", true},
                                                     {"seed", 2}});
    std::vector<std::string> names;
    for (const std::string& name : said.names)
        if (names.empty() || names.back() != name) names.push_back(name);
    EXPECT_THAT(names,
                ElementsAre("message_start", "ping", "content_block_start", "content_block_delta",
                            "content_block_stop", "message_delta", "message_stop"));
    for (std::size_t i = 0; i < said.events.size(); ++i)
        EXPECT_EQ(said.events[i]["type"], said.names[i]);
    EXPECT_EQ(said.events[said.events.size() - 2]["delta"]["stop_reason"], "max_tokens");
}

TEST(Anthropic, CountsWhatAPromptHas) {
    const Json body = {{"model", "tiny"}, {"messages", kAsked}};
    Json made = body;
    made["max_tokens"] = 1;
    const Said counted = server().post("/v1/messages/count_tokens", body);
    const Said said = server().post("/v1/messages", made);
    const Json& usage = said.json["usage"];
    EXPECT_EQ(counted.json["input_tokens"],
              usage["input_tokens"].get<int>() + usage["cache_read_input_tokens"].get<int>());
}

TEST(Anthropic, ContinuesWhatTheAssistantBegan) {
    const Json begun = {{"role", "assistant"}, {"content", "Once upon a"}};
    const Json body = {
        {"model", "tiny"}, {"max_tokens", 4}, {"temperature", 0}, {"messages", {kAsked[0], begun}}};
    const Said said = server().post("/v1/messages", body);
    const Said prompt = server().post("/apply-template", {{"messages", kAsked}});
    const Said raw = server().post(
        "/v1/completions", {{"prompt", prompt.json["prompt"].get<std::string>() + "Once upon a"},
                            {"max_tokens", 4},
                            {"temperature", 0}});
    ASSERT_EQ(said.status, 200) << said.text;
    EXPECT_GT(said.json["content"][0]["text"].get<std::string>().size(), 0U);
    EXPECT_EQ(raw.status, 200);
}

TEST(Ollama, LoadsAndLetsGo) {
    EXPECT_EQ(server().post("/api/generate", {{"model", "tiny"}}).json["done_reason"], "load");
    EXPECT_EQ(
        server().post("/api/chat", {{"model", "tiny"}, {"keep_alive", 0}}).json["done_reason"],
        "unload");
    EXPECT_EQ(server().call("HEAD", "/").status, 200);
}

TEST(Ollama, EndsItsLinesWithTheNumbers) {
    const Said said =
        server().post("/api/generate",
                      {{"model", "tiny"}, {"prompt", "Hello"}, {"options", {{"num_predict", 3}}}});
    EXPECT_EQ(said.type, "application/x-ndjson");
    const Json& last = said.events.back();
    EXPECT_EQ(last["done"], true);
    EXPECT_EQ(last["done_reason"], "length");
    EXPECT_EQ(last["eval_count"], 3);
    EXPECT_GT(last["total_duration"], 0);
}

TEST(Llama, TokenizesAndBack) {
    const std::string text = "Once upon a time, there was a cat.";
    const Said ids = server().post("/tokenize", {{"content", text}, {"with_pieces", true}});
    Json plain = Json::array();
    std::string joined;
    for (const Json& token : ids.json["tokens"]) {
        plain.push_back(token["id"]);
        joined += token["piece"].get<std::string>();
    }
    EXPECT_THAT(joined, testing::HasSubstr("upon a time"));
    EXPECT_EQ(server().post("/detokenize", {{"tokens", plain}}).json["content"], text);
}

}  // namespace
}  // namespace heft::serve
