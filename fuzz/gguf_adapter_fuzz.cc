// Any bytes as a GGUF file of a LoRA adapter: its pairs, and the PEFT folder that they make for a
// base of a few families. What it says of the folder that it was made of is not to be trusted.
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.h"
#include "convert/adapter.h"

namespace {

constexpr const char* kBases[] = {
    R"({"model_type":"llama","hidden_size":16,"intermediate_size":24,"num_hidden_layers":2,
        "num_attention_heads":4,"num_key_value_heads":2,"vocab_size":32,"max_position_embeddings":64})",
    R"({"model_type":"qwen3_moe","hidden_size":16,"intermediate_size":24,"num_hidden_layers":2,
        "num_attention_heads":4,"num_key_value_heads":2,"head_dim":4,"vocab_size":32,
        "max_position_embeddings":64,"num_experts":2,"num_experts_per_tok":1,
        "moe_intermediate_size":8})",
    R"({"model_type":"gpt2","n_embd":16,"n_layer":2,"n_head":4,"vocab_size":32,"n_positions":64})",
};

void convert_for(const heft::format::AdapterFiles& adapter,
                 const heft::convert::AdapterBase& base) {
    const auto folder = heft::convert::adapter_folder(adapter, base, {});
    if (!folder) {
        HEFT_CHECK(!folder.error().what.empty());
        return;
    }
    for (const auto& one : folder->tensors.weights) {
        HEFT_CHECK(one.weight.n_rows > 0 && one.weight.n_cols > 0);
        std::vector<float> row(static_cast<std::size_t>(one.weight.n_cols));
        one.weight.read(one.weight.n_rows - 1, 1, row.data());
    }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace heft;
    auto gguf = format::Checkpoint::from_gguf(std::as_bytes(std::span(data, size)), "fuzz");
    if (!gguf) return 0;
    const auto adapter = format::adapter_files(std::move(*gguf));
    if (!adapter) {
        HEFT_CHECK(!adapter.error().what.empty());
        return 0;
    }
    for (const format::LowRankPair& pair : adapter->pairs)
        HEFT_CHECK(pair.a.rows() == pair.b.cols() && pair.a.rows() > 0);
    if (const auto noted = convert::noted_base(*adapter)) convert_for(*adapter, *noted);
    for (const char* document : kBases) {
        const auto base = convert::adapter_base(std::string(document));
        HEFT_CHECK(base);
        convert_for(*adapter, *base);
    }
    return 0;
}
