#include "llama2c.h"

#include <array>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/mapped_file.h"
#include "format/safetensors_writer.h"

namespace heft::testing {

namespace {

struct Header {
    std::int32_t dim, hidden, layers, heads, kv_heads, vocab, length;
};

// The file is one run of floats; tensors are cut off its front, each for all layers.
struct Cutter {
    Bytes left;
    format::SafetensorsWriter writer;

    Bytes cut(std::int64_t numbers) {
        const Bytes out = left.first(static_cast<std::size_t>(numbers) * sizeof(float));
        left = left.subspan(out.size());
        return out;
    }

    void add(const std::string& name, Shape shape, Bytes data) {
        writer.add(format::source_of({name, DType::f32, std::move(shape), data}));
    }

    void matrix(const std::string& name, const Header& h, std::int64_t rows, std::int64_t cols) {
        for (int l = 0; l < h.layers; ++l)
            add("model.layers." + std::to_string(l) + "." + name + ".weight", {rows, cols},
                cut(rows * cols));
    }

    void norms(const std::string& name, const Header& h) {
        for (int l = 0; l < h.layers; ++l)
            add("model.layers." + std::to_string(l) + "." + name + ".weight", {h.dim}, cut(h.dim));
    }

    // llama2.c rotates neighbouring rows of a head, Hugging Face those half a head apart.
    void rotated(const std::string& name, const Header& h, std::int64_t rows,
                 std::vector<std::vector<float>>& kept) {
        const std::int64_t head = h.dim / h.heads;
        for (int l = 0; l < h.layers; ++l) {
            const Bytes from = cut(rows * h.dim);
            std::vector<float>& to = kept.emplace_back(from.size() / sizeof(float));
            for (std::int64_t r = 0; r < rows; ++r) {
                const std::int64_t within = r % head;
                const std::int64_t target = r - within + within / 2 + (within % 2) * (head / 2);
                std::memcpy(to.data() + target * h.dim,
                            from.data() + static_cast<std::size_t>(r * h.dim) * sizeof(float),
                            static_cast<std::size_t>(h.dim) * sizeof(float));
            }
            add("model.layers." + std::to_string(l) + "." + name + ".weight", {rows, h.dim},
                std::as_bytes(std::span(to)));
        }
    }
};

void write_config(const std::filesystem::path& folder, const Header& h, bool tied) {
    const nlohmann::json config = {
        {"model_type", "llama"},          {"hidden_size", h.dim},
        {"intermediate_size", h.hidden},  {"num_hidden_layers", h.layers},
        {"num_attention_heads", h.heads}, {"num_key_value_heads", h.kv_heads},
        {"vocab_size", h.vocab},          {"max_position_embeddings", h.length},
        {"rms_norm_eps", 1e-5},           {"rope_theta", 10000.0},
        {"tie_word_embeddings", tied},    {"hidden_act", "silu"}};
    std::ofstream(folder / "config.json") << config.dump(1);
}

// Fields of a protocol buffer, as sentencepiece's model file is one.
void put_varint(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    out += static_cast<char>(value);
}

void put_bytes(std::string& out, int field, const std::string& value) {
    put_varint(out, static_cast<std::uint64_t>(field) << 3 | 2);
    put_varint(out, value.size());
    out += value;
}

std::string piece(std::string text, float score, int type) {
    for (std::size_t at = 0; (at = text.find(' ', at)) != std::string::npos; at += 3)
        text.replace(at, 1, "\u2581");
    std::string out;
    put_bytes(out, 1, text);
    put_varint(out, 2 << 3 | 5);
    out.append(reinterpret_cast<const char*>(&score), sizeof score);
    put_varint(out, 3 << 3);
    put_varint(out, static_cast<std::uint64_t>(type));
    return out;
}

Status convert_tokenizer(const std::filesystem::path& from, const std::filesystem::path& to,
                         int vocab) {
    HEFT_TRY(const MappedFile file, MappedFile::open(from));
    ByteReader reader(file.bytes());
    HEFT_TRY([[maybe_unused]] const auto longest, reader.take<std::int32_t>());
    constexpr std::array<const char*, 3> kSpecial = {"<unk>", "<s>", "</s>"};
    constexpr int kUnknown = 2, kControl = 3, kByte = 6, kNormal = 1;
    std::string model;
    for (int id = 0; id < vocab; ++id) {
        HEFT_TRY(const float score, reader.take<float>());
        HEFT_TRY(const auto length, reader.take<std::int32_t>());
        HEFT_TRY(const Bytes text, reader.take_bytes(static_cast<std::uint64_t>(length)));
        if (id < 3) {
            put_bytes(
                model, 1,
                piece(kSpecial[static_cast<std::size_t>(id)], 0, id == 0 ? kUnknown : kControl));
        } else {
            put_bytes(model, 1,
                      piece(std::string(as_text(text)), score, id < 259 ? kByte : kNormal));
        }
    }
    std::string trainer;  // model_type = BPE, byte_fallback
    put_varint(trainer, 3 << 3);
    put_varint(trainer, 2);
    put_varint(trainer, 35 << 3);
    put_varint(trainer, 1);
    put_bytes(model, 2, trainer);
    std::ofstream(to, std::ios::binary) << model;
    return {};
}

}  // namespace

Status convert_llama2c(const std::filesystem::path& model, const std::filesystem::path& tokenizer,
                       const std::filesystem::path& folder) {
    HEFT_TRY(const MappedFile file, MappedFile::open(model));
    ByteReader reader(file.bytes());
    HEFT_TRY(Header h, reader.take<Header>());
    const bool tied = h.vocab > 0;
    h.vocab = std::abs(h.vocab);
    const std::int64_t head = h.dim / h.heads;
    const std::int64_t kv = head * h.kv_heads;

    std::filesystem::create_directories(folder);
    write_config(folder, h, tied);
    HEFT_OK(convert_tokenizer(tokenizer, folder / "tokenizer.model", h.vocab));
    Cutter cutter{file.bytes().subspan(sizeof(Header)), {}};
    std::vector<std::vector<float>> kept;  // rotated matrices, until they are written
    kept.reserve(static_cast<std::size_t>(2 * h.layers));
    cutter.add("model.embed_tokens.weight", {h.vocab, h.dim},
               cutter.cut(std::int64_t{h.vocab} * h.dim));
    cutter.norms("input_layernorm", h);
    cutter.rotated("self_attn.q_proj", h, h.dim, kept);
    cutter.rotated("self_attn.k_proj", h, kv, kept);
    cutter.matrix("self_attn.v_proj", h, kv, h.dim);
    cutter.matrix("self_attn.o_proj", h, h.dim, h.dim);
    cutter.norms("post_attention_layernorm", h);
    cutter.matrix("mlp.gate_proj", h, h.hidden, h.dim);
    cutter.matrix("mlp.down_proj", h, h.dim, h.hidden);
    cutter.matrix("mlp.up_proj", h, h.hidden, h.dim);
    cutter.add("model.norm.weight", {h.dim}, cutter.cut(h.dim));
    cutter.cut(h.length * head);  // rotary tables
    if (!tied)
        cutter.add("lm_head.weight", {h.vocab, h.dim}, cutter.cut(std::int64_t{h.vocab} * h.dim));
    return cutter.writer.write(folder / "model.safetensors");
}

}  // namespace heft::testing
