#include "model/adapter.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../tests/temp_folder.h"
#include "arch/tensors.h"
#include "base/rng.h"
#include "format/gguf_writer.h"
#include "format/safetensors_writer.h"
#include "model/adapter_target.h"
#include "tensor/quant/quant.h"

namespace heft::model {
namespace {

using heft::testing::TempFolder;
using ::testing::HasSubstr;

struct Matrix {
    Shape shape;
    std::vector<float> values;
};
using Matrices = std::map<std::string, Matrix>;

constexpr int kHead = 4;
constexpr std::int64_t kRank = 3;

Matrix random_matrix(std::int64_t rows, std::int64_t cols, Rng& rng) {
    Matrix out{{rows, cols}, std::vector<float>(static_cast<std::size_t>(rows * cols))};
    for (float& x : out.values) x = static_cast<float>(rng.uniform() * 2 - 1);
    return out;
}

Matrix turned(const Matrix& m) {
    Matrix out{{m.shape[1], m.shape[0]}, m.values};
    for (std::int64_t r = 0; r < m.shape[0]; ++r)
        for (std::int64_t c = 0; c < m.shape[1]; ++c)
            out.values[static_cast<std::size_t>(c * m.shape[0] + r)] =
                m.values[static_cast<std::size_t>(r * m.shape[1] + c)];
    return out;
}

format::TensorSource source(const std::string& name, const Matrix& m) {
    return {name, DType::f32, m.shape,
            [&m](const format::ByteSink& out) { return out(std::as_bytes(std::span(m.values))); }};
}

void write_safetensors(const std::filesystem::path& path, const Matrices& tensors) {
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
    TempFolder folder_;
    arch::Config config_;
};

const arch::Family& family(std::string_view name) {
    for (const arch::Family* row : arch::families())
        if (name == row->name) return *row;
    ADD_FAILURE() << name;
    return *arch::families().front();
}

constexpr const char* kConfig = R"({"peft_type":"LORA","r":3,"lora_alpha":6)";

// A PEFT adapter.
struct Peft {
    TempFolder folder;

    explicit Peft(const Matrices& tensors, const std::string& more = "") {
        folder.write("adapter_config.json", kConfig + more + "}");
        write_safetensors(folder / "adapter_model.safetensors", tensors);
    }
};

std::string peft_name(const std::string& weight, const char* half) {
    const std::string module = weight.substr(0, weight.size() - std::string(".weight").size());
    return "base_model.model." + module + half;
}

Matrices peft_pair(const std::string& weight, const Matrix& a, const Matrix& b) {
    return {{peft_name(weight, ".lora_A.weight"), a}, {peft_name(weight, ".lora_B.weight"), b}};
}

// A GGUF adapter.
struct Gguf {
    TempFolder folder;
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

Error error_of(const std::filesystem::path& path, const format::Checkpoint& base,
               const arch::Config& config) {
    const auto adapter = load_adapter(path, base, config);
    EXPECT_FALSE(adapter) << path;
    return adapter ? Error{} : adapter.error();
}

const std::string kQ = "model.layers.1.self_attn.q_proj.weight";

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

bool is_matrix_of_a_layer(arch::Role role) {
    using arch::Role;
    for (const Role one : {Role::attn_q, Role::attn_k, Role::attn_v, Role::attn_out, Role::ffn_gate,
                           Role::ffn_up, Role::ffn_down})
        if (role == one) return true;
    return false;
}

// A tensor of the table as one form stores it.
struct Form {
    std::string name;
    arch::RowWalk walk;
    Shape adapter;  // [stored rows, cols]
};

Form form_of(const char* pattern, const arch::Fused& fused, const arch::Tensor& tensor,
             const arch::Config& config) {
    Form out;
    out.name = arch::tensor_name(pattern, 1);
    out.walk = arch::row_walk(fused, arch::extent(tensor.rows, config), config);
    out.adapter = {out.walk.unit_stride * out.walk.units, arch::extent(tensor.cols, config)};
    return out;
}

// Row r of the matrix within B, head by head when GGUF interleaves.
std::vector<float> rows_at(const Matrix& b, const arch::RowWalk& walk, std::int64_t rows,
                           RowOrder order) {
    std::vector<float> out;
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t k = 0; k < kRank; ++k)
            out.push_back(b.values[static_cast<std::size_t>(
                walk(reordered_row(order, r, kHead)) * kRank + k)]);
    return out;
}

// The tensor in both forms, with an adapter of each, loaded onto a base of each.
void expect_same_change(const Base& base, const arch::Tensor& tensor, Rng& rng) {
    const arch::Config& config = base.config();
    const arch::Family& row = *config.family;
    const Form hf = form_of(tensor.hf, tensor.fused, tensor, config);
    const Form gguf = form_of(tensor.gguf, tensor.gguf_fused, tensor, config);
    Matrix stored = random_matrix(hf.adapter[0], hf.adapter[1], rng);
    if (tensor.load == arch::Load::transposed) stored = turned(stored);
    const auto huggingface_base = base.huggingface({{hf.name, stored}});
    const auto gguf_base =
        base.gguf({{gguf.name, random_matrix(gguf.adapter[0], gguf.adapter[1], rng)}});
    const Matrix a = random_matrix(kRank, hf.adapter[1], rng);
    const Matrix hf_b = random_matrix(hf.adapter[0], kRank, rng);
    const Matrix gguf_b = random_matrix(gguf.adapter[0], kRank, rng);
    const Peft peft(peft_pair(hf.name, a, hf_b));
    const Gguf other({{gguf.name + ".lora_a", a}, {gguf.name + ".lora_b", gguf_b}}, row.gguf);
    const bool reordered =
        row.gguf_interleaves_qk
        && (tensor.role == arch::Role::attn_q || tensor.role == arch::Role::attn_k);
    const std::int64_t rows = arch::extent(tensor.rows, config);
    const struct {
        std::filesystem::path path;
        const format::Checkpoint& checkpoint;
        std::vector<float> b;
    } table[] = {
        {peft.folder.path(), huggingface_base, rows_at(hf_b, hf.walk, rows, RowOrder::same)},
        {peft.folder.path(), gguf_base,
         rows_at(hf_b, hf.walk, rows, reordered ? RowOrder::interleave : RowOrder::same)},
        {other.path, gguf_base, rows_at(gguf_b, gguf.walk, rows, RowOrder::same)},
        {other.path, huggingface_base,
         rows_at(gguf_b, gguf.walk, rows, reordered ? RowOrder::separate : RowOrder::same)},
    };
    for (const auto& one : table) {
        const auto adapter = load_adapter(one.path, one.checkpoint, config);
        ASSERT_TRUE(adapter) << adapter.error().what;
        const LowRank* change = adapter->find(tensor.role, 1);
        ASSERT_NE(change, nullptr);
        EXPECT_EQ(change->a, a.values);
        EXPECT_EQ(change->b, one.b);
        EXPECT_EQ(change->scale, 2);
    }
}

TEST(Adapter, FindsItsWeightsAcrossNamesAndRowOrders) {
    Rng rng(2);
    int tried = 0;
    for (const arch::Family* row : arch::families()) {
        const Base base(*row);
        for (const arch::Tensor& tensor : row->tensors) {
            if (tensor.hf == nullptr || tensor.gguf == nullptr || tensor.split != arch::Dim::none
                || tensor.on == arch::On::sparse || !is_matrix_of_a_layer(tensor.role)
                || !std::string_view(tensor.hf).ends_with(".weight"))
                continue;
            SCOPED_TRACE(std::string(row->name) + " " + tensor.gguf);
            expect_same_change(base, tensor, rng);
            ++tried;
        }
    }
    EXPECT_GE(tried, 100);
}

TEST(Adapter, AnExpertOfAStackIsFoundByItsNumber) {
    Rng rng(9);
    Base base(family("qwen3_moe"));
    base.make_sparse(3, 8);
    const Matrix a = random_matrix(kRank, 16, rng);
    const Matrix b = random_matrix(8, kRank, rng);
    const Peft peft(peft_pair("model.layers.1.mlp.experts.2.up_proj.weight", a, b));
    Matrix stack = random_matrix(3 * 8, 16, rng);
    stack.shape = {3, 8, 16};
    const auto checkpoint = base.gguf({{"blk.1.ffn_up_exps.weight", stack}});
    const auto adapter = load_adapter(peft.folder.path(), checkpoint, base.config());
    ASSERT_TRUE(adapter) << adapter.error().what;
    ASSERT_NE(adapter->find(arch::Role::expert_up, 1, 2), nullptr);
    EXPECT_EQ(adapter->find(arch::Role::expert_up, 1, 2)->b, b.values);
    EXPECT_EQ(adapter->find(arch::Role::expert_up, 1, 0), nullptr);
    for (const char* name : {"model.layers.1.mlp.experts.3.up_proj.weight",
                             "model.layers.2.mlp.experts.0.up_proj.weight"}) {
        const Peft beyond(peft_pair(name, a, b));
        EXPECT_EQ(error_of(beyond.folder.path(), checkpoint, base.config()).code, Code::invalid);
    }
}

TEST(Adapter, RowsOfQGoFromHalvesToNeighbours) {
    Rng rng(3);
    const Base base(family("llama"));
    const Matrix b = random_matrix(16, kRank, rng);
    const Peft peft(peft_pair(kQ, random_matrix(kRank, 16, rng), b));
    const auto adapter = load_adapter(
        peft.folder.path(), base.gguf({{"blk.1.attn_q.weight", random_matrix(16, 16, rng)}}),
        base.config());
    ASSERT_TRUE(adapter) << adapter.error().what;
    const int expected[kHead] = {0, 2, 1, 3};  // pairs (0, 2) and (1, 3) of each head, side by side
    for (std::int64_t r = 0; r < 16; ++r)
        for (std::int64_t k = 0; k < kRank; ++k)
            EXPECT_EQ(adapter->changes[0].b[static_cast<std::size_t>(r * kRank + k)],
                      b.values[static_cast<std::size_t>(
                          (r - r % kHead + expected[r % kHead]) * kRank + k)]);
}

TEST(Adapter, OrdersOfRowsAreEachOthersInverse) {
    for (const std::int64_t d_head : {2, 4, 6, 64})
        for (std::int64_t row = 0; row < 3 * d_head; ++row) {
            const std::int64_t there = reordered_row(RowOrder::interleave, row, d_head);
            EXPECT_EQ(reordered_row(RowOrder::separate, there, d_head), row) << d_head;
            EXPECT_EQ(there / d_head, row / d_head);
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
    const Error missing =
        error_of(peft.folder.path(),
                 base.gguf({{"blk.0.attn_q.weight", random_matrix(16, 16, rng)}}), base.config());
    EXPECT_EQ(missing.code, Code::invalid);
    for (const char* part : {"layers.1.self_attn.q_proj", "some/model"})
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

TEST(Adapter, PatternsTakeWholeNumbers) {
    EXPECT_EQ(numbers_in("blk.{}.x", "blk.12.x"), std::vector<int>{12});
    EXPECT_EQ(numbers_in("l.{}.e.{}.w", "l.1.e.20.w"), (std::vector<int>{1, 20}));
    EXPECT_EQ(numbers_in("output.weight", "output.weight"), std::vector<int>{});
    for (const char* name : {"", "blk..x", "blk.1.y", "blk.-1.x", "blk.1.xx", "blk.1", "blk.1a.x",
                             "blk.1234567.x", "blk.99999999999999999999.x"})
        EXPECT_FALSE(numbers_in("blk.{}.x", name)) << name;
}

}  // namespace
}  // namespace heft::model
