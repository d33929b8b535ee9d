#include "arch/adapter_target.h"

#include <set>

#include <gtest/gtest.h>

#include "model/test_adapters.h"

namespace heft::model::test {
namespace {

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
                           arch::RowOrder order) {
    std::vector<float> out;
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t k = 0; k < kRank; ++k)
            out.push_back(b.values[static_cast<std::size_t>(
                walk(arch::reordered_row(order, r, kHead)) * kRank + k)]);
    return out;
}

// A family's matrices in both forms, and an adapter of each form for all of them.
struct Everything {
    Matrices huggingface, gguf;       // weights
    Matrices peft, gguf_adapter;      // pairs
    std::map<std::string, Matrix> b;  // by name in either form
    std::vector<const arch::Tensor*> rows;
};

void add_tensor(Everything& all, const arch::Tensor& tensor, const arch::Config& config, Rng& rng) {
    const Form hf = form_of(tensor.hf, tensor.fused, tensor, config);
    const Form gguf = form_of(tensor.gguf, tensor.gguf_fused, tensor, config);
    if (!all.b.contains(hf.name)) {
        const Matrix stored = random_matrix(hf.adapter[0], hf.adapter[1], rng);
        const bool transposed = tensor.load == arch::Load::transposed;
        all.huggingface[hf.name] = transposed ? turned(stored) : stored;
        all.b[hf.name] = random_matrix(hf.adapter[0], kRank, rng);
        all.peft.merge(
            peft_pair(hf.name, random_matrix(kRank, hf.adapter[1], rng), all.b[hf.name]));
    }
    if (!all.b.contains(gguf.name)) {
        all.gguf[gguf.name] = random_matrix(gguf.adapter[0], gguf.adapter[1], rng);
        all.b[gguf.name] = random_matrix(gguf.adapter[0], kRank, rng);
        all.gguf_adapter[gguf.name + ".lora_a"] = random_matrix(kRank, gguf.adapter[1], rng);
        all.gguf_adapter[gguf.name + ".lora_b"] = all.b[gguf.name];
    }
    all.rows.push_back(&tensor);
}

Everything everything_of(const arch::Config& config, Rng& rng) {
    Everything all;
    std::set<arch::Role> roles;
    for (const arch::Tensor& tensor : config.family->tensors)
        if (tensor.hf != nullptr && tensor.gguf != nullptr && tensor.split == arch::Dim::none
            && tensor.on != arch::On::sparse && is_matrix_of_a_layer(tensor.role)
            && std::string_view(tensor.hf).ends_with(".weight") && roles.insert(tensor.role).second)
            add_tensor(all, tensor, config, rng);
    return all;
}

void expect_changes(const Everything& all, const arch::Config& config,
                    const std::filesystem::path& path, const format::Checkpoint& base,
                    format::Kind kind) {
    const auto adapter = load_adapter(path, base, config);
    ASSERT_TRUE(adapter) << adapter.error().what;
    EXPECT_EQ(adapter->changes.size(), all.rows.size());
    for (const arch::Tensor* tensor : all.rows) {
        const Form form = kind == format::Kind::gguf
                              ? form_of(tensor->gguf, tensor->gguf_fused, *tensor, config)
                              : form_of(tensor->hf, tensor->fused, *tensor, config);
        const bool turns =
            base.kind() != kind && config.family->gguf_interleaves_qk
            && (tensor->role == arch::Role::attn_q || tensor->role == arch::Role::attn_k);
        const arch::RowOrder other = base.kind() == format::Kind::gguf ? arch::RowOrder::interleave
                                                                       : arch::RowOrder::separate;
        const LowRank* change = adapter->find(tensor->role, 1);
        ASSERT_NE(change, nullptr) << form.name;
        EXPECT_EQ(change->scale, 2);
        EXPECT_EQ(change->b,
                  rows_at(all.b.at(form.name), form.walk, arch::extent(tensor->rows, config),
                          turns ? other : arch::RowOrder::same))
            << form.name;
    }
}

TEST(AdapterTarget, FindsWeightsAcrossNamesAndRowOrders) {
    Rng rng(2);
    std::size_t tried = 0;
    for (const arch::Family* row : arch::families()) {
        SCOPED_TRACE(row->name);
        const Base base(*row);
        const Everything all = everything_of(base.config(), rng);
        if (all.rows.empty()) continue;
        const auto huggingface = base.huggingface(all.huggingface);
        const auto gguf = base.gguf(all.gguf);
        const Peft peft(all.peft);
        const Gguf other(all.gguf_adapter, row->gguf);
        for (const format::Checkpoint* one : {&huggingface, &gguf}) {
            expect_changes(all, base.config(), peft.folder.path(), *one, format::Kind::huggingface);
            expect_changes(all, base.config(), other.path, *one, format::Kind::gguf);
        }
        tried += all.rows.size();
    }
    EXPECT_GE(tried, 100U);
}

TEST(AdapterTarget, AnExpertOfAStackIsFoundByItsNumber) {
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

TEST(AdapterTarget, RowsOfQGoFromHalvesToNeighbours) {
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

TEST(AdapterTarget, OrdersOfRowsAreEachOthersInverse) {
    for (const std::int64_t d_head : {2, 4, 6, 64})
        for (std::int64_t row = 0; row < 3 * d_head; ++row) {
            const std::int64_t there = arch::reordered_row(arch::RowOrder::interleave, row, d_head);
            EXPECT_EQ(arch::reordered_row(arch::RowOrder::separate, there, d_head), row) << d_head;
            EXPECT_EQ(there / d_head, row / d_head);
        }
}

TEST(AdapterTarget, PatternsTakeWholeNumbers) {
    EXPECT_EQ(arch::numbers_in("blk.{}.x", "blk.12.x"), std::vector<int>{12});
    EXPECT_EQ(arch::numbers_in("l.{}.e.{}.w", "l.1.e.20.w"), (std::vector<int>{1, 20}));
    EXPECT_EQ(arch::numbers_in("output.weight", "output.weight"), std::vector<int>{});
    for (const char* name : {"", "blk..x", "blk.1.y", "blk.-1.x", "blk.1.xx", "blk.1", "blk.1a.x",
                             "blk.1234567.x", "blk.99999999999999999999.x"})
        EXPECT_FALSE(arch::numbers_in("blk.{}.x", name)) << name;
}

}  // namespace
}  // namespace heft::model::test
