// The tokenizer of a checkpoint, from whichever file has it.
#include <array>
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

// Files that may hold a tokenizer; the first that is there counts.
struct Source {
    std::string_view name;
    Result<Tokenizer> (*read)(Bytes file, std::string_view config);
};

const std::array<Source, 6>& sources() {
    static const std::array<Source, 6> kSources{
        {{"tokenizer.json",
          [](Bytes file, std::string_view config) {
              return Tokenizer::from_tokenizer_json(as_text(file), config);
          }},
         {"tekken.json",
          [](Bytes file, std::string_view /*config*/) {
              return Tokenizer::from_tekken(as_text(file));
          }},
         {"tokenizer.model", Tokenizer::from_model_file},
         {"tiktoken.model", Tokenizer::from_tiktoken},
         {"qwen.tiktoken", Tokenizer::from_tiktoken},
         {kRwkvVocabulary, [](Bytes file, std::string_view config) {
              return Tokenizer::from_rwkv(as_text(file), config);
          }}}};
    return kSources;
}

Result<Tokenizer> load_folder(const format::Checkpoint& checkpoint) {
    HEFT_TRY(const std::string config, optional_text(checkpoint, "tokenizer_config.json"));
    std::string names;
    for (const Source& source : sources()) {
        names.append(names.empty() ? "" : ", ").append(source.name);
        auto file = checkpoint.side_file(source.name);
        if (!file && file.error().code == Code::not_found) continue;
        if (!file) return std::move(file.error());
        auto tokenizer = source.read(file->bytes(), config);
        if (!tokenizer) return within(std::string(source.name), std::move(tokenizer.error()));
        return tokenizer;
    }
    return Error{Code::not_found, "there is no tokenizer: none of " + names};
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
