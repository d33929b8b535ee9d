// Whatever a shape allows, the parser reads as calls of the tools.
#include "text/call_shape.h"

#include <random>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "text/test_replies.h"

namespace heft::text {

namespace {

using Json = nlohmann::ordered_json;
using Kind = CallShape::Kind;
using testing::read_reply;
using testing::test_tools;

// A value for the few schemas that the tests have.
std::string value_of(const std::string& schema, std::mt19937& random) {
    const Json json = Json::parse(schema);
    if (json.contains("enum")) return json["enum"][random() % json["enum"].size()].dump();
    const auto type = json.value("type", "object");
    if (type == "string") return random() % 2 == 0 ? "\"Paris\"" : "\"a } ' \\\" ) \\n\"";
    if (type == "integer") return std::to_string(random() % 100);
    if (type == "boolean") return random() % 2 == 0 ? "true" : "false";
    if (type == "array") return R"([1, "a]", {"b": null}])";
    return R"({"city": "a } \" { ] é"})";
}

std::string write(const CallShape& shape, std::mt19937& random) {
    std::string out;
    switch (shape.kind) {
        case Kind::literal: return shape.text;
        case Kind::schema: return value_of(shape.text, random);
        case Kind::text_until: return random() % 2 == 0 ? "Paris" : "a { \" ' (\n\n";
        case Kind::sequence:
            for (const auto& part : shape.parts) out += write(part, random);
            return out;
        case Kind::choice: return write(shape.parts[random() % shape.parts.size()], random);
        case Kind::repeat: break;
    }
    const int most = shape.max < 0 ? shape.min + 2 : shape.max;
    const int n =
        shape.min + static_cast<int>(random() % static_cast<unsigned>(most - shape.min + 1));
    for (int i = 0; i < n; ++i) {
        if (i > 0 && shape.parts.size() > 1) out += write(shape.parts[1], random);
        out += write(shape.parts[0], random);
    }
    return out;
}

TEST(CallShape, EveryTextOfAShapeIsCalls) {
    std::mt19937 random(3);
    for (const auto& format : reply_formats()) {
        if (format.n_calls == 0) continue;
        for (int i = 0; i < 200; ++i) {
            CallRuleOptions options;
            options.parallel = i % 2 == 0;
            options.in_reasoning = i % 3 == 0 && !format.reasoning[0].close.empty();
            const auto rules = call_rules(format, test_tools(), options);
            ASSERT_TRUE(rules) << rules.error().what;
            const std::string text = write(rules->shape, random);
            ReplyOptions reading;
            reading.in_reasoning = options.in_reasoning;
            const auto reply = read_reply(format, text, reading);
            EXPECT_EQ(reply.content, "") << format.name << ": " << text;
            EXPECT_FALSE(reply.calls.empty()) << format.name << ": " << text;
            EXPECT_TRUE(reply.degraded.empty()) << format.name << ": " << text;
            EXPECT_TRUE(options.parallel || reply.calls.size() == 1) << format.name << ": " << text;
            for (const auto& call : reply.calls) {
                EXPECT_TRUE(call.whole && is_json(call.arguments)) << call.arguments;
                EXPECT_TRUE(call.name != "weather"
                            || call.arguments.find("\"city\": ") != std::string::npos)
                    << text;
            }
        }
    }
}

TEST(CallShape, TriggersBeginTheShape) {
    std::mt19937 random(4);
    for (const auto& format : reply_formats()) {
        if (format.n_calls == 0) continue;
        CallRuleOptions options;
        options.choice = CallChoice::automatic;
        const auto rules = call_rules(format, test_tools(), options);
        ASSERT_TRUE(rules);
        const std::string text = write(rules->shape, random);
        for (const auto& trigger : rules->triggers) {
            EXPECT_FALSE(trigger.empty());
            EXPECT_TRUE(text.starts_with(trigger)) << format.name << ": " << text;
        }
        EXPECT_TRUE(text.starts_with(rules->start_trigger)) << format.name << ": " << text;
        // Functionary's headers look alike until the name is complete.
        EXPECT_TRUE(!rules->triggers.empty() || !rules->start_trigger.empty()
                    || format.name == "functionary-v3.2")
            << format.name;
    }
}

TEST(CallShape, OneNamedTool) {
    const std::vector<Tool> tools = {{"now", ""}};
    CallRuleOptions options;
    options.parallel = false;
    options.may_reason = false;
    const auto rules = call_rules(*find_reply_format("hermes"), tools, options);
    ASSERT_TRUE(rules);
    std::mt19937 random(5);
    EXPECT_EQ(write(rules->shape, random).substr(0, 41),
              "<tool_call>\n{\"name\": \"now\", \"arguments\": ");
}

TEST(CallShape, ParametersOneByOne) {
    const std::vector<Tool> tools = {{"f", R"({"type":"object","properties":{
        "a":{"$ref":"#/$defs/n"},"b":{"type":"string","enum":["x","y"]}},
        "$defs":{"n":{"type":"integer"}}})"}};
    const auto rules = call_rules(*find_reply_format("qwen3-coder"), tools, {});
    ASSERT_TRUE(rules);
    std::string schemas, literals;
    std::vector<const CallShape*> open = {&rules->shape};
    while (!open.empty()) {
        const CallShape& shape = *open.back();
        open.pop_back();
        if (shape.kind == Kind::schema) schemas += shape.text;
        if (shape.kind == Kind::literal) literals += "|" + shape.text;
        for (const auto& part : shape.parts) open.push_back(&part);
    }
    EXPECT_EQ(schemas, R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"integer"}}})");
    EXPECT_NE(literals.find("|x"), std::string::npos);
    EXPECT_NE(literals.find("|y"), std::string::npos);
}

TEST(CallShape, Refusals) {
    const auto& hermes = *find_reply_format("hermes");
    EXPECT_EQ(call_rules(*find_reply_format("plain"), test_tools()).error().code,
              Code::unsupported);
    EXPECT_EQ(call_rules(hermes, {}).error().code, Code::invalid);
    const std::vector<Tool> not_json = {{"f", "{"}};
    EXPECT_EQ(call_rules(hermes, not_json).error().code, Code::invalid);
    const std::vector<Tool> no_schema = {{"f", "[]"}};
    EXPECT_EQ(call_rules(hermes, no_schema).error().code, Code::invalid);
    const std::vector<Tool> odd = {{"f", R"({"properties":{"a":true}})"}};
    EXPECT_TRUE(call_rules(hermes, odd));
    EXPECT_EQ(call_rules(*find_reply_format("lfm2"), odd).error().code, Code::invalid);
}

}  // namespace

}  // namespace heft::text
