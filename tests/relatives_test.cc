// Families without a reference checkpoint of their own: the checkpoint of a relative, written the
// way they are published, must give the relative's logits.
#include <cmath>

#include <gtest/gtest.h>

#include "checkpoint_files.h"
#include "convert/to_gguf.h"
#include "golden_data.h"
#include "golden_run.h"

namespace heft {
namespace {

using testing::Array;
using testing::Files;
using testing::Golden;
using testing::in_units;
using testing::Json;
using testing::stacked;

constexpr double kBound = 2e-4;  // as for the checkpoints themselves

std::string layer_name(int layer, const std::string& rest) {
    return "model.layers." + std::to_string(layer) + "." + rest;
}

// ---- what makes one family's checkpoint of another's

void make_internlm2(Files& f) {
    for (int layer = 0; layer < f.number("num_hidden_layers"); ++layer)
        for (const std::string end : {".weight", ".bias"}) {
            std::vector<Array> parts;
            for (const char* part : {"q_proj", "k_proj", "v_proj"})
                parts.push_back(f.take(layer_name(layer, std::string("self_attn.") + part + end)));
            f.tensors[layer_name(layer, "attention.wqkv" + end)] =
                in_units(parts, f.number("num_key_value_heads"));
        }
    f.rename("self_attn.o_proj", "attention.wo");
    f.rename("mlp.gate_proj", "feed_forward.w1");
    f.rename("mlp.up_proj", "feed_forward.w3");
    f.rename("mlp.down_proj", "feed_forward.w2");
    f.rename("input_layernorm", "attention_norm");
    f.rename("post_attention_layernorm", "ffn_norm");
    f.rename("embed_tokens", "tok_embeddings");
    f.rename("lm_head", "output");
}

void make_baichuan(Files& f) {
    for (int layer = 0; layer < f.number("num_hidden_layers"); ++layer) {
        std::vector<Array> parts;
        for (const char* part : {"q_proj", "k_proj", "v_proj"})
            parts.push_back(
                f.take(layer_name(layer, std::string("self_attn.") + part + ".weight")));
        f.tensors[layer_name(layer, "self_attn.W_pack.weight")] = stacked(parts);
    }
    f.config.erase("num_key_value_heads");
    f.config["model_max_length"] = f.config["max_position_embeddings"];
    f.config.erase("max_position_embeddings");
}

// Multipliers, and weights that they make what they were.
void make_granite(Files& f) {
    const float d_head = 16;
    f.config["embedding_multiplier"] = 4;
    f.scale("embed_tokens.weight", 1 / 4.0F);
    f.config["residual_multiplier"] = 0.5;
    f.scale("o_proj.weight", 2);
    f.scale("down_proj.weight", 2);
    f.scale("output_linear.weight", 2);
    f.config["attention_multiplier"] = 0.0625;
    f.scale("q_proj.weight", 16 / std::sqrt(d_head));
    f.config["logits_scaling"] = 8;
    f.scale("lm_head.weight", 8);
}

void make_granite_moe(Files& f) {
    for (int layer = 0; layer < f.number("num_hidden_layers"); ++layer) {
        const std::string block = layer_name(layer, "block_sparse_moe.");
        std::vector<Array> in;
        std::vector<Array> out;
        for (int e = 0; e < f.number("num_local_experts"); ++e) {
            const std::string expert = block + "experts." + std::to_string(e);
            in.push_back(f.take(expert + ".w1.weight"));
            in.push_back(f.take(expert + ".w3.weight"));
            out.push_back(f.take(expert + ".w2.weight"));
        }
        const auto stack = [&](const std::vector<Array>& parts) {
            Array all = stacked(parts);
            const std::int64_t n = f.number("num_local_experts");
            all.shape = {n, all.shape[0] / n, all.shape[1]};
            return all;
        };
        f.tensors[block + "input_linear.weight"] = stack(in);
        f.tensors[block + "output_linear.weight"] = stack(out);
    }
    f.rename("block_sparse_moe.gate", "block_sparse_moe.router.layer");
    make_granite(f);
}

void make_minicpm(Files& f) {
    const double layers = f.number("num_hidden_layers");
    const auto width = static_cast<float>(f.number("hidden_size"));
    f.config["scale_emb"] = 4;
    f.scale("embed_tokens.weight", 1 / 4.0F);
    f.config["scale_depth"] = 1.4;
    const auto depth = static_cast<float>(std::sqrt(layers) / 1.4);
    f.scale("o_proj.weight", depth);
    f.scale("down_proj.weight", depth);
    f.config["dim_model_base"] = 16;
    f.scale("lm_head.weight", width / 16);
}

void make_smollm3(Files& f) {
    f.config["no_rope_layers"] = std::vector<int>(f.number("num_hidden_layers"), 1);
}

void make_ministral3(Files& f) {
    f.config["head_dim"] = f.number("hidden_size") / f.number("num_attention_heads");
    f.config["rope_parameters"] = f.config["rope_scaling"];
    f.config["rope_parameters"]["rope_theta"] = f.config["rope_theta"];
    f.config.erase("rope_scaling");
    f.config.erase("rope_theta");
}

// Layers that guess further tokens are left out.
void make_mimo(Files& f) {
    f.config["num_nextn_predict_layers"] = 1;
    f.tensors["model.mtp_layers.0.input_proj.weight"] = {{2, 2}, {1, 2, 3, 4}};
}

// Inside a larger model, whose own configuration says whether the output is tied.
void make_qwen3_vl(Files& f) {
    Json text = f.config;
    text.erase("tie_word_embeddings");
    f.config = {{"model_type", "qwen3_vl"}, {"text_config", text}, {"tie_word_embeddings", true}};
    f.rename("model.", "model.language_model.");
    f.tensors["model.visual.merger.weight"] = {{2, 2}, {1, 2, 3, 4}};
}

void make_kimi_k25(Files& f) {
    f.config = {{"model_type", "kimi_k25"}, {"text_config", f.config}};
    f.rename("model.", "language_model.model.");
    f.rename("lm_head.", "language_model.lm_head.");
}

// As the Hugging Face library saves it, which leaves out what its class fixes.
void leave_out_scoring(Files& f) {
    for (const char* key : {"scoring_func", "topk_method", "norm_topk_prob",
                            "routed_scaling_factor", "n_shared_experts", "moe_layer_freq"})
        f.config.erase(key);
}

// Windows wider than the prompt, of three layers in four.
void make_olmo3(Files& f) {
    f.config["sliding_window"] = 64;
}

void make_glm(Files& f) {
    const std::int64_t d_head = f.number("hidden_size") / f.number("num_attention_heads");
    f.config["head_dim"] = d_head;
    f.config["partial_rotary_factor"] = 1.0;
    for (int layer = 0; layer < f.number("num_hidden_layers"); ++layer) {
        for (const char* part : {"self_attn.q_proj.weight", "self_attn.k_proj.weight"}) {
            Array& array = f.tensors.at(layer_name(layer, part));
            array = neighbours(array, d_head);
        }
        const Array gate = f.take(layer_name(layer, "mlp.gate_proj.weight"));
        const Array up = f.take(layer_name(layer, "mlp.up_proj.weight"));
        f.tensors[layer_name(layer, "mlp.gate_up_proj.weight")] = stacked({gate, up});
    }
}

void make_starcoder2(Files& f) {
    f.rename("gpt_neox.", "model.");
    for (int layer = 0; layer < f.number("num_hidden_layers"); ++layer)
        for (const std::string end : {".weight", ".bias"}) {
            const auto parts =
                out_of_units(f.take(layer_name(layer, "attention.query_key_value" + end)),
                             f.number("num_attention_heads"));
            f.tensors[layer_name(layer, "self_attn.q_proj" + end)] = parts[0];
            f.tensors[layer_name(layer, "self_attn.k_proj" + end)] = parts[1];
            f.tensors[layer_name(layer, "self_attn.v_proj" + end)] = parts[2];
        }
    f.rename("attention.dense", "self_attn.o_proj");
    f.rename("mlp.dense_h_to_4h", "mlp.c_fc");
    f.rename("mlp.dense_4h_to_h", "mlp.c_proj");
    f.rename("final_layer_norm", "norm");
    f.rename("embed_in", "embed_tokens");
    f.rename("embed_out", "lm_head");
    f.config["norm_epsilon"] = f.config["layer_norm_eps"];
    f.config["num_key_value_heads"] = f.config["num_attention_heads"];
    f.config["partial_rotary_factor"] = f.config["rotary_pct"];
    f.config["rope_theta"] = f.config["rotary_emb_base"];
    for (const char* key : {"layer_norm_eps", "rotary_pct", "rotary_emb_base"}) f.config.erase(key);
}

// Many heads for keys and values: q, k and v come head by head.
void make_big_code(Files& f) {
    f.config["multi_query"] = false;
    for (auto& [name, array] : f.tensors) {
        const bool in_block =
            name.find("attn.c_") != std::string::npos || name.find("mlp.c_") != std::string::npos;
        if (in_block && name.ends_with(".weight")) array = turned(array);
        if (name.find("attn.c_attn") == std::string::npos) continue;
        const std::int64_t third = array.rows() / 3;
        array = in_units({rows_of(array, 0, third), rows_of(array, third, third),
                          rows_of(array, 2 * third, third)},
                         f.number("n_head"));
    }
}

void as_it_is(Files&) {}

struct Relative {
    const char* name;  // the test's
    const char* model_type;
    const char* golden;
    void (*make)(Files&);
    bool gguf = true;  // false: GGUF has no key for what differs from the published models
};

void PrintTo(const Relative& relative, std::ostream* out) {
    *out << relative.golden;
}

constexpr Relative kRelatives[] = {
    {"internlm2", "internlm2", "qwen2_yarn", make_internlm2},
    {"baichuan", "baichuan", "llama2", make_baichuan},
    {"granite", "granite", "llama3", make_granite},
    {"granitemoe", "granitemoe", "mixtral", make_granite_moe},
    {"minicpm", "minicpm", "llama3", make_minicpm},
    {"smollm3", "smollm3", "qwen2_yarn", make_smollm3},
    {"ministral3", "ministral3", "qwen2_yarn", make_ministral3},
    {"mimo", "mimo", "qwen2", make_mimo},
    {"qwen3_vl", "qwen3_vl_text", "qwen3", make_qwen3_vl},
    {"kimi_k2", "kimi_k2", "deepseek_v3", as_it_is},
    {"kimi_k25", "kimi_k2", "deepseek_v3", make_kimi_k25},
    {"deepseek_v3", "deepseek_v3", "deepseek_v3", leave_out_scoring},
    {"olmo3", "olmo3", "olmo2", make_olmo3},
    {"glm", "glm", "llama2", make_glm},
    {"starcoder2", "starcoder2", "gpt_neox_seq", make_starcoder2, false},
    {"gpt_bigcode", "gpt_bigcode", "gpt2", make_big_code},
};

// ---- running them

double error_of(const testing::Loaded& loaded, const Golden& golden) {
    ThreadPool pool{1};
    op::Context context{pool, kernel::best(), op::Precision::f32};
    const auto length = static_cast<int>(golden.prompt.size());
    return testing::worst(testing::errors(golden, testing::run(loaded, context, golden, {length})));
}

class RelativesTest : public ::testing::TestWithParam<Relative> {};

TEST_P(RelativesTest, GivesTheLogitsOfTheCheckpointItIsMadeOf) {
    const Relative& relative = GetParam();
    const auto origin = testing::golden_folder(relative.golden);
    ASSERT_FALSE(origin.empty()) << relative.golden;
    const Golden golden = testing::read_golden(origin);
    Files files = testing::read_files(origin);
    files.config["model_type"] = relative.model_type;
    relative.make(files);
    const testing::TempFolder folder;
    testing::write_files(files, folder);
    const auto loaded = testing::load(folder.path());
    ASSERT_TRUE(loaded);
    EXPECT_LE(error_of(*loaded, golden), kBound);
    if (!relative.gguf) return;
    convert::GgufOptions options;
    options.matrices = DType::f32;
    const auto gguf = folder / "model.gguf";
    const auto written =
        convert::to_gguf(loaded->checkpoint, loaded->model.config(), nullptr, options, gguf);
    ASSERT_TRUE(written) << written.error().what;
    const auto converted = testing::load(gguf);
    ASSERT_TRUE(converted);
    EXPECT_LE(error_of(*converted, golden), kBound) << "as GGUF";
}

INSTANTIATE_TEST_SUITE_P(Families, RelativesTest, ::testing::ValuesIn(kRelatives),
                         [](const auto& relative) { return std::string(relative.param.name); });

}  // namespace
}  // namespace heft
