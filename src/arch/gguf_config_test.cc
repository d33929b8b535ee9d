// What GGUF files leave unsaid, or say in an older or newer way, is read as llama.cpp reads it.
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "arch/arch.h"
#include "arch/tensors.h"
#include "format/gguf_writer.h"

namespace heft::arch {
namespace {

// The metadata of a small file, with an embedding matrix and whatever a test adds.
class GgufFile {
  public:
    explicit GgufFile(const std::string& architecture) : prefix_(architecture + ".") {
        writer_.set_string("general.architecture", architecture);
        size("embedding_length", 64)
            .size("block_count", 8)
            .size("feed_forward_length", 96)
            .size("context_length", 1024)
            .size("attention.head_count", 4);
        tensor("token_embd.weight", {4, 64});
    }

    GgufFile& size(const char* key, std::uint32_t value) {
        writer_.set(prefix_ + key, value);
        return *this;
    }
    GgufFile& number(const char* key, float value) {
        writer_.set(prefix_ + key, value);
        return *this;
    }
    GgufFile& text(const char* key, const char* value) {
        writer_.set_string(prefix_ + key, value);
        return *this;
    }
    GgufFile& sizes(const char* key, const std::vector<std::uint32_t>& values) {
        writer_.set_array<std::uint32_t>(prefix_ + key, std::span<const std::uint32_t>(values));
        return *this;
    }
    GgufFile& flags(const char* key, const std::array<bool, 8>& values) {
        writer_.set_array<bool>(prefix_ + key, std::span<const bool>(values));
        return *this;
    }
    GgufFile& tensor(const std::string& name, Shape shape) {
        format::TensorSource source;
        source.name = name;
        source.shape = shape;
        std::size_t count = sizeof(float);
        for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
        source.produce = [count](const format::ByteSink& sink) {
            return sink(std::vector<std::byte>(count));
        };
        writer_.add(std::move(source));
        return *this;
    }
    GgufFile& experts(std::uint32_t count, std::uint32_t used) {
        return size("expert_count", count).size("expert_used_count", used);
    }

    // The file outlives the checkpoint.
    format::Checkpoint open() {
        bytes_ = std::move(*writer_.to_memory());
        return std::move(*format::Checkpoint::from_gguf(bytes_, "test"));
    }
    Result<Config> read() { return read_config(open()); }

  private:
    std::string prefix_;
    format::GgufWriter writer_;
    std::vector<std::byte> bytes_;
};

TEST(GgufConfig, NumbersOfAllLayersAreOneOrAnError) {
    const auto same = GgufFile("llama").sizes("attention.head_count_kv", {2, 2, 2, 2}).read();
    ASSERT_TRUE(same) << same.error().what;
    EXPECT_EQ(same->n_kv, 2);
    const auto mixed = GgufFile("llama").sizes("attention.head_count_kv", {2, 4, 2, 2}).read();
    ASSERT_FALSE(mixed);
    EXPECT_EQ(mixed.error().code, Code::unsupported);
    EXPECT_NE(mixed.error().what.find("attention.head_count_kv"), std::string::npos);
}

TEST(GgufConfig, AFactorWithoutATypeIsLinear) {
    const auto linear = GgufFile("llama").number("rope.scaling.factor", 4).read();
    ASSERT_TRUE(linear);
    EXPECT_EQ(linear->rope.scaling, Scaling::linear);
    EXPECT_EQ(linear->rope.factor, 4);
    const auto old = GgufFile("llama").number("rope.scale_linear", 2).read();
    ASSERT_TRUE(old);
    EXPECT_EQ(old->rope.scaling, Scaling::linear);
    EXPECT_EQ(old->rope.factor, 2);
    const auto zero = GgufFile("llama").number("rope.scaling.factor", 0).read();
    ASSERT_TRUE(zero) << zero.error().what;
    EXPECT_EQ(zero->rope.scaling, Scaling::none);
    const auto none =
        GgufFile("llama").text("rope.scaling.type", "none").number("rope.scaling.factor", 4).read();
    ASSERT_TRUE(none);
    EXPECT_EQ(none->rope.scaling, Scaling::none);
}

TEST(GgufConfig, YarnLogMultiplierIsATenthInDeepseeksFilesOnly) {
    const auto yarn = [](GgufFile file, float multiplier) {
        return file.text("rope.scaling.type", "yarn")
            .number("rope.scaling.factor", 40)
            .number("rope.scaling.yarn_log_multiplier", multiplier)
            .read();
    };
    GgufFile latent("deepseek2");
    latent.size("attention.kv_lora_rank", 32)
        .size("rope.dimension_count", 8)
        .size("attention.key_length_mla", 24)
        .size("attention.value_length_mla", 16);
    const auto deepseek = yarn(latent, 0.0707F);
    ASSERT_TRUE(deepseek) << deepseek.error().what;
    EXPECT_NEAR(deepseek->rope.mscale_all, 0.707, 1e-6);
    EXPECT_DOUBLE_EQ(deepseek->rope.magnitude, 1);
    const double sharpened = 0.0707 * std::log(40.0) + 1;
    EXPECT_NEAR(deepseek->attn_scale, sharpened * sharpened / std::sqrt(24.0), 1e-6);
    const auto mistral = yarn(GgufFile("mistral3"), 1);
    ASSERT_TRUE(mistral) << mistral.error().what;
    EXPECT_EQ(mistral->rope.mscale_all, 1);
    EXPECT_DOUBLE_EQ(mistral->rope.magnitude, 1);
    const auto none = yarn(GgufFile("mistral3"), 0);
    ASSERT_TRUE(none);
    EXPECT_DOUBLE_EQ(none->rope.magnitude, 0.1 * std::log(40.0) + 1);
}

TEST(GgufConfig, TheFirstFilesOfGemma2LackKeys) {
    const auto old = GgufFile("gemma2").read();
    ASSERT_TRUE(old) << old.error().what;
    EXPECT_EQ(old->attn_cap, 50);
    EXPECT_EQ(old->logit_cap, 30);
    EXPECT_EQ(old->window, 4096);
    EXPECT_TRUE(old->is_sliding(0));
    EXPECT_FALSE(old->is_sliding(1));
    const auto told = GgufFile("gemma2")
                          .number("attn_logit_softcapping", 0)
                          .size("attention.sliding_window", 0)
                          .read();
    ASSERT_TRUE(told);
    EXPECT_EQ(told->attn_cap, 0);
    EXPECT_EQ(told->window, 0);
}

TEST(GgufConfig, SlidingLayersAreImpliedOrListed) {
    struct Case {
        const char* architecture;
        int period;
    };
    for (const Case& c :
         {Case{"gemma3", 6}, Case{"gpt-oss", 2}, Case{"cohere2", 4}, Case{"olmo2", 4}}) {
        const auto config = GgufFile(c.architecture).size("attention.sliding_window", 16).read();
        ASSERT_TRUE(config) << c.architecture << ": " << config.error().what;
        for (int layer = 0; layer < config->n_layer; ++layer)
            EXPECT_EQ(config->is_sliding(layer), (layer + 1) % c.period != 0) << c.architecture;
    }
    const std::array<bool, 8> list{true, false, false, true, true, true, true, false};
    const auto config = GgufFile("olmo2")
                            .size("attention.sliding_window", 16)
                            .flags("attention.sliding_window_pattern", list)
                            .read();
    ASSERT_TRUE(config);
    for (std::size_t layer = 0; layer < list.size(); ++layer)
        EXPECT_EQ(config->is_sliding(static_cast<int>(layer)), list[layer]);
}

TEST(GgufConfig, SlidingLayersOfOlmo3RotateUnscaled) {
    const auto config = GgufFile("olmo2")
                            .size("attention.sliding_window", 16)
                            .number("rope.freq_base", 500000)
                            .text("rope.scaling.type", "yarn")
                            .number("rope.scaling.factor", 8)
                            .read();
    ASSERT_TRUE(config);
    EXPECT_EQ(config->rope.scaling, Scaling::yarn);
    EXPECT_EQ(config->local_rope.scaling, Scaling::none);
    EXPECT_EQ(config->local_rope.theta, 500000);
    EXPECT_EQ(config->local_rope.dim, config->rope.dim);
}

TEST(GgufConfig, Llama4SaysByAWindowOfZeroThatAllLayersSeeEverything) {
    const auto file = [](std::uint32_t experts) {
        GgufFile out("llama4");
        out.experts(experts, 1).size("expert_feed_forward_length", 32);
        return out;
    };
    const auto scout = file(16).read();
    ASSERT_TRUE(scout) << scout.error().what;
    EXPECT_EQ(scout->window, 8192);
    EXPECT_EQ(scout->block.qk_norm, QkNorm::unit);
    EXPECT_EQ(scout->sliding, scout->rotates);
    EXPECT_FALSE(scout->is_rotating(3));
    const auto maverick = file(128).size("interleave_moe_layer_step", 2).read();
    ASSERT_TRUE(maverick);
    EXPECT_EQ(maverick->block.qk_norm, QkNorm::none);
    EXPECT_FALSE(maverick->is_sparse(0));
    EXPECT_TRUE(maverick->is_sparse(1));
    const auto whole = file(16).size("attention.sliding_window", 0).read();
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->window, 0);
    EXPECT_TRUE(whole->is_rotating(3));
    EXPECT_EQ(whole->tune, 0);
}

TEST(GgufConfig, ExpertsOfQwenShareTheWidthWhereNoKeySaysIt) {
    const auto config =
        GgufFile("qwen2moe").experts(8, 4).tensor("blk.7.ffn_up_shexp.weight", {96, 64}).read();
    ASSERT_TRUE(config) << config.error().what;
    EXPECT_EQ(config->experts.d_ff, 24);
    EXPECT_EQ(config->experts.d_shared, 96);
    EXPECT_FALSE(config->experts.normalise);
}

TEST(GgufConfig, ExpertsOfOldMixturesHaveATensorEach) {
    GgufFile file("llama");
    file.experts(2, 1);
    for (const char* name : {"ffn_gate", "ffn_up"})
        for (const char* expert : {"0", "1"})
            file.tensor(std::string("blk.0.") + name + "." + expert + ".weight", {96, 64});
    const format::Checkpoint checkpoint = file.open();
    const auto config = read_config(checkpoint);
    ASSERT_TRUE(config) << config.error().what;
    int found = 0;
    for (const Tensor& tensor : config->family->tensors) {
        if (tensor.role != Role::expert_up) continue;
        const auto at = locate(checkpoint, *config, tensor, 0, 1);
        ASSERT_TRUE(at) << at.error().what;
        if (at->view == nullptr) continue;
        EXPECT_EQ(at->view->name, "blk.0.ffn_up.1.weight");
        EXPECT_EQ(at->expert, 0);
        ++found;
    }
    EXPECT_EQ(found, 1);
    EXPECT_TRUE(unplaced(checkpoint, *config).empty());
}

}  // namespace
}  // namespace heft::arch
