#include "convert/tokenizer_json_file.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "format/names.h"
#include "text/base64.h"
#include "text/normaliser.h"
#include "text/pretokenise.h"
#include "text/word_model.h"

namespace heft::convert {

namespace {

using Json = nlohmann::ordered_json;
using text::TokenId;
using text::Tokenizer;
using text::TokenKind;
using text::Vocabulary;

constexpr std::string_view kSpaceMark = "▁";
constexpr std::string_view kContinues = "##";

Json::object_t::Container& entries_of(Json& object) {
    return static_cast<Json::object_t::Container&>(object.get_ref<Json::object_t&>());
}

// Without those at the end that stand for nothing: they pad the table to the rows of the embedding.
std::size_t n_tokens(const Vocabulary& words) {
    std::size_t n = words.kinds.size();
    while (n > 0 && words.kinds[n - 1] == TokenKind::unused) --n;
    return n;
}

Json vocab_of(const Vocabulary& words) {
    Json out = Json::object();
    auto& entries = entries_of(out);
    const std::size_t n = n_tokens(words);
    entries.reserve(n);
    for (std::size_t id = 0; id < n; ++id) entries.emplace_back(words.tokens[id], id);
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
    const std::size_t n = n_tokens(words);
    for (std::size_t id = 0; id < n; ++id) ids.emplace(words.tokens[id], static_cast<TokenId>(id));
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

Json replace(std::string_view kind, std::string_view pattern, std::string_view content) {
    return {{"type", "Replace"}, {"pattern", {{kind, pattern}}}, {"content", content}};
}

// SentencePiece's spaces, after what else its normalizer has.
void set_marks(const Vocabulary& words, Json normalizers, Json& out) {
    if (words.add_space_prefix)
        normalizers.push_back({{"type", "Prepend"}, {"prepend", kSpaceMark}});
    normalizers.push_back(replace("String", " ", kSpaceMark));
    Json decoders = {
        replace("String", kSpaceMark, " "), {{"type", "ByteFallback"}}, {{"type", "Fuse"}}};
    if (words.add_space_prefix)
        decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
    out["normalizer"] = {{"type", "Sequence"}, {"normalizers", std::move(normalizers)}};
    out["decoder"] = {{"type", "Sequence"}, {"decoders", std::move(decoders)}};
}

Json name_or_null(const Tokenizer& tokenizer, const std::optional<TokenId>& id) {
    return id ? Json(tokenizer.piece(*id)) : Json();
}

// Pieces are listed by id, so that one which is never made has to stand there too: found before
// texts are cut, it is kept out of the cutting. Those at the end are left out.
Json scored_pieces(const Tokenizer& tokenizer, Json& added) {
    const Vocabulary& words = tokenizer.vocabulary();
    const auto unknown = static_cast<std::size_t>(tokenizer.special().unk.value_or(-1) + 1);
    const std::size_t end = std::max(n_tokens(words), unknown);
    Json out = Json::array();
    for (std::size_t id = 0; id < end; ++id) {
        const float score = words.scores[id];
        out.push_back({words.tokens[id], std::isfinite(score) ? score : 0});
        if (words.kinds[id] == TokenKind::unused)
            added.push_back(added_token(static_cast<TokenId>(id), words.tokens[id], true));
    }
    std::sort(added.begin(), added.end(), [](const Json& a, const Json& b) {
        return a["id"].get<TokenId>() < b["id"].get<TokenId>();
    });
    return out;
}

// As WordPiece has it: what continues a word is marked, not what begins one.
std::string continued_spelling(const Vocabulary& words, std::size_t id, bool is_special) {
    const std::string& token = words.tokens[id];
    if (words.kinds[id] != TokenKind::normal || is_special) return token;
    if (token.starts_with(kSpaceMark)) return token.substr(kSpaceMark.size());
    return std::string(kContinues).append(token);
}

}  // namespace

Json added_token(TokenId id, std::string_view text, bool is_control) {
    return {{"id", id},        {"content", text},     {"single_word", false}, {"lstrip", false},
            {"rstrip", false}, {"normalized", false}, {"special", is_control}};
}

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

Status set_sentencepiece(const Tokenizer& tokenizer, Json& out) {
    const Vocabulary& words = tokenizer.vocabulary();
    set_marks(words, Json::array(), out);
    out["model"] = {
        {"type", "BPE"},
        {"unk_token", name_or_null(tokenizer, tokenizer.special().unk)},
        {"fuse_unk", true},
        {"byte_fallback", true},
        {"ignore_merges", false},
        {"vocab", vocab_of(words)},
        {"merges", words.scores.empty() ? pairs_of(words.merges) : pairs_by_score(words)}};
    return {};
}

Status set_unigram(const Tokenizer& tokenizer, Json& out) {
    const Vocabulary& words = tokenizer.vocabulary();
    Json normalizers = Json::array();
    if (!words.precompiled_charsmap.empty())
        normalizers.push_back(
            {{"type", "Precompiled"},
             {"precompiled_charsmap", text::base64_encode(words.precompiled_charsmap)}});
    if (words.remove_extra_whitespaces) {
        normalizers.push_back(replace("Regex", text::kSpacesAtEnds, ""));
        normalizers.push_back(replace("Regex", text::kRunsOfSpaces, " "));
    }
    set_marks(words, std::move(normalizers), out);
    const auto is_byte = [](TokenKind kind) { return kind == TokenKind::byte; };
    const auto& unknown = tokenizer.special().unk;
    out["model"] = {{"type", "Unigram"},
                    {"unk_id", unknown ? Json(*unknown) : Json()},
                    {"byte_fallback", std::any_of(words.kinds.begin(), words.kinds.end(), is_byte)},
                    {"vocab", scored_pieces(tokenizer, out["added_tokens"])}};
    return {};
}

Status set_wordpiece(const Tokenizer& tokenizer, Json& out) {
    const Vocabulary& words = tokenizer.vocabulary();
    const text::SpecialTokens& special = tokenizer.special();
    Json vocab = Json::object();
    auto& entries = entries_of(vocab);
    std::unordered_set<std::string> seen;
    for (std::size_t id = 0; id < words.tokens.size(); ++id) {
        if (words.kinds[id] == TokenKind::unused) continue;
        const auto own = [id](const std::optional<TokenId>& other) {
            return other && static_cast<std::size_t>(*other) == id;
        };
        const bool is_special =
            own(special.bos) || own(special.eos) || own(special.unk) || own(special.pad);
        std::string text = continued_spelling(words, id, is_special);
        if (text.empty()) continue;
        if (!seen.insert(text).second)
            return Error{Code::unsupported,
                         "no tokenizer.json can be made of its tokenizer: two "
                         "tokens would be spelled "
                             + format::in_quotes(text.substr(0, 64))};
        entries.emplace_back(std::move(text), id);
    }
    out["normalizer"] = {{"type", "BertNormalizer"},
                         {"clean_text", true},
                         {"handle_chinese_chars", true},
                         {"strip_accents", words.strip_accents},
                         {"lowercase", words.lowercase}};
    out["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
    out["decoder"] = {{"type", "WordPiece"}, {"prefix", kContinues}, {"cleanup", false}};
    const Json unknown = name_or_null(tokenizer, special.unk);
    out["model"] = {{"type", "WordPiece"},
                    {"unk_token", unknown.is_null() ? Json("[UNK]") : unknown},
                    {"continuing_subword_prefix", kContinues},
                    {"max_input_chars_per_word", text::WordPieceRules().longest_word},
                    {"vocab", std::move(vocab)}};
    return {};
}

}  // namespace heft::convert
