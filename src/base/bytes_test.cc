#include "base/bytes.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/rng.h"

namespace heft {
namespace {

TEST(ByteReader, StopsAtTheEnd) {
    const std::string text = "\x01\x02\x03\x04\x05";
    ByteReader reader(as_bytes(text));
    EXPECT_EQ(*reader.take<std::uint32_t>(), 0x04030201U);
    const auto more = reader.take<std::uint32_t>();
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().code, Code::corrupt);
    EXPECT_EQ(reader.left(), 1U);
    EXPECT_EQ(reader.take_bytes(1)->size(), 1U);
}

TEST(ByteReader, AHostileCountDoesNotWrap) {
    const std::string text(64, 'x');
    ByteReader reader(as_bytes(text));
    EXPECT_FALSE(reader.take_array(0x2000000000000001U, 8));  // times 8 is 8 modulo 2^64
    EXPECT_TRUE(reader.take_array(8, 8));
}

TEST(Json, DepthIsBounded) {
    const std::string deep = std::string(100000, '[') + std::string(100000, ']');
    EXPECT_FALSE(JsonDoc::parse(deep));
    EXPECT_FALSE(parse_json_tree(deep));
    EXPECT_TRUE(JsonDoc::parse("[[[1]]]"));
}

TEST(Json, LookUpsAnswerAbsentForNullAndOtherTypes) {
    const auto doc = JsonDoc::parse(R"({"a":null,"b":1,"c":"x","d":true,"e":1.5})");
    ASSERT_TRUE(doc);
    EXPECT_FALSE(json_find(doc->root(), "a"));
    EXPECT_EQ(json_int(doc->root(), "b"), 1);
    EXPECT_EQ(json_number(doc->root(), "b"), 1.0);
    EXPECT_EQ(json_string(doc->root(), "c"), "x");
    EXPECT_FALSE(json_string(doc->root(), "b"));
    EXPECT_EQ(json_bool(doc->root(), "d"), true);
    EXPECT_FALSE(json_int(doc->root(), "e"));
}

TEST(Rng, TheSameSeedGivesTheSameNumbersEverywhere) {
    Rng rng(1);
    // xoshiro256** after splitmix64 seeding with 1.
    const std::uint64_t first = rng.next();
    Rng again(1);
    EXPECT_EQ(again.next(), first);
    EXPECT_NE(Rng(2).next(), first);
    double sum = 0;
    for (int i = 0; i < 10000; ++i) sum += rng.uniform();
    EXPECT_NEAR(sum / 10000, 0.5, 0.02);
}

}  // namespace
}  // namespace heft
