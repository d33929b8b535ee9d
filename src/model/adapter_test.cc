#include "model/adapter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/test_adapters.h"

namespace heft::model::test {
namespace {

using heft::testing::TempFolder;
using ::testing::HasSubstr;

TEST(Adapter, PeftOnHuggingFaceIsTakenAsItStands) {
    Rng rng(1);
    const Base base(family("llama"));
    const Matrix a = random_matrix(kRank, 16, rng);
    const Matrix b = random_matrix(16, kRank, rng);
    const Peft peft(peft_pair(kQ, a, b), R"(,"alpha_pattern":{"k_proj":60})");
    const auto checkpoint = base.huggingface({{kQ, random_matrix(16, 16, rng)}});
    for (const auto& path : {peft.folder.path(), peft.folder / "adapter_model.safetensors"}) {
        const auto adapter = load_adapter(path, checkpoint, base.config(), 0.5F);
        ASSERT_TRUE(adapter) << adapter.error().what;
        ASSERT_EQ(adapter->changes.size(), 1U);
        const LowRank* change = adapter->find(arch::Role::attn_q, 1);
        ASSERT_NE(change, nullptr);
        EXPECT_EQ(change->tensor, kQ);
        EXPECT_EQ(change->a, a.values);
        EXPECT_EQ(change->b, b.values);
        EXPECT_EQ(change->rank, kRank);
        EXPECT_EQ(change->scale, 1.0F);  // 6 / 3, times a half
        EXPECT_EQ(adapter->find(arch::Role::attn_q, 0), nullptr);
    }
}

TEST(Adapter, EmbeddingsAreRowsOfATable) {
    Rng rng(4);
    const Base base(family("llama"));
    const std::string embedding = "model.embed_tokens.weight";
    const Matrix table = random_matrix(32, kRank, rng);  // B
    const Matrix mix = random_matrix(kRank, 16, rng);    // A
    const Peft peft({{peft_name(embedding, ".lora_embedding_A"), turned(table)},
                     {peft_name(embedding, ".lora_embedding_B"), turned(mix)}});
    const Matrix weight = random_matrix(32, 16, rng);
    const auto huggingface = base.huggingface({{embedding, weight}});
    const Gguf gguf(
        {{"token_embd.weight.lora_a", table}, {"token_embd.weight.lora_b", turned(mix)}});
    const auto checkpoint = base.gguf({{"token_embd.weight", weight}});
    const auto first = load_adapter(peft.folder.path(), huggingface, base.config());
    const auto second = load_adapter(gguf.path, checkpoint, base.config());
    ASSERT_TRUE(first) << first.error().what;
    ASSERT_TRUE(second) << second.error().what;
    for (const LowRank* change :
         {first->find(arch::Role::token_embd), second->find(arch::Role::token_embd)}) {
        ASSERT_NE(change, nullptr);
        EXPECT_EQ(change->a, mix.values);
        EXPECT_EQ(change->b, table.values);
        EXPECT_EQ(change->out, 32);
        EXPECT_EQ(change->in, 16);
    }
}

TEST(Adapter, AnotherBaseIsToldByTensorAndShapes) {
    Rng rng(5);
    const Base base(family("llama"));
    const Matrix a = random_matrix(kRank, 32, rng);
    const Matrix b = random_matrix(32, kRank, rng);
    const Peft peft(peft_pair(kQ, a, b), R"(,"base_model_name_or_path":"some/model")");
    const Error shape =
        error_of(peft.folder.path(),
                 base.gguf({{"blk.1.attn_q.weight", random_matrix(16, 16, rng)}}), base.config());
    EXPECT_EQ(shape.code, Code::invalid);
    for (const char* part : {"q_proj", "[32, 32]", "blk.1.attn_q.weight is [16, 16]"})
        EXPECT_THAT(shape.what, HasSubstr(part));
    const Peft deeper(peft_pair("model.layers.2.self_attn.q_proj.weight", a, b),
                      R"(,"base_model_name_or_path":"some/model")");
    const Error missing =
        error_of(deeper.folder.path(),
                 base.gguf({{"blk.1.attn_q.weight", random_matrix(16, 16, rng)}}), base.config());
    EXPECT_EQ(missing.code, Code::invalid);
    for (const char* part : {"layers.2.self_attn.q_proj", "some/model"})
        EXPECT_THAT(missing.what, HasSubstr(part));
    const Gguf other({{"blk.1.attn_q.weight.lora_a", a}, {"blk.1.attn_q.weight.lora_b", b}},
                     "gemma");
    const Error architecture =
        error_of(other.path, base.gguf({{"blk.1.attn_q.weight", random_matrix(16, 16, rng)}}),
                 base.config());
    EXPECT_EQ(architecture.code, Code::invalid);
    EXPECT_THAT(architecture.what, HasSubstr("gemma"));
}

TEST(Adapter, AGgufPairWithoutAlphaCountsAsItIs) {
    Rng rng(6);
    const Base base(family("llama"));
    const std::string name = "blk.1.ffn_up.weight";
    const Gguf gguf({{name + ".lora_a", random_matrix(kRank, 16, rng)},
                     {name + ".lora_b", random_matrix(24, kRank, rng)}},
                    "llama", 0);
    const auto adapter = load_adapter(gguf.path, base.gguf({{name, random_matrix(24, 16, rng)}}),
                                      base.config(), -0.5F);
    ASSERT_TRUE(adapter) << adapter.error().what;
    EXPECT_EQ(adapter->changes[0].scale, -0.5F);
}

TEST(Adapter, WhatIsNoPlainPairIsRefused) {
    Rng rng(7);
    const Base base(family("llama"));
    const auto checkpoint = base.huggingface({{kQ, random_matrix(16, 16, rng)}});
    const Matrix a = random_matrix(kRank, 16, rng);
    const Matrix b = random_matrix(16, kRank, rng);
    const Matrices pair = peft_pair(kQ, a, b);
    const auto plus = [&pair](const std::string& name, const Matrix& m) {
        Matrices out = pair;
        out[name] = m;
        return out;
    };
    const struct {
        Matrices tensors;
        Code code;
        const char* part;
    } table[] = {
        {plus("base_model.model.lm_head.weight", a), Code::unsupported, "lm_head.weight"},
        {plus(peft_name(kQ, ".lora_magnitude_vector"), a), Code::unsupported, "magnitude"},
        {plus("model.layers.0.mlp.up_proj.lora_A.weight", a), Code::unsupported, "up_proj"},
        {plus("base_model.model.x.lora_A.weight", a), Code::corrupt, "one half"},
        {plus(peft_name(kQ, ".lora_A.default.weight"), a), Code::corrupt, "twice"},
        {{}, Code::corrupt, "no low-rank"},
        {peft_pair(kQ, random_matrix(kRank + 1, 16, rng), b), Code::corrupt, "one rank"},
        {peft_pair(kQ, random_matrix(5, 16, rng), random_matrix(16, 5, rng)), Code::corrupt,
         "r = 3"},
        {peft_pair(kQ, {{kRank, 4, 4}, a.values}, b), Code::unsupported, "[3, 4, 4]"},
        {peft_pair(kQ, {{0, 16}, {}}, {{16, 0}, {}}), Code::unsupported, "[0, 16]"},
    };
    for (const auto& row : table) {
        const Peft peft(row.tensors);
        const Error error = error_of(peft.folder.path(), checkpoint, base.config());
        EXPECT_EQ(error.code, row.code) << error.what;
        EXPECT_THAT(error.what, HasSubstr(row.part));
        EXPECT_THAT(error.what, HasSubstr(peft.folder.path().string()));
    }
}

TEST(Adapter, WhatIsNoAdapterIsRefused) {
    Rng rng(8);
    const Base base(family("llama"));
    const Matrices tensors = {{"blk.0.attn_q.weight", random_matrix(16, 16, rng)}};
    const auto checkpoint = base.gguf(tensors);
    const TempFolder folder;
    EXPECT_EQ(error_of(folder / "none", checkpoint, base.config()).code, Code::not_found);
    EXPECT_EQ(error_of(folder.path(), checkpoint, base.config()).code, Code::not_found);
    folder.write("adapter_config.json", std::string(kConfig) + "}");
    EXPECT_THAT(error_of(folder.path(), checkpoint, base.config()).what,
                HasSubstr("adapter_model.safetensors"));
    EXPECT_EQ(error_of(Gguf(tensors, "llama", 1, "model").path, checkpoint, base.config()).code,
              Code::invalid);
    EXPECT_THAT(
        error_of(Gguf(tensors, "llama", 1, "adapter", "vera").path, checkpoint, base.config()).what,
        HasSubstr("vera"));
}

}  // namespace
}  // namespace heft::model::test
