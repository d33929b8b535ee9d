// Schemas by what they allow and what they do not.
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../../tests/shared_data.h"
#include "base/json.h"
#include "grammar/grammar.h"
#include "grammar/schema_keywords.h"

namespace heft::grammar {
namespace {

using Json = nlohmann::ordered_json;

Result<Grammar> compile(const std::string& schema, JsonOptions options = {}) {
    auto tree = parse_json_tree(schema);
    if (!tree) return tree.error();
    return Grammar::from_json_schema(*tree, options);
}

struct Case {
    const char* schema;
    std::vector<std::string> accepted, refused;
};

const std::vector<Case> kCases = {
    {R"({"type":"integer"})", {"0", "-7", "12"}, {"1.0", "01", "-0", "1e3", ""}},
    {R"({"type":"number"})", {"0", "-0.5", "1e5", "2.50"}, {".5", "5.", "1e", "+1", "NaN"}},
    {R"({"type":"number","minimum":0.5,"exclusiveMaximum":2})",
     {"0.5", "0.50", "0.51", "1", "1.999", "1.0"},
     {"0.4", "0.49", "0", "2", "2.0", "-1", "10"}},
    {R"({"type":"number","exclusiveMinimum":-1.25,"maximum":0})",
     {"-1.249", "-1.2", "-0.001", "0", "0.0"},
     {"-1.25", "-1.250", "-2", "0.1", "-1.26", "1"}},
    {R"({"type":"number","minimum":0.00001})", {"0.00001", "3", "0.1"}, {"0.000001", "0"}},
    {R"({"type":"integer","minimum":-10,"exclusiveMaximum":205})",
     {"-10", "-1", "0", "99", "204"},
     {"-11", "205", "300", "1000"}},
    {R"({"type":"integer","multipleOf":7,"minimum":0,"maximum":30})",
     {"0", "7", "28"},
     {"1", "35", "30"}},
    {R"({"type":"integer","multipleOf":100})", {"0", "100", "-2500"}, {"10", "150", "00"}},
    {R"({"type":"boolean"})", {"true", "false"}, {"null", "1"}},
    {R"({"type":["string","null"]})", {"null", "\"\""}, {"0", "{}"}},
    {R"({"type":"string","nullable":true})", {"null", "\"x\""}, {"1"}},
    {R"({"type":"string","minLength":2,"maxLength":3})",
     {"\"ab\"", "\"日本語\"", R"("\u00e9\n")", R"("a\ud83d\ude00")"},
     {"\"a\"", "\"abcd\"", "\"日\"", R"("\ud83d\ude00")"}},
    {R"({"type":"string"})",
     {R"("\ud83d\ude00")", R"("\/\b")"},
     {R"("\ud83d")", R"("\ude00")", R"("\x")", "\"a\nb\"", "\"\xFF\"", "\"\xC0\x80\""}},
    {R"({"type":"string","pattern":"b"})", {"\"b\"", "\"abc\"", "\"xx b\""}, {"\"a\"", "\"\""}},
    {R"({"type":"string","pattern":"^a|c$"})", {"\"ax\"", "\"xc\""}, {"\"xa\"", "\"cx\""}},
    {R"({"type":"string","pattern":"^\"\\\\+$"})", {R"("\"\\")"}, {R"("\"")"}},
    {R"({"type":"string","pattern":"^[a-z]+$","minLength":2,"maxLength":4})",
     {"\"ab\"", "\"abcd\""},
     {"\"a\"", "\"abcde\""}},
    {R"({"type":"string","format":"date"})",
     {"\"2024-02-29\"", "\"1999-12-31\""},
     {"\"2023-02-29\"", "\"1900-02-29\"", "\"2024-13-01\"", "\"2024-04-31\""}},
    {R"({"type":"string","format":"ipv4"})", {"\"1.2.3.255\""}, {"\"1.2.3\"", "\"1.2.3.256\""}},
    {R"({"type":"string","format":"ipv6"})",
     {"\"::\"", "\"::1\"", "\"1::\"", "\"1:2:3:4:5:6:7:8\"", "\"fe80::1:2\""},
     {"\"1:2\"", "\"1::2::3\"", "\"1:2:3:4:5:6:7:8:9\""}},
    {R"({"type":"string","format":"uri"})",
     {"\"https://example.com/a?b=c#d\"", "\"mailto:a@b.c\""},
     {"\"example\"", "\"http://a b\""}},
    {R"({"type":"string","format":"duration"})",
     {"\"P3Y6M4DT12H30M5S\"", "\"P2W\"", "\"PT1S\""},
     {"\"P\"", "\"PT\"", "\"P1S\""}},
    {R"({"type":"string","format":"email"})", {"\"a.b@c.de\""}, {"\"a@\"", "\"@b.c\""}},
    {R"({"enum":["a",1,null,{"k":[1]}]})", {"\"a\"", "1", "null", R"({"k": [1]})"}, {"2", "a"}},
    {R"({"type":"string","enum":["a",1]})", {"\"a\""}, {"1"}},
    {R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"null"}},
         "required":["b"],"additionalProperties":false})",
     {R"({"b":null})", R"({"a":1,"b":null})", R"({ "a": 1, "b": null })"},
     {R"({})", R"({"a":1})", R"({"b":null,"a":1})", R"({"b":null,})", R"({"b":null,"c":1})",
      R"({"b":  null})", R"({,"b":null})"}},
    {R"({"properties":{"ab":{"type":"integer"}},"additionalProperties":{"type":"string"}})",
     {R"({})", R"({"ab":1})", R"({"a":"x"})", R"({"ab":1,"abc":"x","":"y"})"},
     {R"({"ab":"x"})", R"({"\u0061b":"x"})", R"({"a":1})", R"({"c":"x","ab":1})"}},
    {R"({"type":"object"})", {"{}", R"({"x":{"y":[1]}})"}, {"[]", "{\"x\"}"}},
    {R"({"type":"object","required":["z"]})", {R"({"z":1})"}, {"{}"}},
    {R"({"type":"object","patternProperties":{"^x":{"type":"integer"}}})",
     {"{}", R"({"x1":1,"x":2})"},
     {R"({"y":1})", R"({"x":"a"})"}},
    {R"({"type":"object","propertyNames":{"pattern":"^[a-z]+$"}})",
     {R"({"ab":1})"},
     {R"({"A":1})"}},
    {R"({"type":"object","additionalProperties":{"type":"null"},"minProperties":1,"maxProperties":2})",
     {R"({"a":null})", R"({"a":null,"b":null})"},
     {"{}", R"({"a":null,"b":null,"c":null})"}},
    {R"({"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3})",
     {"[1]", "[1, 2,3]", "[ 1 ]"},
     {"[]", "[1,2,3,4]", "[1,]", "[\"a\"]"}},
    {R"({"prefixItems":[{"type":"integer"},{"type":"string"}],"minItems":1,"items":{"type":"null"}})",
     {"[1]", "[1,\"a\"]", "[1,\"a\",null]"},
     {"[]", "[\"a\"]", "[1,null]", "[1,\"a\",2]"}},
    {R"({"type":"array","items":{"enum":["r","g"]},"uniqueItems":true})",
     {"[]", "[\"r\"]", "[\"g\",\"r\"]"},
     {"[\"r\",\"r\"]", "[\"g\",\"r\",\"g\"]"}},
    {R"({"anyOf":[{"type":"integer"},{"type":"array","items":{"type":"integer"}}]})",
     {"1", "[1]"},
     {"\"a\"", "[\"a\"]"}},
    {R"({"oneOf":[{"type":"object","properties":{"t":{"const":"a"},"x":{"type":"integer"}},"required":["t"]},
                  {"type":"object","properties":{"t":{"const":"b"}},"required":["t"]}]})",
     {R"({"t":"a","x":1})", R"({"t":"b"})"},
     {R"({"t":"b","x":1})", R"({"t":"c"})"}},
    {R"({"allOf":[{"type":"object","properties":{"a":{"type":"number"}},"required":["a"]},
                  {"properties":{"a":{"type":"integer","minimum":5},"b":{"type":"null"}}}]})",
     {R"({"a":5})", R"({"a":7,"b":null})"},
     {R"({"a":4})", R"({"a":5.5})", "{}"}},
    {R"({"allOf":[{"properties":{"a":{}},"required":["a"],"additionalProperties":false},
                  {"properties":{"b":{}}}]})",
     {R"({"a":1})"},
     {R"({"a":1,"b":2})"}},
    {R"({"$ref":"#/$defs/t","$defs":{"t":{"type":"object","properties":{"k":{"type":"array",
         "items":{"$ref":"#/$defs/t"}}},"required":["k"]}}})",
     {R"({"k":[]})", R"({"k":[{"k":[]},{"k":[{"k":[]}]}]})"},
     {R"({"k":[1]})", "[]"}},
    {R"({"type":"object","properties":{"c":{"$ref":"#"}}})", {R"({"c":{"c":{}}})"}, {R"({"c":1})"}},
    {R"({"$ref":"#/definitions/a~1b%20c","definitions":{"a/b c":{"type":"null"}}})",
     {"null"},
     {"1"}},
    {R"({"type":"object","properties":{"v":true,"w":{"title":"any"}}})",
     {R"({"v":[1],"w":{"x":null}})"},
     {R"({"v":})"}},
    {"true", {"1", "[{}]", "\"a\""}, {"", "a"}},
    {"{}", {"{}", R"({"a":1})"}, {"1", "[]"}},
};

TEST(Schema, AllowsWhatItSaysAndNothingElse) {
    for (const Case& one : kCases) {
        const auto grammar = compile(one.schema);
        ASSERT_TRUE(grammar) << one.schema << ": " << grammar.error().what;
        for (const std::string& text : one.accepted)
            EXPECT_TRUE(grammar->matches(text)) << one.schema << " should allow " << text;
        for (const std::string& text : one.refused)
            EXPECT_FALSE(grammar->matches(text)) << one.schema << " should not allow " << text;
    }
}

TEST(Schema, CompactSpacingHasNoSpace) {
    const auto grammar =
        compile(R"({"properties":{"a":{"type":"array","items":{}}}})", {.spacing = Spacing::none});
    ASSERT_TRUE(grammar);
    EXPECT_TRUE(grammar->matches(R"({"a":[1,2]})"));
    EXPECT_FALSE(grammar->matches(R"({"a": [1,2]})"));
}

// A schema, and what the error must name.
const std::vector<std::pair<const char*, const char*>> kRefused = {
    {R"({"properties":{"a/b":{"not":{}}}})", "/properties/a~1b': the keyword 'not'"},
    {R"({"items":{"if":{}}})", "'/items': the keyword 'if'"},
    {R"({"minLenght":3})", "'minLenght'"},
    {R"({"type":"array","uniqueItems":true})", "'uniqueItems'"},
    {R"({"type":"number","multipleOf":0.01})", "'multipleOf'"},
    {R"({"oneOf":[{"type":"integer"},{"type":"number"}]})", "'oneOf'"},
    {R"({"type":"string","format":"regex"})", "'format'"},
    {R"j({"type":"string","pattern":"(?=a)"})j", "look-around"},
    {R"({"type":"string","pattern":"(a)\\1"})", "back references"},
    {R"({"type":"string","pattern":"\\bx"})", "word boundaries"},
    {R"({"type":"string","pattern":"(ab)+","maxLength":3})", "maxLength"},
    {R"({"type":"text"})", "there is no type 'text'"},
    {R"({"$ref":"#/nowhere"})", "refers to nothing"},
    {R"({"$ref":"http://example.com/x"})", "no pointer"},
    {R"({"allOf":[{"$ref":"#"}]})", "without end"},
    {R"({"$ref":"#"})", "matches no text"},
    {R"({"type":"object","properties":{"a":false},"required":["a"]})", "matches no text"},
    {R"({"minItems":-1})", "minItems"},
    {R"({"required":"a"})", "required"},
    {R"({"type":"string","maxLength":1000000})", "states"},
    {R"({"type":"object","properties":{"x":{}},"patternProperties":{"x":{}}})",
     "patternProperties"},
    {R"({"type":"object","properties":{"a":{}},"maxProperties":0})", "maxProperties"},
    {R"({"enum":["a"],"minLength":1})", "enum"},
};

TEST(Schema, RefusesWhatItCannotHonourAndNamesIt) {
    for (const auto& [schema, name] : kRefused) {
        const auto grammar = compile(schema);
        ASSERT_FALSE(grammar) << schema;
        EXPECT_NE(grammar.error().what.find(name), std::string::npos) << grammar.error().what;
    }
}

// Cases of the published list that are refused as a whole, and why.
const std::set<std::string> kOutside = {
    "required props",  // uniqueItems over free strings: a grammar cannot compare items
};

TEST(Schema, PublishedCases) {
    const auto path =
        heft::testing::shared_data() / "real" / "goldens" / "grammar-and-schema-goldens.json";
    HEFT_NEED_SHARED(path);
    std::ifstream file(path);
    const Json list = Json::parse(file, nullptr, false);
    ASSERT_FALSE(list.is_discarded());
    for (const Json& one : list["cases"]) {
        const bool is_schema = one["kind"] == "schema";
        const auto name = one["name"].get<std::string>();
        const auto grammar = is_schema ? Grammar::from_json_schema(one["schema"])
                                       : Grammar::from_gbnf(one["gbnf"].get<std::string>());
        EXPECT_EQ(static_cast<bool>(grammar), kOutside.count(name) == 0) << name;
        if (!grammar) continue;
        for (const Json& text : one["passing"])
            EXPECT_TRUE(grammar->matches(text.get<std::string>())) << name << ": " << text;
        for (const Json& text : one["failing"])
            EXPECT_FALSE(grammar->matches(text.get<std::string>())) << name << ": " << text;
    }
}

TEST(Schema, HostileOnesEndInASentence) {
    std::string deep = "{}";
    for (int i = 0; i < 300; ++i) deep = R"({"items":)" + deep + "}";
    Json tree = Json::parse(deep);
    EXPECT_FALSE(Grammar::from_json_schema(tree));
    // Each level doubles the one below it.
    Json defs = {{"a0", {{"type", "integer"}}}};
    for (int i = 1; i < 40; ++i) {
        const Json ref = {{"$ref", "#/$defs/a" + std::to_string(i - 1)}};
        defs["a" + std::to_string(i)] = {{"allOf", Json::array({ref, ref})}};
    }
    const auto doubled = Grammar::from_json_schema({{"$ref", "#/$defs/a39"}, {"$defs", defs}});
    EXPECT_FALSE(doubled);
}

TEST(Schema, TheDocumentListsEveryKeyword) {
    std::ifstream file(std::string(HEFT_SOURCE_DIR) + "/docs/structured-output.md");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    for (const Keyword& keyword : schema_keywords())
        EXPECT_NE(text.find("`" + std::string(keyword.name) + "`"), std::string::npos)
            << keyword.name;
}

}  // namespace
}  // namespace heft::grammar
