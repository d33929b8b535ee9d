// Replies that have to have a form, in the words of each API.
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "serve/api/test_api.h"

namespace heft::serve {
namespace {

using test::Said;
using test::server;

const Json kAsked = Json::array({{{"role", "user"}, {"content", "Once upon a time"}}});
const Json kCity = {{"type", "object"},
                    {"properties",
                     {{"city", {{"enum", {"Paris", "Rome"}}}},
                      {"days", {{"type", "integer"}, {"minimum", 1}, {"maximum", 9}}}}},
                    {"required", {"city", "days"}},
                    {"additionalProperties", false}};

void expect_city(const std::string& text) {
    const Json value = Json::parse(text, nullptr, false);
    ASSERT_TRUE(value.is_object()) << text;
    EXPECT_EQ(value.size(), 2U);
    EXPECT_TRUE(value["city"] == "Paris" || value["city"] == "Rome") << text;
    EXPECT_TRUE(value["days"] >= 1 && value["days"] <= 9) << text;
}

// tiny with a template that has tool calls.
class Caller {
  public:
    Caller() {
        namespace fs = std::filesystem;
        folder_ = fs::temp_directory_path() / ("heft-structured-" + std::to_string(::getpid()));
        fs::create_directories(folder_);
        for (const auto& entry : fs::directory_iterator(fs::path(HEFT_SOURCE_DIR) / "models/tiny"))
            if (entry.is_regular_file())
                fs::copy_file(entry.path(), folder_ / entry.path().filename(),
                              fs::copy_options::overwrite_existing);
        std::ofstream(folder_ / "chat_template.jinja")
            << "{{ '<|begin_of_text|>' }}{% for m in messages %}{{ '<|start|>' + m['role'] + '\\n' "
               "+ m['content'] + '<|end|>\\n' }}{% endfor %}{% if tools %}{{ '<tool_call>' }}"
               "{% endif %}{{ '<|start|>assistant\\n' }}";
        server_ = std::make_unique<test::Server>(folder_.string());
    }
    ~Caller() {
        server_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;
    test::Server& operator*() { return *server_; }
    test::Server* operator->() { return server_.get(); }

  private:
    std::filesystem::path folder_;
    std::unique_ptr<test::Server> server_;
};

Json chat_tools() {
    return Json::array(
        {{{"type", "function"},
          {"function", {{"name", "weather"}, {"parameters", kCity}, {"strict", true}}}}});
}

TEST(Structured, SchemasAreKeptInEveryDialect) {
    for (int seed = 0; seed < 4; ++seed) {
        const Said chat = server().post(
            "/v1/chat/completions",
            {{"messages", kAsked},
             {"seed", seed},
             {"temperature", 1.5},
             {"response_format",
              {{"type", "json_schema"},
               {"json_schema", {{"name", "city"}, {"strict", true}, {"schema", kCity}}}}}});
        ASSERT_EQ(chat.status, 200) << chat.text;
        expect_city(chat.json["choices"][0]["message"]["content"]);
        EXPECT_EQ(chat.json["choices"][0]["finish_reason"], "stop");
        const Said ollama = server().post("/api/chat", {{"model", "tiny"},
                                                        {"messages", kAsked},
                                                        {"stream", false},
                                                        {"format", kCity},
                                                        {"options", {{"seed", seed}}}});
        ASSERT_EQ(ollama.status, 200) << ollama.text;
        expect_city(ollama.json["message"]["content"]);
    }
    const Said any =
        server().post("/v1/chat/completions", {{"messages", kAsked},
                                               {"max_tokens", 200},
                                               {"response_format", {{"type", "json_object"}}}});
    ASSERT_EQ(any.status, 200) << any.text;
    EXPECT_EQ(any.json["choices"][0]["message"]["content"].get<std::string>().front(), '{');
}

TEST(Structured, RequiredCallsAreMade) {
    Caller caller;
    for (int seed = 0; seed < 3; ++seed) {
        const Said chat = caller->post("/v1/chat/completions", {{"messages", kAsked},
                                                                {"seed", seed},
                                                                {"tools", chat_tools()},
                                                                {"parallel_tool_calls", false},
                                                                {"tool_choice", "required"}});
        ASSERT_EQ(chat.status, 200) << chat.text;
        const Json& choice = chat.json["choices"][0];
        ASSERT_EQ(choice["finish_reason"], "tool_calls") << chat.text;
        ASSERT_EQ(choice["message"]["tool_calls"].size(), 1U);
        EXPECT_EQ(choice["message"]["tool_calls"][0]["function"]["name"], "weather");
        expect_city(choice["message"]["tool_calls"][0]["function"]["arguments"]);
    }
    const Said messages = caller->post(
        "/v1/messages", {{"model", "tiny"},
                         {"max_tokens", 300},
                         {"messages", kAsked},
                         {"tools", Json::array({{{"name", "weather"}, {"input_schema", kCity}}})},
                         {"tool_choice", {{"type", "any"}, {"disable_parallel_tool_use", true}}}});
    ASSERT_EQ(messages.status, 200) << messages.text;
    EXPECT_EQ(messages.json["stop_reason"], "tool_use");
    const Json& block = messages.json["content"].back();
    EXPECT_EQ(block["type"], "tool_use");
    expect_city(block["input"].dump());
}

TEST(Structured, CallsOrAFormWithoutAChoice) {
    Caller caller;
    const Said said = caller->post(
        "/v1/chat/completions",
        {{"messages", kAsked},
         {"seed", 1},
         {"tools", chat_tools()},
         {"parallel_tool_calls", false},
         {"response_format",
          {{"type", "json_schema"}, {"json_schema", {{"name", "c"}, {"schema", kCity}}}}}});
    ASSERT_EQ(said.status, 200) << said.text;
    const Json& message = said.json["choices"][0]["message"];
    if (message.contains("tool_calls"))
        expect_city(message["tool_calls"][0]["function"]["arguments"]);
    else
        expect_city(message["content"]);
}

// Where nothing holds the model to one call, the others are left out, and that is told.
TEST(Structured, OneCallIsOneCall) {
    Caller caller;
    const std::string call =
        R"(<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\", \"days\": 3}}\n</tool_call>)";
    Json body = {
        {"messages", kAsked},
        {"tools", chat_tools()},
        {"grammar", "root ::= \"" + call + "\\n" + call + "\\n" + call + "\" [a-z]? [a-z]?"}};
    for (const bool parallel : {true, false}) {
        body["parallel_tool_calls"] = parallel;
        body["stream"] = false;
        const Said whole = caller->post("/v1/chat/completions", body);
        ASSERT_EQ(whole.status, 200) << whole.text;
        const Json& choice = whole.json["choices"][0];
        EXPECT_EQ(choice["message"]["tool_calls"].size(), parallel ? 3U : 1U) << whole.text;
        expect_city(choice["message"]["tool_calls"][0]["function"]["arguments"]);
        EXPECT_EQ(choice["finish_reason"], "tool_calls");
        EXPECT_EQ(whole.text.find("parallel_tool_calls: ") == std::string::npos, parallel);
        body["stream"] = true;
        const Said streamed = caller->post("/v1/chat/completions", body);
        std::size_t n_begun = 0;
        std::string arguments;
        for (const Json& event : streamed.events)
            for (const Json& one : event["choices"])
                for (const Json& part : one["delta"].value("tool_calls", Json::array())) {
                    n_begun += part.contains("id") ? 1 : 0;
                    if (part["index"] == 0)
                        arguments += part["function"].value("arguments", std::string());
                }
        EXPECT_EQ(n_begun, parallel ? 3U : 1U) << streamed.text;
        expect_city(arguments);
        EXPECT_TRUE(streamed.done_mark);
    }
}

TEST(Structured, MoreToolsThanCanBeHeldAreRefusedInWords) {
    Caller caller;
    Json body = {{"messages", kAsked}, {"tool_choice", "required"}, {"tools", Json::array()}};
    for (int i = 0; i < 300; ++i) {
        // Each of its own: what is alike is compiled once.
        const Json text = {{"type", "string"}, {"minLength", 1}, {"maxLength", 2000 + i}};
        const Json parameters = {{"type", "object"}, {"properties", {{"a", text}, {"b", text}}}};
        body["tools"].push_back(
            {{"type", "function"},
             {"function", {{"name", "tool_" + std::to_string(i)}, {"parameters", parameters}}}});
    }
    const Said said = caller->post("/v1/chat/completions", body);
    ASSERT_EQ(said.status, 400) << said.text;
    EXPECT_EQ(said.json["error"]["param"], "tools");
    const std::string says = said.json["error"]["message"];
    EXPECT_NE(says.find("offer fewer tools"), std::string::npos) << says;
}

TEST(Structured, WhatCannotBeHeldIsRefused) {
    Caller caller;
    const Json bad = {{"type", "object"}, {"properties", {{"a", {{"not", Json::object()}}}}}};
    const Json format = {{"type", "json_schema"},
                         {"json_schema", {{"name", "x"}, {"schema", bad}}}};
    const Said schema =
        caller->post("/v1/chat/completions", {{"messages", kAsked}, {"response_format", format}});
    EXPECT_EQ(schema.status, 400);
    EXPECT_EQ(schema.json["error"]["param"], "response_format.json_schema.schema");
    const std::string says = schema.json["error"]["message"];
    EXPECT_NE(says.find("'not'"), std::string::npos) << says;
    EXPECT_NE(says.find("/properties/a"), std::string::npos) << says;

    Json tools = chat_tools();
    tools.push_back({{"type", "function"}, {"function", {{"name", "b"}, {"parameters", bad}}}});
    Json body = {{"messages", kAsked}, {"tools", tools}, {"tool_choice", "required"}};
    const Said required = caller->post("/v1/chat/completions", body);
    EXPECT_EQ(required.status, 400);
    EXPECT_EQ(required.json["error"]["param"], "tools[1].function.parameters");

    body["tools"] = Json::array({tools[1]});
    body["tool_choice"] = "auto";
    body["max_tokens"] = 3;
    const Said lenient = caller->post("/v1/chat/completions", body);
    EXPECT_EQ(lenient.status, 200) << lenient.text;
    EXPECT_NE(lenient.text.find("not held to their schemas"), std::string::npos) << lenient.text;
    body["tools"][0]["function"]["strict"] = true;
    EXPECT_EQ(caller->post("/v1/chat/completions", body).status, 400);

    // The template of tiny has no calls.
    const Said plain =
        server().post("/v1/chat/completions",
                      {{"messages", kAsked}, {"tools", chat_tools()}, {"tool_choice", "required"}});
    EXPECT_EQ(plain.status, 400);
    EXPECT_EQ(plain.json["error"]["param"], "tool_choice");
}

}  // namespace
}  // namespace heft::serve
