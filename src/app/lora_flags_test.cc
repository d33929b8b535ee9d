#include "app/lora_flags.h"

#include <algorithm>

#include <CLI/CLI.hpp>
#include <gtest/gtest.h>

#include "../../tests/temp_folder.h"

namespace heft::app {
namespace {

TEST(LoraFlags, APathAndPerhapsAScale) {
    const struct {
        const char* argument;
        const char* path;
        float scale;
    } table[] = {
        {"adapter", "adapter", 1}, {"a/b.gguf:0.5", "a/b.gguf", 0.5F},
        {"a:-1", "a", -1},         {"a:+2e-1", "a", 0.2F},
        {"a:b:2", "a:b", 2},       {"a:b", "a:b", 1},
        {"a:", "a:", 1},           {"a:1x", "a:1x", 1},
        {"./dir:0", "./dir", 0},
    };
    for (const auto& row : table) {
        const auto parsed = parse_lora(row.argument);
        ASSERT_TRUE(parsed) << row.argument;
        EXPECT_EQ(parsed->path, row.path) << row.argument;
        EXPECT_EQ(parsed->scale, row.scale) << row.argument;
    }
}

TEST(LoraFlags, AFileOfThatNameIsMeantWhole) {
    const testing::TempFolder folder;
    const auto path = folder / "adapter:2";
    std::filesystem::create_directory(path);
    const auto parsed = parse_lora(path.string());
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->path, path);
    EXPECT_EQ(parsed->scale, 1);
}

TEST(LoraFlags, WhatIsNoAdapterIsRefused) {
    for (const char* argument : {"", ":1", "a:inf", "a:nan", "a:1e99", "a:-1e99"})
        EXPECT_FALSE(parse_lora(argument)) << argument;
}

TEST(LoraFlags, MayBeRepeatedBeforeAPositional) {
    CLI::App app;
    std::vector<std::string> adapters;
    std::string model;
    add_lora(app, adapters);
    app.add_option("MODEL", model);
    std::vector<std::string> arguments = {"--lora", "a:0.5", "--lora", "b", "tiny"};
    std::reverse(arguments.begin(), arguments.end());
    app.parse(arguments);
    EXPECT_EQ(adapters, (std::vector<std::string>{"a:0.5", "b"}));
    EXPECT_EQ(model, "tiny");
}

}  // namespace
}  // namespace heft::app
