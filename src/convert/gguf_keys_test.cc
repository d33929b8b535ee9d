// The metadata that is written: what llama.cpp asks for, and what heft reads back the same.
#include "convert/gguf_keys.h"

#include <cmath>
#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include "../../tests/temp_folder.h"
#include "arch/arch.h"
#include "format/checkpoint.h"

namespace heft::convert {
namespace {

// A configuration, read from config.json, written as GGUF metadata, and read again.
class GgufKeysTest : public ::testing::Test {
  protected:
    void SetUp() override {
        const std::string header =
            R"({"model.norm.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
        const std::uint64_t size = header.size();
        std::string file(sizeof size, '\0');
        std::memcpy(file.data(), &size, sizeof size);
        folder_.write("model.safetensors", file + header + std::string(4, '\0'));
    }

    Status write(const std::string& model_type, const std::string& more) {
        folder_.write("config.json",
                      R"({"model_type":")" + model_type
                          + R"(","hidden_size":64,"num_hidden_layers":4,"num_attention_heads":4,)"
                            R"("num_key_value_heads":2,"intermediate_size":96,"vocab_size":8,)"
                            R"("max_position_embeddings":1024)"
                          + (more.empty() ? "" : "," + more) + "}");
        HEFT_TRY(const format::Checkpoint source, format::Checkpoint::open(folder_.path()));
        HEFT_TRY(before_, arch::read_config(source));
        format::GgufWriter writer;
        HEFT_OK(set_config(writer, before_));
        format::TensorSource embedding;
        embedding.name = "token_embd.weight";
        embedding.shape = {8, 64};
        embedding.produce = [](const format::ByteSink& sink) {
            return sink(std::vector<std::byte>(8 * 64 * sizeof(float)));
        };
        writer.add(std::move(embedding));
        HEFT_TRY(bytes_, writer.to_memory());
        HEFT_TRY(const format::Checkpoint written, format::Checkpoint::from_gguf(bytes_, "test"));
        metadata_ = written.metadata();
        HEFT_TRY(after_, arch::read_config(written));
        return {};
    }

    heft::testing::TempFolder folder_;
    std::vector<std::byte> bytes_;
    format::Metadata metadata_;
    arch::Config before_, after_;
};

constexpr const char* kLatent =
    R"("kv_lora_rank":32,"q_lora_rank":24,"qk_rope_head_dim":8,"qk_nope_head_dim":16,)"
    R"("v_head_dim":16,"n_routed_experts":8,"num_experts_per_tok":2,"n_shared_experts":2,)"
    R"("moe_intermediate_size":32,"first_k_dense_replace":1,"n_group":1,"topk_group":1,)"
    R"("rope_scaling":{"type":"yarn","factor":40,"mscale":0.707,"mscale_all_dim":0.707,)"
    R"("original_max_position_embeddings":256})";

TEST_F(GgufKeysTest, LatentAttentionHasAllHeadsAndCountsItsSharedExperts) {
    const Status done = write("deepseek_v2", kLatent);
    ASSERT_TRUE(done) << done.error().what;
    EXPECT_EQ(metadata_.integer("deepseek2.attention.head_count_kv"), 4);
    EXPECT_EQ(metadata_.integer("deepseek2.expert_shared_count"), 2);
    EXPECT_EQ(metadata_.integer("deepseek2.leading_dense_block_count"), 1);
    EXPECT_EQ(metadata_.find("deepseek2.interleave_moe_layer_step"), nullptr);
    EXPECT_NEAR(*metadata_.number("deepseek2.rope.scaling.yarn_log_multiplier"), 0.0707, 1e-7);
    EXPECT_EQ(metadata_.find("deepseek2.rope.scaling.attn_factor"), nullptr);
    EXPECT_EQ(after_.n_kv, before_.n_kv);
    EXPECT_EQ(after_.experts.d_shared, before_.experts.d_shared);
    EXPECT_FLOAT_EQ(after_.attn_scale, before_.attn_scale);
    EXPECT_DOUBLE_EQ(after_.rope.magnitude, before_.rope.magnitude);
}

TEST_F(GgufKeysTest, YarnsFactorsAreSaidOnTopOfTheUsualOnes) {
    const Status done =
        write("ministral3",
              R"("rope_parameters":{"rope_type":"yarn","factor":16,"mscale":1,"mscale_all_dim":1,)"
              R"("original_max_position_embeddings":256,"rope_theta":1e6,)"
              R"("llama_4_scaling_beta":0.1})");
    ASSERT_TRUE(done) << done.error().what;
    EXPECT_EQ(metadata_.number("mistral3.rope.scaling.yarn_log_multiplier"), 1);
    EXPECT_EQ(metadata_.find("mistral3.rope.scaling.attn_factor"), nullptr);
    EXPECT_DOUBLE_EQ(after_.rope.magnitude, 1);
    ASSERT_TRUE(write("qwen2",
                      R"("rope_scaling":{"type":"yarn","factor":4,)"
                      R"("attention_factor":1.5,"original_max_position_embeddings":256})"));
    EXPECT_NEAR(after_.rope.magnitude, 1.5, 1e-6);
}

TEST_F(GgufKeysTest, ScalesOfOneAreWrittenWhereReadersHaveOthers) {
    ASSERT_TRUE(write("cohere", R"("logit_scale":1)"));
    EXPECT_EQ(after_.logit_scale, 1);
    ASSERT_TRUE(write("minicpm", R"("scale_emb":1,"scale_depth":2,"dim_model_base":64)"));
    EXPECT_EQ(metadata_.number("minicpm.embedding_scale"), 1);
    EXPECT_EQ(metadata_.number("minicpm.residual_scale"), 1);
    EXPECT_EQ(metadata_.number("minicpm.logit_scale"), 1);
    EXPECT_EQ(after_.embedding_scale, 1);
}

TEST_F(GgufKeysTest, GraniteHasASharedExpertWhereTheConfigSaysSo) {
    ASSERT_TRUE(write("granitemoeshared", R"("num_local_experts":4,"num_experts_per_tok":2,)"
                                          R"("shared_intermediate_size":48,"logits_scaling":8)"));
    EXPECT_EQ(metadata_.integer("granitemoe.expert_shared_feed_forward_length"), 48);
    EXPECT_EQ(after_.experts.d_shared, 48);
    EXPECT_EQ(after_.logit_scale, 0.125);
}

TEST_F(GgufKeysTest, LayersWithExpertsAreSaidByTheirStep) {
    constexpr const char* kExperts = R"("num_experts":8,"num_experts_per_tok":2,)"
                                     R"("moe_intermediate_size":32,"norm_topk_prob":true)";
    ASSERT_TRUE(write("qwen3_moe", std::string(kExperts) + R"(,"decoder_sparse_step":2)"));
    EXPECT_EQ(after_.experts.sparse, (std::vector<bool>{false, true, false, true}));
    const Status mixed = write("qwen3_moe", std::string(kExperts) + R"(,"mlp_only_layers":[1])");
    ASSERT_FALSE(mixed);
    EXPECT_EQ(mixed.error().code, Code::unsupported);
    ASSERT_TRUE(write("llama4_text", R"("num_local_experts":4,"num_experts_per_tok":1,)"
                                     R"("intermediate_size_mlp":128,"no_rope_layers":[1,1,1,0],)"
                                     R"("attention_chunk_size":16)"));
    EXPECT_EQ(metadata_.integer("llama4.interleave_moe_layer_step"), 1);
    EXPECT_EQ(after_.window, 16);
    EXPECT_EQ(after_.sliding, before_.sliding);
}

TEST_F(GgufKeysTest, ScalingsThatAreTensorsNeedATensorOfTheFamily) {
    constexpr const char* kLlama3 =
        R"("rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":1,)"
        R"("high_freq_factor":4,"original_max_position_embeddings":256})";
    EXPECT_TRUE(write("llama", kLlama3));
    const Status refused = write("qwen2", kLlama3);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::unsupported);
}

}  // namespace
}  // namespace heft::convert
