#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "../../tests/shared_data.h"
#include "arch/arch.h"
#include "arch/tensors.h"

namespace heft::arch {
namespace {

// A Hugging Face folder with the given config.json and one small tensor.
class ConfigTest : public ::testing::Test {
  protected:
    void SetUp() override {
        folder_ =
            std::filesystem::temp_directory_path()
            / ("heft-config-"
               + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
        std::filesystem::create_directories(folder_);
        const std::string header =
            R"({"model.norm.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
        std::ofstream file(folder_ / "model.safetensors", std::ios::binary);
        const std::uint64_t size = header.size();
        file.write(reinterpret_cast<const char*>(&size), 8);
        file << header << std::string(4, '\0');
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    Result<Config> read(const std::string& json) {
        std::ofstream(folder_ / "config.json") << json;
        auto checkpoint = format::Checkpoint::open(folder_);
        if (!checkpoint) return checkpoint.error();
        return read_config(*checkpoint);
    }

    // The fields that every config needs, and more.
    static std::string with(const std::string& model_type, const std::string& more) {
        return R"({"model_type":")" + model_type
               + R"(","hidden_size":64,"num_hidden_layers":4,"num_attention_heads":4,)"
                 R"("num_key_value_heads":2,"intermediate_size":96,"vocab_size":320,)"
                 R"("max_position_embeddings":1024)"
               + (more.empty() ? "" : "," + more) + "}";
    }

    std::filesystem::path folder_;
};

TEST_F(ConfigTest, ReadsTheCommonNumbers) {
    const auto config = read(with("llama", R"("rms_norm_eps":1e-6,"rope_theta":500000)"));
    ASSERT_TRUE(config) << config.error().what;
    EXPECT_EQ(config->d_model, 64);
    EXPECT_EQ(config->d_head, 16);
    EXPECT_EQ(config->n_kv, 2);
    EXPECT_EQ(config->rope.theta, 500000);
    EXPECT_EQ(config->rope.dim, 16);
    EXPECT_FLOAT_EQ(config->norm_eps, 1e-6F);
    EXPECT_FALSE(config->tied);
}

TEST_F(ConfigTest, ReadsTheNewerDialectOfRopeParameters) {
    const auto config = read(with("llama", R"("rope_parameters":{"rope_theta":7777,
        "rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4,
        "original_max_position_embeddings":256})"));
    ASSERT_TRUE(config) << config.error().what;
    EXPECT_EQ(config->rope.theta, 7777);
    EXPECT_EQ(config->rope.scaling, Scaling::llama3);
    EXPECT_EQ(config->rope.original_ctx, 256);
}

TEST_F(ConfigTest, WindowsFollowTheFamilysRule) {
    EXPECT_EQ(read(with("llama", R"("sliding_window":16)"))->window, 0);
    const auto mistral = read(with("mistral", R"("sliding_window":16)"));
    EXPECT_EQ(mistral->window, 16);
    EXPECT_EQ(mistral->sliding, std::vector<bool>(4, true));
    EXPECT_EQ(read(with("mistral", R"("sliding_window":null)"))->window, 0);
    EXPECT_EQ(read(with("qwen2", R"("sliding_window":16,"use_sliding_window":false)"))->window, 0);
    const auto upper = read(
        with("qwen2", R"("sliding_window":16,"use_sliding_window":true,"max_window_layers":3)"));
    EXPECT_EQ(upper->sliding, (std::vector<bool>{false, false, false, true}));
}

// Configurations inside larger ones say only what differs from the makers' class.
TEST_F(ConfigTest, AModelInsideALargerOneMayLeaveOutAlmostAll) {
    const auto llama = read(R"({"model_type":"llava","text_config":{"model_type":"llama",
        "max_position_embeddings":4096,"rms_norm_eps":1e-5,"vocab_size":32064}})");
    ASSERT_TRUE(llama) << llama.error().what;
    EXPECT_EQ(llama->d_model, 4096);
    EXPECT_EQ(llama->n_layer, 32);
    EXPECT_EQ(llama->n_kv, 32);
    EXPECT_EQ(llama->d_ff, 11008);
    EXPECT_EQ(llama->n_ctx, 4096);
    EXPECT_FALSE(llama->tied);
    const auto gemma = read(R"({"model_type":"gemma3","text_config":{"model_type":"gemma3_text",
        "hidden_size":2560,"intermediate_size":10240,"num_hidden_layers":34,
        "rope_scaling":{"factor":8.0,"rope_type":"linear"},"sliding_window":1024}})");
    ASSERT_TRUE(gemma) << gemma.error().what;
    EXPECT_EQ(gemma->n_head, 8);
    EXPECT_EQ(gemma->n_kv, 4);
    EXPECT_EQ(gemma->d_head, 256);
    EXPECT_EQ(gemma->n_vocab, 262208);
    EXPECT_EQ(gemma->window, 1024);
    EXPECT_EQ(gemma->rope.theta, 1e6);
    EXPECT_EQ(gemma->rope.factor, 8);
    EXPECT_EQ(gemma->local_rope.theta, 1e4);
    EXPECT_FLOAT_EQ(gemma->attn_scale, 1 / 16.0F);
    EXPECT_FLOAT_EQ(gemma->norm_eps, 1e-6F);
    EXPECT_TRUE(gemma->tied);
}

TEST_F(ConfigTest, NullIsNotTheSameAsLeftOut) {
    EXPECT_EQ(read(with("mistral", ""))->window, 4096);
    EXPECT_EQ(read(with("mistral", R"("sliding_window":null)"))->window, 0);
    EXPECT_EQ(read(with("gemma", ""))->d_head, 256);
    EXPECT_EQ(read(with("gemma", R"("head_dim":null)"))->d_head, 16);
    EXPECT_EQ(read(with("gemma2", ""))->attn_cap, 50);
    EXPECT_EQ(read(with("gemma2", R"("attn_logit_softcapping":null)"))->attn_cap, 0);
}

using Layers = std::vector<bool>;

TEST_F(ConfigTest, WhatIsLeftOutIsAsTheMakersHaveIt) {
    EXPECT_EQ(read(with("stablelm", ""))->rope.dim, 4);
    EXPECT_EQ(read(with("gpt_neox", ""))->rope.dim, 4);
    EXPECT_EQ(read(with("phi", ""))->rope.dim, 8);
    EXPECT_EQ(read(with("glm4", R"("head_dim":16)"))->rope.dim, 8);
    EXPECT_EQ(read(with("mixtral", ""))->experts.n_used, 2);
    EXPECT_EQ(read(with("qwen2", R"("use_sliding_window":true)"))->window, 0);  // from layer 28 on
    const auto minicpm = read(with("minicpm", ""));
    EXPECT_TRUE(minicpm->tied);
    EXPECT_FLOAT_EQ(minicpm->embedding_scale, 1);
    EXPECT_FLOAT_EQ(minicpm->residual_scale, 0.5F);
    EXPECT_FLOAT_EQ(minicpm->logit_scale, 1 / 64.0F);
    const auto smollm3 = read(with("smollm3", ""));
    EXPECT_TRUE(smollm3->tied);
    EXPECT_EQ(smollm3->rope.theta, 2e6);
    EXPECT_EQ(smollm3->rotates, (Layers{true, true, true, false}));
    const auto deepseek = read(with("deepseek_v3", R"("n_routed_experts":16)"));
    EXPECT_EQ(deepseek->experts.score, Score::sigmoid);
    EXPECT_TRUE(deepseek->experts.normalise);
    EXPECT_FLOAT_EQ(deepseek->experts.scale, 2.5F);
}

TEST_F(ConfigTest, WindowsAndRotationGoTogether) {
    const Layers three_of_four{true, true, true, false};
    const auto cohere2 = read(with("cohere2", ""));
    EXPECT_EQ(cohere2->window, 4096);
    EXPECT_EQ(cohere2->sliding, three_of_four);
    EXPECT_EQ(cohere2->rotates, three_of_four);
    EXPECT_EQ(read(with("cohere2", R"("sliding_window":null)"))->rotates, Layers(4, false));
    const auto smollm3 = read(with("smollm3", R"("use_sliding_window":true,"sliding_window":8)"));
    EXPECT_EQ(smollm3->sliding, (Layers{false, false, false, true}));
    // Only layers that see everything stretch their rotation.
    const auto olmo3 = read(with("olmo3", R"("rope_theta":500000,"rope_scaling":{"rope_type":"yarn",
        "factor":8,"original_max_position_embeddings":128})"));
    EXPECT_EQ(olmo3->sliding, three_of_four);
    EXPECT_EQ(olmo3->rope.scaling, Scaling::yarn);
    EXPECT_EQ(olmo3->local_rope.scaling, Scaling::none);
    EXPECT_EQ(olmo3->local_rope.theta, 500000);
}

TEST_F(ConfigTest, RefusesWhatItsFamilyWouldComputeOtherwise) {
    const std::pair<const char*, const char*> cases[] = {
        {"olmoe", R"("clip_qkv":8)"},
        {"cohere", R"("use_qk_norm":true)"},
        {"stablelm", R"("qk_layernorm":true)"},
        {"deepseek_v3", R"("n_routed_experts":16,"rope_interleave":false)"},
        {"gpt_bigcode", R"("add_cross_attention":true)"},
    };
    for (const auto& [family, more] : cases) {
        const auto config = read(with(family, more));
        ASSERT_FALSE(config) << family;
        EXPECT_EQ(config.error().code, Code::unsupported) << config.error().what;
    }
}

TEST_F(ConfigTest, GemmaBelievesTheNewerActivationKeyOnly) {
    EXPECT_EQ(read(with("gemma", R"("hidden_act":"gelu")"))->block.act, Act::gelu_tanh);
    EXPECT_EQ(read(with("gemma", R"("hidden_activation":"gelu")"))->block.act, Act::gelu_erf);
    EXPECT_FLOAT_EQ(read(with("gemma", ""))->embedding_scale, 8);
    EXPECT_TRUE(read(with("gemma", ""))->tied);
}

struct Bad {
    const char* what;
    const char* more;
    Code code;
    const char* word;  // that the sentence has
};

TEST_F(ConfigTest, RefusesWhatContradictsItself) {
    const Bad cases[] = {
        {"heads", R"("num_attention_heads":5,"head_dim":8)", Code::corrupt, "key/value heads"},
        {"odd head", R"("head_dim":7)", Code::corrupt, "rotates"},
        {"huge", R"("head_dim":1000000000)", Code::corrupt, "head_dim"},
        {"activation", R"("hidden_act":"relu9")", Code::unsupported, "relu9"},
        {"scaling", R"("rope_scaling":{"type":"ntk","factor":2})", Code::unsupported, "ntk"},
        {"longrope", R"("rope_scaling":{"type":"longrope","short_factor":[1],"long_factor":[1]})",
         Code::corrupt, "longrope"},
        {"theta", R"("rope_theta":0)", Code::corrupt, "rope"},
        {"partial", R"("partial_rotary_factor":3)", Code::corrupt, "partial_rotary_factor"},
        {"epsilon", R"("rms_norm_eps":-1)", Code::corrupt, "epsilon"},
    };
    for (const Bad& bad : cases) {
        // A later duplicate must not win: the first value of a key counts for simdjson, so the
        // case's own fields stand in front.
        std::string json = with("llama", "");
        json.insert(1, std::string(bad.more) + ",");
        const auto config = read(json);
        ASSERT_FALSE(config) << bad.what;
        EXPECT_EQ(config.error().code, bad.code) << bad.what;
        EXPECT_NE(config.error().what.find(bad.word), std::string::npos) << config.error().what;
    }
}

bool is_known(std::string_view name) {
    for (const Family* family : families())
        if (name == family->name) return true;
    return false;
}

TEST_F(ConfigTest, ReadsEveryPublishedConfigurationOfAKnownFamily) {
    const auto root = testing::shared_data() / "real" / "model-configs";
    HEFT_NEED_SHARED(root);
    int seen = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        if (entry.path().extension() != ".json") continue;
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        const auto doc = JsonDoc::parse(text);
        if (!doc) continue;
        const auto inner = json_find(doc->root(), "text_config");
        const std::string name(
            json_string(inner ? *inner : doc->root(), "model_type").value_or(""));
        if (!is_known(name)) continue;
        ++seen;
        const auto config = read(text);
        const bool quantised =  // in a way that is not read
            !config && config.error().what.find("quantised by") != std::string::npos;
        if (quantised) continue;
        if (config) {
            EXPECT_GT(config->rope.theta, 1) << entry.path();
            EXPECT_EQ(config->d_model % 8, 0) << entry.path();
        } else {  // the second generation of Baichuan
            EXPECT_EQ(name, "baichuan") << entry.path() << ": " << config.error().what;
            EXPECT_EQ(config.error().code, Code::unsupported);
        }
    }
    EXPECT_GT(seen, 50);
}

TEST_F(ConfigTest, NamesAnUnknownArchitectureAndTheKnownOnes) {
    const auto config = read(with("martian", ""));
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, Code::unsupported);
    EXPECT_NE(config.error().what.find("martian"), std::string::npos);
    EXPECT_NE(config.error().what.find("qwen3"), std::string::npos);
}

TEST(Tensors, EveryFamilyHasWhatADecoderNeedsAndNamesInBothWorlds) {
    for (const Family* family : families()) {
        std::vector<bool> seen(kRoles);
        for (const Tensor& tensor : family->tensors) {
            seen[static_cast<std::size_t>(tensor.role)] = true;
            EXPECT_NE(tensor.gguf, nullptr) << family->name;
            if (tensor.hf == nullptr) continue;
            EXPECT_EQ(std::string_view(tensor.hf).find("{}") == std::string_view::npos,
                      std::string_view(tensor.gguf).find("{}") == std::string_view::npos);
        }
        const auto has = [&seen](Role role) { return seen[static_cast<std::size_t>(role)]; };
        EXPECT_TRUE(has(Role::token_embd)) << family->name;
        EXPECT_TRUE(has(Role::output)) << family->name;
        EXPECT_TRUE(has(Role::attn_q)) << family->name;
        EXPECT_TRUE(has(Role::attn_out)) << family->name;
        EXPECT_TRUE(has(Role::ffn_down) || has(Role::expert_down)) << family->name;
        EXPECT_EQ(has(Role::ffn_down) && family->block.gated, has(Role::ffn_gate)) << family->name;
        EXPECT_EQ(has(Role::expert_down), has(Role::router)) << family->name;
        EXPECT_EQ(family->block.qk_norm == QkNorm::head || family->block.qk_norm == QkNorm::whole,
                  has(Role::attn_q_norm))
            << family->name;
    }
}

TEST(Tensors, NoTwoFamiliesShareAName) {
    std::set<std::string> names;
    for (const Family* family : families())
        EXPECT_TRUE(names.insert(family->name).second) << family->name;
}

// Rows of q, k and v of two key/value heads, head by head: q0 q1 k v | q2 q3 k v.
TEST(Tensors, FusedRowsAreWalkedUnitByUnit) {
    Config config;
    config.n_head = 4;
    config.n_kv = 2;
    config.d_head = config.d_value = 3;
    const Fused k{{Dim::q, Dim::kv, Dim::kv_value}, 1, Dim::kv_heads};
    const RowWalk walk = row_walk(k, 6, config);
    std::vector<std::int64_t> rows;
    for (std::int64_t r = 0; r < 6; ++r) rows.push_back(walk(r));
    EXPECT_EQ(rows, (std::vector<std::int64_t>{6, 7, 8, 18, 19, 20}));
    const Fused whole{{Dim::q, Dim::kv, Dim::kv_value}, 2};
    EXPECT_EQ(row_walk(whole, 6, config)(0), 18);
    EXPECT_EQ(row_walk({}, 6, config)(5), 5);
}

TEST(Tensors, NamesTakeTheLayersNumber) {
    EXPECT_EQ(tensor_name("blk.{}.attn_q.weight", 12), "blk.12.attn_q.weight");
    EXPECT_EQ(tensor_name("output.weight", 12), "output.weight");
}

}  // namespace
}  // namespace heft::arch
