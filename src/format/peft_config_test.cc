#include "format/peft_config.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../tests/shared_data.h"
#include "base/mapped_file.h"

namespace heft::format {
namespace {

using ::testing::HasSubstr;

std::string with(const std::string& more) {
    return R"({"peft_type":"LORA","r":8,"lora_alpha":16)" + (more.empty() ? "" : "," + more) + "}";
}

TEST(PeftConfig, ScaleIsAlphaOverRankOrItsRoot) {
    EXPECT_EQ(parse_peft_config(with(""))->scale("q_proj", 8), 2);
    EXPECT_EQ(parse_peft_config(with(R"("use_rslora":true)"))->scale("q_proj", 16), 4);
    EXPECT_EQ(parse_peft_config(with(R"("use_rslora":false)"))->scale("q_proj", 16), 1);
}

TEST(PeftConfig, PatternsNameTheEndOfAModule) {
    const auto config = parse_peft_config(
        with(R"("alpha_pattern":{"^model.layers.1.q_proj":8,"layers\\.1.k_proj":32,"q_proj":64,)"
             R"("1.q_proj":2}, "rank_pattern":{"q_proj":4})"));
    ASSERT_TRUE(config) << config.error().what;
    EXPECT_TRUE(config->has_rank_pattern);
    EXPECT_EQ(config->scale("model.layers.1.q_proj", 1), 8);
    EXPECT_EQ(config->scale("x.model.layers.1.q_proj", 1), 64);  // the first that fits
    EXPECT_EQ(config->scale("model.layers.0.q_proj", 1), 64);
    EXPECT_EQ(config->scale("q_proj", 1), 64);
    EXPECT_EQ(config->scale("model.layers.1.k_proj", 1), 32);
    EXPECT_EQ(config->scale("model.layers.11.k_proj", 1), 16);  // the whole of a part
    EXPECT_EQ(config->scale("model.layers.1.xq_proj", 1), 16);
}

TEST(PeftConfig, WhatWouldChangeTheResultsIsRefusedByName) {
    for (const char* more :
         {R"("modules_to_save":["lm_head"])", R"("lora_bias":true)", R"("bias":"all")",
          R"("bias":"lora_only")", R"("layer_replication":[[0,2]])", R"("use_dora":true)",
          R"("use_qalora":true)", R"("use_tomorrows_idea":true)",
          R"("target_parameters":["mlp.experts.down_proj"])", R"("trainable_token_indices":[1])",
          R"("alora_invocation_tokens":[1,2])", R"("init_lora_weights":"pissa_niter_16")",
          R"("init_lora_weights":"loftq")", R"("alpha_pattern":{".*q_proj":3})",
          R"("alpha_pattern":{"q_proj":"3"})"}) {
        const auto config = parse_peft_config(with(more));
        ASSERT_FALSE(config) << more;
        EXPECT_EQ(config.error().code, Code::unsupported) << more;
        const std::string key = std::string(more).substr(1, std::string(more).find('"', 1) - 1);
        EXPECT_THAT(config.error().what, HasSubstr(key)) << more;
    }
}

TEST(PeftConfig, WhatIsOffOrOfTrainingIsNotAsked) {
    for (const char* more :
         {R"("modules_to_save":null,"use_dora":false,"bias":"none","layer_replication":null)",
          R"("modules_to_save":[],"loftq_config":{},"alpha_pattern":{},"rank_pattern":{})",
          R"("init_lora_weights":true)", R"("init_lora_weights":"gaussian")",
          R"("lora_dropout":0.1,"target_modules":"all-linear","some_new_key":[1,2])"}) {
        EXPECT_TRUE(parse_peft_config(with(more))) << more;
    }
}

TEST(PeftConfig, WhatIsMissingOrMisshapenIsSaid) {
    for (const char* json :
         {"", "[]", "{}", "{", R"({"peft_type":7})", R"({"peft_type":"LORA"})",
          R"({"peft_type":"LORA","r":0,"lora_alpha":1})",
          R"({"peft_type":"LORA","r":8.5,"lora_alpha":1})",
          R"({"peft_type":"LORA","r":-1,"lora_alpha":1})",
          R"({"peft_type":"LORA","r":99999999999,"lora_alpha":1})",
          R"({"peft_type":"LORA","r":8,"lora_alpha":"16"})", R"({"peft_type":"LORA","r":8})"}) {
        const auto config = parse_peft_config(json);
        ASSERT_FALSE(config) << json;
        EXPECT_EQ(config.error().code, Code::corrupt) << json;
    }
    const auto other = parse_peft_config(R"({"peft_type":"IA3"})");
    EXPECT_EQ(other.error().code, Code::unsupported);
    EXPECT_THAT(other.error().what, HasSubstr("IA3"));
}

TEST(PeftConfig, PublishedConfigsAreRead) {
    const auto folder = testing::shared_data() / "real" / "lora";
    HEFT_NEED_SHARED(folder);
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const auto text = read_text(entry.path() / "adapter_config.json");
        ASSERT_TRUE(text) << entry.path();
        const auto config = parse_peft_config(*text);
        ASSERT_TRUE(config) << entry.path() << ": " << config.error().what;
        EXPECT_GE(config->rank, 8);
        EXPECT_FALSE(config->base.empty());
        ++count;
    }
    EXPECT_GE(count, 7);
}

}  // namespace
}  // namespace heft::format
