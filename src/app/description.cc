#include "app/description.h"

#include <cmath>
#include <map>

#include <nlohmann/json.hpp>

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

// Longer arrays and texts of the metadata are told by their size and beginning.
constexpr std::size_t kShownItems = 8;
constexpr std::size_t kShownText = 200;

Json shortened(std::string_view text) {
    if (text.size() <= kShownText) return std::string(text);
    std::size_t end = kShownText;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    return {{"bytes", text.size()}, {"begins", std::string(text.substr(0, end))}};
}

Json array_json(const format::Metadata& metadata, std::string_view key,
                const format::MetaValue& value) {
    Json first = Json::array();
    const auto take = [&first](const auto& items) {
        for (const auto& item : items) {
            if (first.size() == kShownItems) break;
            first.push_back(item);
        }
    };
    switch (value.item_type) {
        case format::MetaType::string:
            for (const auto text : metadata.strings(key)) {
                if (first.size() == kShownItems) break;
                first.push_back(shortened(text));
            }
            break;
        case format::MetaType::f32:
        case format::MetaType::f64: take(metadata.floats(key)); break;
        case format::MetaType::array: break;
        case format::MetaType::u8:
        case format::MetaType::i8:
        case format::MetaType::u16:
        case format::MetaType::i16:
        case format::MetaType::u32:
        case format::MetaType::i32:
        case format::MetaType::boolean:
        case format::MetaType::u64:
        case format::MetaType::i64: take(metadata.integers(key)); break;
    }
    if (value.count <= kShownItems && first.size() == value.count) return first;
    return {{"items", value.count}, {"first", std::move(first)}};
}

Json value_json(const format::Metadata& metadata, const format::MetaEntry& entry) {
    switch (entry.value.type) {
        case format::MetaType::string: return shortened(metadata.string(entry.key).value_or(""));
        case format::MetaType::boolean: return metadata.flag(entry.key).value_or(false);
        case format::MetaType::array: return array_json(metadata, entry.key, entry.value);
        case format::MetaType::f32:
        case format::MetaType::f64: {
            const double number = metadata.number(entry.key).value_or(0);
            return std::isfinite(number) ? Json(number) : Json();
        }
        case format::MetaType::u8:
        case format::MetaType::i8:
        case format::MetaType::u16:
        case format::MetaType::i16:
        case format::MetaType::u32:
        case format::MetaType::i32:
        case format::MetaType::u64:
        case format::MetaType::i64: break;
    }
    // A 64-bit number beyond the signed range is told as a double.
    if (const auto number = metadata.integer(entry.key)) return *number;
    return metadata.number(entry.key).value_or(0);
}

Json metadata_of(const format::Checkpoint& checkpoint) {
    Json out = metadata_json(checkpoint.metadata());
    if (checkpoint.kind() == format::Kind::huggingface) {
        if (const auto file = checkpoint.side_file("config.json")) {
            auto tree = parse_json_tree(as_text(file->bytes()));
            if (tree) out = std::move(*tree);
        }
    }
    return out;
}

const char* name_of(arch::Scaling scaling) {
    switch (scaling) {
        case arch::Scaling::none: return "none";
        case arch::Scaling::linear: return "linear";
        case arch::Scaling::llama3: return "llama3";
        case arch::Scaling::yarn: return "yarn";
        case arch::Scaling::longrope: return "longrope";
    }
    return "";
}

Json config_json(const arch::Config& c) {
    Json out = {{"n_ctx", c.n_ctx},     {"n_vocab", c.n_vocab}, {"n_layer", c.n_layer},
                {"d_model", c.d_model}, {"n_head", c.n_head},   {"n_kv", c.n_kv},
                {"d_head", c.d_head},   {"d_ff", c.d_ff},       {"norm_eps", c.norm_eps},
                {"tied", c.tied},       {"window", c.window}};
    out["rope"] = {{"theta", c.rope.theta},
                   {"dim", c.rope.dim},
                   {"scaling", name_of(c.rope.scaling)},
                   {"factor", c.rope.factor},
                   {"original_ctx", c.rope.original_ctx}};
    return out;
}

// As they are computed with: packed weights have no bytes of their own in the files.
std::uint64_t bytes_of(const TensorView& tensor) {
    const auto bytes = tensor_bytes(tensor.type, tensor.shape);
    return bytes ? *bytes : 0;
}

}  // namespace

Json metadata_json(const format::Metadata& metadata) {
    Json out = Json::object();
    for (const format::MetaEntry& entry : metadata.entries())
        out[std::string(entry.key)] = value_json(metadata, entry);
    return out;
}

Json tensors_json(const std::vector<TensorView>& tensors, bool each) {
    struct Sum {
        std::int64_t count = 0;
        std::uint64_t bytes = 0;
    };
    std::map<std::string, Sum> types;
    Json list = Json::array();
    for (const TensorView& tensor : tensors) {
        const std::string type = dtype_info(tensor.type).name;
        Sum& sum = types[type];
        ++sum.count;
        const std::uint64_t bytes = bytes_of(tensor);
        sum.bytes += bytes;
        if (each)
            list.push_back(
                {{"name", tensor.name}, {"type", type}, {"shape", tensor.shape}, {"bytes", bytes}});
    }
    Json by_type = Json::object();
    for (const auto& [type, sum] : types)
        by_type[type] = {{"count", sum.count}, {"bytes", sum.bytes}};
    Json out = {{"count", tensors.size()}, {"types", std::move(by_type)}};
    if (each) out["list"] = std::move(list);
    return out;
}

namespace {

Json token_json(const text::Tokenizer& tokenizer, std::optional<text::TokenId> id) {
    if (!id) return nullptr;
    return {{"id", *id}, {"piece", std::string(tokenizer.piece(*id))}};
}

Json tokenizer_json(const text::Tokenizer& tokenizer) {
    const text::SpecialTokens& special = tokenizer.special();
    Json ends = Json::array();
    for (const auto id : special.end_of_generation) ends.push_back(token_json(tokenizer, id));
    return {{"kind", std::string(tokenizer.description())},
            {"n_vocab", tokenizer.size()},
            {"bos", token_json(tokenizer, special.bos)},
            {"eos", token_json(tokenizer, special.eos)},
            {"unk", token_json(tokenizer, special.unk)},
            {"pad", token_json(tokenizer, special.pad)},
            {"end_of_generation", std::move(ends)},
            {"add_bos", special.add_bos},
            {"add_eos", special.add_eos}};
}

void add_model(const engine::Engine& engine, Json& out, Json& missing) {
    const format::Checkpoint& checkpoint = engine.checkpoint();
    const auto config = engine.config();
    if (!config) {
        missing.push_back(config.error().what);
        return;
    }
    const arch::Config& c = **config;
    out["architecture"] = c.family->name;
    out["parameters"] = arch::parameter_count(checkpoint);
    out["config"] = config_json(c);
    const std::int64_t row = std::int64_t{c.n_layer} * c.cache_row();
    out["cache_bytes_per_token"] = {{"f16", row * 2}, {"f32", row * 4}};
    const auto model = model::Model::load(checkpoint, c);
    if (model)
        out["weight_bytes_per_token"] = model->bytes_per_token();
    else
        missing.push_back(model.error().what);
}

}  // namespace

Json describe(const engine::Engine& engine, bool tensors) {
    const format::Checkpoint& checkpoint = engine.checkpoint();
    Json out = {{"schema", "heft.inspect/1"},
                {"kind", "model"},
                {"model", checkpoint.name()},
                {"format", checkpoint.kind() == format::Kind::gguf ? "gguf" : "huggingface"},
                {"files", Json::array()},
                {"file_bytes", checkpoint.file_bytes()},
                {"architecture", nullptr},
                {"parameters", nullptr}};
    for (const auto& file : checkpoint.files()) out["files"].push_back({{"path", file.string()}});
    Json missing = Json::array();
    add_model(engine, out, missing);
    out["tensors"] = tensors_json(checkpoint.tensors(), tensors);
    if (const auto tokenizer = engine.tokenizer()) {
        out["tokenizer"] = tokenizer_json(**tokenizer);
    } else {
        out["tokenizer"] = nullptr;
        missing.push_back(tokenizer.error().what);
    }
    if (const auto source = engine.template_source()) {
        const auto parsed = engine.chat_template();
        out["template"] = {{"bytes", source->size()}, {"parses", static_cast<bool>(parsed)}};
        if (!parsed) missing.push_back(parsed.error().what);
    } else {
        out["template"] = nullptr;
        missing.push_back(source.error().what);
    }
    out["missing"] = std::move(missing);
    out["metadata"] = metadata_of(checkpoint);
    return out;
}

}  // namespace heft::app
