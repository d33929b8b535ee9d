// For tests: small base models and adapters of both forms, as files. Not part of the library.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "../../tests/temp_folder.h"
#include "base/rng.h"
#include "format/gguf_writer.h"
#include "format/safetensors_writer.h"
#include "model/adapter.h"

namespace heft::model::test {

struct Matrix {
    Shape shape;
    std::vector<float> values;
};
using Matrices = std::map<std::string, Matrix>;

inline constexpr int kHead = 4;
inline constexpr std::int64_t kRank = 3;

inline Matrix random_matrix(std::int64_t rows, std::int64_t cols, Rng& rng) {
    Matrix out{{rows, cols}, std::vector<float>(static_cast<std::size_t>(rows * cols))};
    for (float& x : out.values) x = static_cast<float>(rng.uniform() * 2 - 1);
    return out;
}

inline Matrix turned(const Matrix& m) {
    Matrix out{{m.shape[1], m.shape[0]}, m.values};
    for (std::int64_t r = 0; r < m.shape[0]; ++r)
        for (std::int64_t c = 0; c < m.shape[1]; ++c)
            out.values[static_cast<std::size_t>(c * m.shape[0] + r)] =
                m.values[static_cast<std::size_t>(r * m.shape[1] + c)];
    return out;
}

inline format::TensorSource source(const std::string& name, const Matrix& m) {
    return {name, DType::f32, m.shape,
            [&m](const format::ByteSink& out) { return out(std::as_bytes(std::span(m.values))); }};
}

inline void write_safetensors(const std::filesystem::path& path, const Matrices& tensors) {
    format::SafetensorsWriter writer;
    for (const auto& [name, m] : tensors) writer.add(source(name, m));
    ASSERT_TRUE(writer.write(path));
}

// A base model of the family, in both forms; only the tensors that a test names.
class Base {
  public:
    explicit Base(const arch::Family& family) {
        config_.family = &family;
        config_.d_model = 16;
        config_.n_layer = 2;
        config_.n_head = 4;
        config_.n_kv = 2;
        config_.d_head = kHead;
        config_.d_value = kHead;
        config_.d_ff = 24;
        config_.n_vocab = 32;
    }

    const arch::Config& config() const { return config_; }

    format::Checkpoint huggingface(const Matrices& tensors) const {
        folder_.write("config.json", "{}");
        write_safetensors(folder_ / "model.safetensors", tensors);
        return std::move(*format::Checkpoint::open(folder_ / "model.safetensors"));
    }

    format::Checkpoint gguf(const Matrices& tensors) const {
        format::GgufWriter writer;
        writer.set_string("general.architecture", config_.family->gguf);
        for (const auto& [name, m] : tensors) writer.add(source(name, m));
        EXPECT_TRUE(writer.write(folder_ / "model.gguf"));
        return std::move(*format::Checkpoint::open(folder_ / "model.gguf"));
    }

    void make_sparse(int n_experts, int d_ff) {
        config_.experts.n = n_experts;
        config_.experts.d_ff = d_ff;
        config_.experts.sparse.assign(static_cast<std::size_t>(config_.n_layer), true);
    }

  private:
    heft::testing::TempFolder folder_;
    arch::Config config_;
};

inline const arch::Family& family(std::string_view name) {
    for (const arch::Family* row : arch::families())
        if (name == row->name) return *row;
    ADD_FAILURE() << name;
    return *arch::families().front();
}

inline constexpr const char* kConfig = R"({"peft_type":"LORA","r":3,"lora_alpha":6)";

// A PEFT adapter.
struct Peft {
    heft::testing::TempFolder folder;

    explicit Peft(const Matrices& tensors, const std::string& more = "") {
        folder.write("adapter_config.json", kConfig + more + "}");
        write_safetensors(folder / "adapter_model.safetensors", tensors);
    }
};

inline std::string peft_name(const std::string& weight, const char* half) {
    const std::string module = weight.substr(0, weight.size() - std::string(".weight").size());
    return "base_model.model." + module + half;
}

inline Matrices peft_pair(const std::string& weight, const Matrix& a, const Matrix& b) {
    return {{peft_name(weight, ".lora_A.weight"), a}, {peft_name(weight, ".lora_B.weight"), b}};
}

// A GGUF adapter.
struct Gguf {
    heft::testing::TempFolder folder;
    std::filesystem::path path = folder / "adapter.gguf";

    explicit Gguf(const Matrices& tensors, const char* architecture = "llama", float alpha = 6,
                  const char* type = "adapter", const char* kind = "lora") {
        format::GgufWriter writer;
        writer.set_string("general.type", type);
        writer.set_string("general.architecture", architecture);
        writer.set_string("adapter.type", kind);
        writer.set("adapter.lora.alpha", alpha);
        for (const auto& [name, m] : tensors) writer.add(source(name, m));
        EXPECT_TRUE(writer.write(path));
    }
};

inline Error error_of(const std::filesystem::path& path, const format::Checkpoint& base,
                      const arch::Config& config) {
    const auto adapter = load_adapter(path, base, config);
    EXPECT_FALSE(adapter) << path;
    return adapter ? Error{} : adapter.error();
}

inline const std::string kQ = "model.layers.1.self_attn.q_proj.weight";

}  // namespace heft::model::test
