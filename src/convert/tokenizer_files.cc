#include "convert/tokenizer_files.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "convert/rwkv_vocabulary.h"
#include "convert/tokenizer_json_file.h"
#include "convert/tokenizer_trial.h"
#include "text/template_source.h"
#include "text/tokenizer.h"

namespace heft::convert {

namespace {

using Json = nlohmann::ordered_json;
using text::TokenId;
using text::Tokenizer;
using text::TokenKind;
using text::Vocabulary;

bool is_control(TokenKind kind) {
    return kind == TokenKind::control || kind == TokenKind::unknown;
}

// Tokens that are found before a text is cut.
std::vector<TokenId> added_ids(const Vocabulary& words) {
    std::vector<TokenId> out;
    for (std::size_t id = 0; id < words.kinds.size(); ++id)
        if (is_control(words.kinds[id]) || words.kinds[id] == TokenKind::user_defined)
            out.push_back(static_cast<TokenId>(id));
    return out;
}

Json added_entry(const Tokenizer& tokenizer, TokenId id) {
    return added_token(id, tokenizer.piece(id), is_control(tokenizer.kind(id)));
}

// What stands before and after a text. `begins_once`: also where two texts are put together.
Json frame_of(const Tokenizer& tokenizer, bool begins_once) {
    const text::SpecialTokens& special = tokenizer.special();
    Json single = Json::array();
    Json tokens = Json::object();
    const auto add = [&](bool wanted, const std::optional<TokenId>& id) {
        if (!wanted || !id) return;
        const std::string piece(tokenizer.piece(*id));
        single.push_back({{"SpecialToken", {{"id", piece}, {"type_id", 0}}}});
        tokens[piece] = {{"id", piece}, {"ids", {*id}}, {"tokens", {piece}}};
    };
    add(special.add_bos, special.bos);
    const std::size_t text_at = single.size();
    single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
    add(special.add_eos, special.eos);
    if (tokens.empty()) return nullptr;
    Json pair = single;
    for (std::size_t i = begins_once ? text_at : 0; i < single.size(); ++i) {
        pair.push_back(single[i]);
        Json& part = pair.back().begin().value();
        part["type_id"] = 1;
        if (part["id"] == "A") part["id"] = "B";
    }
    return {{"type", "TemplateProcessing"},
            {"single", std::move(single)},
            {"pair", std::move(pair)},
            {"special_tokens", std::move(tokens)}};
}

// How tokenizer_config.json calls the tokens of a kind.
struct Names {
    const char* before = "bos_token";
    const char* after = "eos_token";
};

Json settings_of(const Tokenizer& tokenizer, const char* kind, Names names) {
    const text::SpecialTokens& special = tokenizer.special();
    Json out{{"tokenizer_class", kind},
             {"add_bos_token", special.add_bos},
             {"add_eos_token", special.add_eos},
             {"clean_up_tokenization_spaces", false}};
    const auto name = [&](const char* key, const std::optional<TokenId>& id) {
        if (id) out[key] = tokenizer.piece(*id);
    };
    name(names.before, special.bos);
    name(names.after, special.eos);
    name("unk_token", special.unk);
    name("pad_token", special.pad);
    return out;
}

// The file of the tokens and their rules, what tokenizer_config.json says of them, and who reads
// both.
struct Made {
    SideFile file;
    Json settings;
    Result<Tokenizer> (*read)(std::string_view file, std::string_view settings) = nullptr;
};

Result<Made> json_of(const Tokenizer& tokenizer, Status (*set)(const Tokenizer&, Json&),
                     bool begins_once, Names names) {
    Json added = Json::array();
    for (const TokenId id : added_ids(tokenizer.vocabulary()))
        added.push_back(added_entry(tokenizer, id));
    Json json{{"version", "1.0"},
              {"truncation", nullptr},
              {"padding", nullptr},
              {"added_tokens", std::move(added)},
              {"normalizer", nullptr},
              {"pre_tokenizer", nullptr},
              {"post_processor", frame_of(tokenizer, begins_once)},
              {"decoder", nullptr}};
    HEFT_OK(set(tokenizer, json));
    return Made{{"tokenizer.json", json_file(json)},
                settings_of(tokenizer, "PreTrainedTokenizerFast", names),
                Tokenizer::from_tokenizer_json};
}

template <Status (*set)(const Tokenizer&, Json&)>
Result<Made> plain_json(const Tokenizer& tokenizer) {
    return json_of(tokenizer, set, false, {});
}

Result<Made> wordpiece_json(const Tokenizer& tokenizer) {
    HEFT_TRY(Made out, json_of(tokenizer, set_wordpiece, true, {"cls_token", "sep_token"}));
    for (const char* flag : {"add_bos_token", "add_eos_token"}) out.settings.erase(flag);
    if (tokenizer.find("[MASK]")) out.settings["mask_token"] = "[MASK]";
    return out;
}

// The library of tokenizer.json has no longest match: its models bring a class of their own.
Result<Made> rwkv_lines(const Tokenizer& tokenizer) {
    Made out{{std::string(text::kRwkvVocabulary), rwkv_vocabulary(tokenizer)},
             settings_of(tokenizer, "Rwkv6Tokenizer", {}),
             Tokenizer::from_rwkv};
    Json added = Json::object();
    for (const TokenId id : added_ids(tokenizer.vocabulary())) {
        Json entry = added_entry(tokenizer, id);
        entry.erase("id");
        added[std::to_string(id)] = std::move(entry);
    }
    out.settings["added_tokens_decoder"] = std::move(added);
    return out;
}

struct Kind {
    std::string_view model;  // tokenizer.ggml.model
    Result<Made> (*make)(const Tokenizer& tokenizer);
};
constexpr Kind kKinds[] = {{"gpt2", plain_json<set_byte_level>},
                           {"llama", plain_json<set_sentencepiece>},
                           {"t5", plain_json<set_unigram>},
                           {"bert", wordpiece_json},
                           {"rwkv", rwkv_lines}};

Status try_out(const Tokenizer& own, const Made& made, const std::string& settings) {
    HEFT_TRY(const Tokenizer again, made.read(made.file.text, settings));
    const auto text = first_difference(own, again, Compared::ids_and_what_they_say);
    if (!text) return {};
    return Error{Code::unsupported, "its tokenizer cannot be said as a " + made.file.name
                                        + ": the two would cut \"" + *text
                                        + "\" differently; convert the weights from the original "
                                          "folder"};
}

std::string generation_of(const Tokenizer& tokenizer) {
    const text::SpecialTokens& special = tokenizer.special();
    Json out = Json::object();
    if (special.bos) out["bos_token_id"] = *special.bos;
    if (!special.end_of_generation.empty()) out["eos_token_id"] = special.end_of_generation;
    if (special.pad) out["pad_token_id"] = *special.pad;
    return json_file(out);
}

}  // namespace

Result<std::vector<SideFile>> tokenizer_files(const format::Checkpoint& gguf) {
    if (!gguf.metadata().find("tokenizer.ggml.model")) return std::vector<SideFile>();
    HEFT_TRY(const Tokenizer tokenizer, Tokenizer::from_gguf(gguf.metadata()));
    const std::string& model = tokenizer.vocabulary().model;
    const auto* kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                    [&model](const Kind& row) { return row.model == model; });
    if (kind == std::end(kKinds))
        return Error{Code::unsupported,
                     "no tokenizer.json can be made of a tokenizer of kind "
                         + std::string(tokenizer.description())
                         + "; GGUF files that heft makes of a folder bring their own"};
    HEFT_TRY(Made made, kind->make(tokenizer));
    auto chat = text::template_source(gguf);
    if (!chat && chat.error().code != Code::not_found) return std::move(chat.error());
    if (chat) made.settings["chat_template"] = *chat;
    const std::string settings = json_file(made.settings);
    HEFT_OK(try_out(tokenizer, made, settings));
    std::vector<SideFile> out = {std::move(made.file),
                                 {"tokenizer_config.json", settings},
                                 {"generation_config.json", generation_of(tokenizer)}};
    if (chat) out.push_back({"chat_template.jinja", *chat});
    return out;
}

}  // namespace heft::convert
