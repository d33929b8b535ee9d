#include "app/ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace heft::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Ids, EverySpellingOfAListIsTheSameList) {
    for (const char* text : {"1,2,3", "1 2 3", "[1, 2, 3]", " 1,\n2,\t3 ", "1,,2,3,"}) {
        const auto ids = parse_ids(text, "--ids", 0);
        ASSERT_TRUE(ids) << text;
        EXPECT_THAT(*ids, ElementsAre(1, 2, 3)) << text;
    }
}

TEST(Ids, NothingIsAnEmptyList) {
    const auto ids = parse_ids("[]", "--ids", 10);
    ASSERT_TRUE(ids);
    EXPECT_THAT(*ids, IsEmpty());
}

TEST(Ids, WhatIsNotANumberIsNamed) {
    for (const char* text : {"1,x", "1.5", "99999999999", "0x10", "1-2"}) {
        const auto numbers = parse_numbers(text, "--at");
        ASSERT_FALSE(numbers) << text;
        EXPECT_EQ(numbers.error().code, Code::invalid);
        EXPECT_THAT(numbers.error().what, HasSubstr("--at"));
    }
}

TEST(Ids, OnlyIdsOfTheVocabularyPass) {
    EXPECT_TRUE(parse_ids("0,9", "--ids", 10));
    EXPECT_FALSE(parse_ids("10", "--ids", 10));
    EXPECT_FALSE(parse_ids("-1", "--ids", 10));
    EXPECT_FALSE(parse_ids("-1", "--ids", 0));
}

}  // namespace
}  // namespace heft::app
