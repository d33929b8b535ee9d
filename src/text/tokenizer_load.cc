// The tokenizer of a checkpoint, from whichever file has it.
#include <utility>

#include "text/tokenizer_impl.h"

namespace heft::text {

namespace {

// A side file's text; empty when there is none.
Result<std::string> optional_text(const format::Checkpoint& checkpoint, std::string_view name) {
    auto file = checkpoint.side_file(name);
    if (file) return std::string(as_text(file->bytes()));
    if (file.error().code == Code::not_found) return std::string{};
    return std::move(file.error());
}

// bos_token_id and eos_token_id of config.json or generation_config.json; the second is a number or
// a list of them.
void add_special(JsonElement config, Tokenizer::Impl& impl) {
    const auto bos = json_int(config, "bos_token_id");
    if (!impl.special.bos && bos && *bos >= 0 && *bos < impl.table.size())
        impl.special.bos = static_cast<TokenId>(*bos);
    const auto ids = json_find(config, "eos_token_id");
    if (!ids) return;
    const auto add = [&impl](JsonElement id) {
        std::int64_t value = -1;
        if (id.get_int64().get(value) != simdjson::SUCCESS) return;
        if (value < 0 || value >= impl.table.size()) return;
        add_end_of_generation(impl, static_cast<TokenId>(value));
        if (!impl.special.eos) impl.special.eos = static_cast<TokenId>(value);
    };
    JsonArray list;
    if (ids->get_array().get(list) == simdjson::SUCCESS)
        for (const JsonElement id : list) add(id);
    else
        add(*ids);
}

Result<Tokenizer> load_folder(const format::Checkpoint& checkpoint) {
    HEFT_TRY(const std::string config, optional_text(checkpoint, "tokenizer_config.json"));
    auto json = checkpoint.side_file("tokenizer.json");
    if (json) {
        auto tokenizer = Tokenizer::from_tokenizer_json(as_text(json->bytes()), config);
        if (!tokenizer) return within("tokenizer.json", std::move(tokenizer.error()));
        return tokenizer;
    }
    if (json.error().code != Code::not_found) return std::move(json.error());
    auto model = checkpoint.side_file("tokenizer.model");
    if (model) {
        auto tokenizer = Tokenizer::from_sentencepiece(model->bytes(), config);
        if (!tokenizer) return within("tokenizer.model", std::move(tokenizer.error()));
        return tokenizer;
    }
    if (model.error().code != Code::not_found) return std::move(model.error());
    return Error{Code::not_found, "there is no tokenizer.json or tokenizer.model"};
}

}  // namespace

Result<Tokenizer> Tokenizer::load(const format::Checkpoint& checkpoint) {
    if (checkpoint.kind() == format::Kind::gguf) {
        auto tokenizer = from_gguf(checkpoint.metadata());
        if (!tokenizer) return within(checkpoint.name(), std::move(tokenizer.error()));
        return tokenizer;
    }
    auto tokenizer = load_folder(checkpoint);
    if (!tokenizer) return within(checkpoint.name(), std::move(tokenizer.error()));
    if (const auto config = checkpoint.config()) add_special(*config, *tokenizer->impl_);
    HEFT_TRY(const std::string generation, optional_text(checkpoint, "generation_config.json"));
    if (generation.empty()) return tokenizer;
    auto parsed = JsonDoc::parse(generation);
    if (!parsed)
        return within(checkpoint.name() + ": generation_config.json", std::move(parsed.error()));
    add_special(parsed->root(), *tokenizer->impl_);
    return tokenizer;
}

}  // namespace heft::text
