#include "text/json_scan.h"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace heft::text {

namespace {

TEST(JsonScan, AgreesWithAParser) {
    const char* texts[] = {"{}",
                           "[]",
                           "{\"a\": [1, 2.5e-3, -0, true, null, \"x\\n\\u00e9\"]}",
                           " 12 ",
                           "-1.5",
                           "\"\"",
                           "\"\\ud83d\\ude00\"",
                           "true",
                           "{\"a\":{\"b\":[[],{}]}}",
                           "",
                           " ",
                           "{",
                           "[1,]",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{,}",
                           "01",
                           "1.",
                           "-",
                           "1e",
                           "+1",
                           ".5",
                           "\"\\x\"",
                           "\"\\ud83d\"",
                           "\"\\ud83dx\"",
                           "\"\\ude00\"",
                           "\"\\ud83d\\n\"",
                           "\"a\nb\"",
                           "tru",
                           "truex",
                           "nul",
                           "[1 2]",
                           "{\"a\" 1}",
                           "{a: 1}",
                           "{} {}",
                           "1 2",
                           "]",
                           "[}",
                           "{]",
                           "{\"a\": 1, }",
                           "[1, 2",
                           "\"\\u12g4\"",
                           "NaN",
                           "'a'",
                           "\"unfinished"};
    for (const char* text : texts) EXPECT_EQ(is_json(text), nlohmann::json::accept(text)) << text;
}

TEST(JsonScan, SaysWhereAValueEnds) {
    JsonScan object;
    EXPECT_EQ(object.feed('{'), Step::more);
    EXPECT_EQ(object.feed('}'), Step::done);
    JsonScan number;
    EXPECT_EQ(number.feed('1'), Step::more);
    EXPECT_TRUE(number.may_end());
    EXPECT_EQ(number.feed(','), Step::over);
}

TEST(JsonScan, DepthIsLimited) {
    EXPECT_TRUE(is_json(std::string(64, '[') + std::string(64, ']')));
    EXPECT_FALSE(is_json(std::string(65, '[') + std::string(65, ']')));
}

TEST(JsonScan, StringsAreWrittenSoThatAParserReadsThem) {
    std::string all;
    for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
    all += "é😀";
    std::string json;
    append_json_string(json, all);
    EXPECT_TRUE(is_json(json));
    EXPECT_EQ(nlohmann::json::parse(json).get<std::string>(), all);
    json.clear();
    append_json_string(json, "\xFF");
    EXPECT_EQ(json, "\"\xEF\xBF\xBD\"");
}

}  // namespace

}  // namespace heft::text
