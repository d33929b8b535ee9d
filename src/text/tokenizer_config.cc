#include "text/tokenizer_config.h"

#include <array>
#include <charconv>

namespace heft::text {

namespace {

// Tokenizer classes of the transformers library that build their post-processor from
// add_bos_token (true unless said otherwise) and add_eos_token.
constexpr std::array<std::string_view, 8> kFlagClasses{
    "LlamaTokenizer", "LlamaTokenizerFast", "CodeLlamaTokenizer", "CodeLlamaTokenizerFast",
    "GemmaTokenizer", "GemmaTokenizerFast", "CohereTokenizer",    "CohereTokenizerFast"};

// A token is a string, or an object that holds one.
std::string token_text(JsonElement config, std::string_view key) {
    if (const auto text = json_string(config, key)) return std::string(*text);
    const auto object = json_find(config, key);
    if (!object) return {};
    return std::string(json_string(*object, "content").value_or(""));
}

Status read_added(JsonElement config, std::vector<AddedToken>& added) {
    const auto decoder = json_find(config, "added_tokens_decoder");
    JsonObject entries;
    if (!decoder || decoder->get_object().get(entries) != simdjson::SUCCESS) return {};
    for (const auto& entry : entries) {
        AddedToken token = read_added_token(entry.value);
        const char* end = entry.key.data() + entry.key.size();
        const auto parsed = std::from_chars(entry.key.data(), end, token.id);
        if (parsed.ec != std::errc{} || parsed.ptr != end || token.id < 0)
            return Error{Code::corrupt, "added_tokens_decoder has a key that is no token id"};
        added.push_back(std::move(token));
    }
    return {};
}

}  // namespace

AddedToken read_added_token(JsonElement entry) {
    AddedToken token;
    token.text = json_string(entry, "content").value_or("");
    token.control = json_bool(entry, "special").value_or(false);
    token.lstrip = json_bool(entry, "lstrip").value_or(false);
    token.rstrip = json_bool(entry, "rstrip").value_or(false);
    token.single_word = json_bool(entry, "single_word").value_or(false);
    token.normalised = json_bool(entry, "normalized").value_or(!token.control);
    return token;
}

Result<TokenizerConfig> read_tokenizer_config(std::string_view json) {
    TokenizerConfig out;
    if (json.empty()) return out;
    auto parsed = JsonDoc::parse(json);
    if (!parsed) return within("tokenizer_config.json", std::move(parsed.error()));
    const JsonElement config = parsed->root();
    out.bos = token_text(config, "bos_token");
    out.eos = token_text(config, "eos_token");
    out.unk = token_text(config, "unk_token");
    out.pad = token_text(config, "pad_token");
    out.add_bos = json_bool(config, "add_bos_token");
    out.add_eos = json_bool(config, "add_eos_token");
    out.legacy = json_bool(config, "legacy");
    out.add_prefix_space = json_bool(config, "add_prefix_space");
    const std::string_view kind = json_string(config, "tokenizer_class").value_or("");
    for (const std::string_view name : kFlagClasses)
        out.adds_by_flags = out.adds_by_flags || kind == name;
    if (auto status = read_added(config, out.added); !status)
        return within("tokenizer_config.json", std::move(status.error()));
    return out;
}

}  // namespace heft::text
