#include "convert/tokenizer_files.h"

#include <algorithm>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "text/pretokenise.h"
#include "text/template_source.h"
#include "text/tokenizer.h"

namespace heft::convert {

namespace {

using Json = nlohmann::ordered_json;
using text::TokenId;
using text::Tokenizer;
using text::TokenKind;
using text::Vocabulary;

constexpr const char* kSpaceMark = "▁";

// Texts on which two tokenizers that differ would hardly agree.
constexpr std::string_view kTrials[] = {
    "The quick brown fox jumps over the lazy dog.",
    "  two spaces, then\ttabs\t\tand\n\n\nlines \r\n end  ",
    "It's 1234567 o'clock; we'll pay $3.50 (50%)! DON'T",
    "naïve café – “quoted” Ünïcödé, здравствуй мир, 你好世界, こんにちは, مرحبا",
    "def f(x_1, y2):\n    return x_1 ** 2  # 😀👍🏽",
    "",
    " a",
    "\x01\x7f"};

Json vocab_of(const Vocabulary& words) {
    Json out = Json::object();
    auto& entries = static_cast<Json::object_t::Container&>(out.get_ref<Json::object_t&>());
    entries.reserve(words.tokens.size());
    for (std::size_t id = 0; id < words.tokens.size(); ++id)
        entries.emplace_back(words.tokens[id], id);
    return out;
}

Json added_of(const Vocabulary& words) {
    Json out = Json::array();
    for (std::size_t id = 0; id < words.tokens.size(); ++id) {
        const TokenKind kind = words.kinds[id];
        const bool control = kind == TokenKind::control || kind == TokenKind::unknown;
        if (!control && kind != TokenKind::user_defined) continue;
        out.push_back({{"id", id},
                       {"content", words.tokens[id]},
                       {"single_word", false},
                       {"lstrip", false},
                       {"rstrip", false},
                       {"normalized", false},
                       {"special", control}});
    }
    return out;
}

Json pairs_of(const std::vector<std::string>& merges) {
    Json out = Json::array();
    for (const std::string& merge : merges) {
        const std::size_t cut = merge.find(' ', 1);
        out.push_back({merge.substr(0, cut), merge.substr(cut + 1)});
    }
    return out;
}

// Scores say which token is made first; a list says which two are joined: for every token all two
// that it may be made of, the best tokens first.
Json pairs_by_score(const Vocabulary& words) {
    struct Join {
        TokenId left, right, into;
    };
    std::unordered_map<std::string_view, TokenId> ids;
    for (std::size_t id = 0; id < words.tokens.size(); ++id)
        ids.emplace(words.tokens[id], static_cast<TokenId>(id));
    std::vector<Join> joins;
    for (std::size_t id = 0; id < words.tokens.size(); ++id) {
        if (words.kinds[id] != TokenKind::normal) continue;
        const std::string_view token = words.tokens[id];
        const std::size_t first = joins.size();
        for (std::size_t cut = 1; cut < token.size(); ++cut) {
            const auto left = ids.find(token.substr(0, cut));
            if (left == ids.end()) continue;
            const auto right = ids.find(token.substr(cut));
            if (right != ids.end())
                joins.push_back({left->second, right->second, static_cast<TokenId>(id)});
        }
        std::sort(joins.begin() + static_cast<std::ptrdiff_t>(first), joins.end(),
                  [](const Join& a, const Join& b) {
                      return a.left != b.left ? a.left < b.left : a.right < b.right;
                  });
    }
    const auto score = [&words](const Join& join) {
        return words.scores[static_cast<std::size_t>(join.into)];
    };
    std::stable_sort(joins.begin(), joins.end(),
                     [&score](const Join& a, const Join& b) { return score(a) > score(b); });
    Json out = Json::array();
    for (const Join& join : joins)
        out.push_back({words.tokens[static_cast<std::size_t>(join.left)],
                       words.tokens[static_cast<std::size_t>(join.right)]});
    return out;
}

// Words of spelled bytes, cut by the patterns that tokenizer.ggml.pre names.
Status set_byte_level(const Tokenizer& tokenizer, Json& out) {
    const Vocabulary& words = tokenizer.vocabulary();
    const text::PreTokenizerRow* row = text::find_pre_tokenizer(words.pre);
    if (row == nullptr || row->marks)
        return Error{Code::unsupported,
                     "no tokenizer.json can be made of a tokenizer of kind " + words.pre};
    Json steps = Json::array();
    for (const std::string_view pattern : row->patterns)
        steps.push_back({{"type", "Split"},
                         {"pattern", {{"Regex", pattern}}},
                         {"behavior", "Isolated"},
                         {"invert", false}});
    const Json bytes{{"type", "ByteLevel"},
                     {"add_prefix_space", words.add_space_prefix},
                     {"trim_offsets", true},
                     {"use_regex", false}};
    steps.push_back(bytes);
    out["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
    out["decoder"] = bytes;
    out["model"] = {{"type", "BPE"},
                    {"fuse_unk", false},
                    {"byte_fallback", false},
                    {"ignore_merges", row->ignore_merges},
                    {"vocab", vocab_of(words)},
                    {"merges", pairs_of(words.merges)}};
    return {};
}

// SentencePiece BPE: "▁" for a space, bytes where there is no token.
Status set_sentencepiece(const Tokenizer& tokenizer, Json& out) {
    const Vocabulary& words = tokenizer.vocabulary();
    Json normalizers = Json::array();
    Json decoders = Json::array();
    if (words.add_space_prefix)
        normalizers.push_back({{"type", "Prepend"}, {"prepend", kSpaceMark}});
    normalizers.push_back(
        {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kSpaceMark}});
    decoders.push_back(
        {{"type", "Replace"}, {"pattern", {{"String", kSpaceMark}}}, {"content", " "}});
    decoders.push_back({{"type", "ByteFallback"}});
    decoders.push_back({{"type", "Fuse"}});
    if (words.add_space_prefix)
        decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
    out["normalizer"] = {{"type", "Sequence"}, {"normalizers", std::move(normalizers)}};
    out["decoder"] = {{"type", "Sequence"}, {"decoders", std::move(decoders)}};
    const auto& unknown = tokenizer.special().unk;
    out["model"] = {
        {"type", "BPE"},
        {"unk_token", unknown ? Json(tokenizer.piece(*unknown)) : Json()},
        {"fuse_unk", true},
        {"byte_fallback", true},
        {"ignore_merges", false},
        {"vocab", vocab_of(words)},
        {"merges", words.scores.empty() ? pairs_of(words.merges) : pairs_by_score(words)}};
    return {};
}

struct Kind {
    std::string_view model;  // tokenizer.ggml.model
    Status (*set)(const Tokenizer& tokenizer, Json& out);
};
constexpr Kind kKinds[] = {{"gpt2", set_byte_level}, {"llama", set_sentencepiece}};

// What stands before and after a text.
Json frame_of(const Tokenizer& tokenizer) {
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
    single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
    add(special.add_eos, special.eos);
    if (tokens.empty()) return nullptr;
    Json pair = single;
    for (const Json& part : single) pair.push_back(part);
    for (std::size_t i = single.size(); i < pair.size(); ++i) {
        Json& part = pair[i].begin().value();
        part["type_id"] = 1;
        if (part["id"] == "A") part["id"] = "B";
    }
    return {{"type", "TemplateProcessing"},
            {"single", std::move(single)},
            {"pair", std::move(pair)},
            {"special_tokens", std::move(tokens)}};
}

Json settings_of(const Tokenizer& tokenizer) {
    const text::SpecialTokens& special = tokenizer.special();
    Json out{{"tokenizer_class", "PreTrainedTokenizerFast"},
             {"add_bos_token", special.add_bos},
             {"add_eos_token", special.add_eos},
             {"clean_up_tokenization_spaces", false}};
    const auto name = [&](const char* key, const std::optional<TokenId>& id) {
        if (id) out[key] = tokenizer.piece(*id);
    };
    name("bos_token", special.bos);
    name("eos_token", special.eos);
    name("unk_token", special.unk);
    name("pad_token", special.pad);
    return out;
}

Status try_out(const Tokenizer& own, const std::string& json, const std::string& settings) {
    HEFT_TRY(const Tokenizer made, Tokenizer::from_tokenizer_json(json, settings));
    for (const std::string_view trial : kTrials)
        for (const bool special : {false, true})
            if (own.encode(trial, {special, special}) != made.encode(trial, {special, special}))
                return Error{Code::unsupported,
                             "its tokenizer cannot be said as a tokenizer.json: the two would cut \""
                                 + std::string(trial) + "\" differently; convert the weights from "
                                 "the original folder"};
    return {};
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
    const Vocabulary& words = tokenizer.vocabulary();
    const auto* kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                    [&words](const Kind& row) { return row.model == words.model; });
    if (kind == std::end(kKinds))
        return Error{Code::unsupported,
                     "no tokenizer.json can be made of a tokenizer of kind "
                         + std::string(tokenizer.description())
                         + "; GGUF files that heft makes of a folder bring their own"};
    Json json{{"version", "1.0"},
              {"truncation", nullptr},
              {"padding", nullptr},
              {"added_tokens", added_of(words)},
              {"normalizer", nullptr},
              {"pre_tokenizer", nullptr},
              {"post_processor", frame_of(tokenizer)},
              {"decoder", nullptr}};
    HEFT_OK(kind->set(tokenizer, json));
    Json settings = settings_of(tokenizer);
    auto chat = text::template_source(gguf);
    if (!chat && chat.error().code != Code::not_found) return std::move(chat.error());
    if (chat) settings["chat_template"] = *chat;
    std::vector<SideFile> out = {{"tokenizer.json", json_file(json)},
                                 {"tokenizer_config.json", json_file(settings)},
                                 {"generation_config.json", generation_of(tokenizer)}};
    if (chat) out.push_back({"chat_template.jinja", *chat});
    HEFT_OK(try_out(tokenizer, out[0].text, out[1].text));
    return out;
}

}  // namespace heft::convert
