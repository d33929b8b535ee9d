#include "format/yaml.h"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace heft::format {
namespace {

using Json = nlohmann::ordered_json;

std::string repeat(std::string_view text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
}

TEST(Yaml, ReadsWhatJsonCanHold) {
    const auto tree = read_yaml(R"(
name: "Licence"   # a comment
flags: {a: true, b: False, c: null, d: ~, e: }
numbers: [1, -2, +3, 0x1f, 0o17, 1.5, -.5, 1e3, 9223372036854775808]
text: ["1", 'true', no, yes, 2024-06-01, 1_000, .inf, .nan, 1.2.3, inf, nan, 0x, "-", +, 1e999]
tagged: [!!str 12, !!int 7]
folded: >-
  two
  lines
kept: |
  two
  lines
)");
    ASSERT_TRUE(tree) << tree.error().what;
    EXPECT_EQ(*tree, Json::parse(R"({
        "name":"Licence",
        "flags":{"a":true,"b":false,"c":null,"d":null,"e":null},
        "numbers":[1,-2,3,31,15,1.5,-0.5,1000.0,9223372036854775808],
        "text":["1","true","no","yes","2024-06-01","1_000",".inf",".nan","1.2.3","inf","nan","0x",
                "-","+","1e999"],
        "tagged":["12",7],
        "folded":"two lines","kept":"two\nlines\n"})"));
    EXPECT_EQ((*tree)["numbers"].dump(), "[1,-2,3,31,15,1.5,-0.5,1000.0,9223372036854775808]");
    EXPECT_TRUE(read_yaml("")->is_null());
    EXPECT_TRUE(read_yaml("# nothing\n")->is_null());
}

TEST(Yaml, KeepsTheOrderOfKeysAndFollowsAliases) {
    const auto tree = read_yaml("z: &all [1, {b: 2}]\na: *all\nm: *all\n");
    ASSERT_TRUE(tree) << tree.error().what;
    EXPECT_EQ(tree->dump(), R"({"z":[1,{"b":2}],"a":[1,{"b":2}],"m":[1,{"b":2}]})");
}

TEST(Yaml, ErrorsNameTheLine) {
    struct Case {
        const char* text;
        const char* says;
    };
    for (const auto& [text, says] : {
             Case{"a: 1\nb: [1, 2\n", "line 3"},
             {"a: 1\nb: 2\na: 3\n", "the key \"a\" is given twice (line 3)"},
             {"a: 1\n[b]: 2\n", "a key has to be a scalar (line 2)"},
             {"a: *nowhere\n", "line 1"},
             {"a: &x [1, *x]\n", "part of what it stands for (line 1)"},
             {"a: 1\n---\nb: 2\n", "more than one YAML document"},
             {"a: \"\\ud800\"\n", "line 1"},
             {"a: \xff\n", "not UTF-8"},
         }) {
        const auto tree = read_yaml(text);
        ASSERT_FALSE(tree) << text << tree->dump();
        EXPECT_NE(tree.error().what.find(says), std::string::npos) << tree.error().what;
    }
}

TEST(Yaml, TellsTheLinesOfMembersAndItems) {
    YamlLines lines;
    ASSERT_TRUE(
        read_yaml("a: 1\nlist:\n  - name: x\n    path: y\n  -\n    name: z\n  - w\n"
                  "a/b~: {c: [1,\n  2]}\nd: &d {e: 1}\nf: *d\n",
                  lines));
    for (const auto& [pointer, line] : {std::pair<const char*, int>{"/a", 1},
                                        {"/list", 2},
                                        {"/list/0", 3},
                                        {"/list/0/path", 4},
                                        {"/list/1/name", 6},
                                        {"/list/2", 7},
                                        {"/a~1b~0", 8},
                                        {"/a~1b~0/c/1", 9},
                                        {"/d/e", 10},
                                        {"/f", 11},
                                        {"/f/e", 11},           // of the alias
                                        {"/list/1/name/x", 6},  // of what is known of it
                                        {"/nowhere", 1}})
        EXPECT_EQ(line_of(lines, pointer), line) << pointer;
}

TEST(Yaml, RefusesOtherEncodings) {
    for (const std::string_view text :
         {std::string_view("a\0:\0 \0b\0", 8), std::string_view("\0\0\0a\0\0\0b", 8),
          std::string_view("\xFF\xFE\x61\0", 4), std::string_view("a: \0", 4)})
        EXPECT_FALSE(read_yaml(text));
    for (const char* escape : {R"(a: "\N")", R"("\_": 1)"}) {
        const auto read = read_yaml(escape);
        if (!read) continue;
        EXPECT_NO_THROW((void)read->dump()) << escape;
    }
}

TEST(Yaml, BoundsWhatHostileTextCosts) {
    std::string laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
    for (int i = 1; i < 12; ++i) {
        const std::string alias = "*a" + std::to_string(i - 1);
        const std::string name = "a" + std::to_string(i);
        laughs += name;
        laughs += ": &" + name + " [" + alias + repeat(", " + alias, 8) + "]\n";
    }
    const std::string large =
        "a: &a \"" + std::string(900'000, 'x') + "\"\nb: [" + repeat("*a, ", 20) + "]\n";
    const int many = 300'000;
    for (const std::string& text :
         {laughs, large, repeat("[", many), repeat("{a: ", many), repeat("- ", many),
          repeat("? ", many), repeat("&a [", 1000), repeat("!a ", 1000), repeat("- a\n", many),
          std::string(2U << 20, 'a'), "{" + repeat("{a: ", 200) + repeat("}", 201),
          repeat("[", 65) + repeat("]", 65)}) {
        EXPECT_FALSE(read_yaml(text)) << text.substr(0, 60);
    }
    EXPECT_TRUE(read_yaml(repeat("[", 64) + repeat("]", 64)));
}

TEST(Yaml, TakesJsonAsItIs) {
    EXPECT_EQ(read_yaml_or_json("{\"a\":\t[1, \"\\u00e4\"]}")->dump(), "{\"a\":[1,\"ä\"]}");
    EXPECT_EQ(read_yaml_or_json("{a: [1, b]}")->dump(), R"({"a":[1,"b"]})");
    EXPECT_EQ(read_yaml_or_json("a: 1")->dump(), R"({"a":1})");
    EXPECT_FALSE(read_yaml_or_json("{\"a\": [1,"));
}

TEST(Card, SplitsFrontMatterFromText) {
    struct Case {
        const char* text;
        const char* matter;  // nullptr: none
        const char* body;
    };
    for (const auto& [text, matter, body] : {
             Case{"---\nlicense: mit\n---\n# A\n", "license: mit\n", "# A\n"},
             {"\xEF\xBB\xBF\r\n--- \r\nlicense: mit\r\n---\r\nB", "license: mit\r\n", "B"},
             {"---\n---", "", ""},
             {"# A\n---\nlicense: mit\n---\n", nullptr, "# A\n---\nlicense: mit\n---\n"},
             {"---\nlicense: mit\n", nullptr, "---\nlicense: mit\n"},
             {"", nullptr, ""},
             {"\n\n", nullptr, "\n\n"},
         }) {
        const Card card = split_card(text);
        EXPECT_EQ(card.front_matter.has_value(), matter != nullptr) << text;
        EXPECT_EQ(card.front_matter.value_or("none"), matter == nullptr ? "none" : matter);
        EXPECT_EQ(card.body, body);
    }
}

}  // namespace
}  // namespace heft::format
