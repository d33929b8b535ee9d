// Reads a tokenizer from GGUF metadata. The keys are those of the GGUF specification; defaults are
// what the published files rely on.
#include <algorithm>
#include <array>
#include <utility>

#include "text/tokenizer_impl.h"

namespace heft::text {

namespace {

using format::Metadata;

constexpr std::string_view kKey = "tokenizer.ggml.";

std::string key(std::string_view name) {
    return std::string(kKey).append(name);
}

Result<std::vector<TokenKind>> read_kinds(const Metadata& metadata, std::size_t tokens) {
    std::vector<TokenKind> kinds(tokens, TokenKind::normal);
    const auto types = metadata.integers(key("token_type"));
    if (types.empty()) return kinds;
    if (types.size() < tokens)
        return Error{Code::corrupt, "tokenizer.ggml.token_type has " + std::to_string(types.size())
                                        + " items for " + std::to_string(tokens) + " tokens"};
    for (std::size_t i = 0; i < tokens; ++i) {
        switch (types[i]) {
            case 0:
            case 1: break;
            case 2: kinds[i] = TokenKind::unknown; break;
            case 3: kinds[i] = TokenKind::control; break;
            case 4: kinds[i] = TokenKind::user_defined; break;
            case 5: kinds[i] = TokenKind::unused; break;
            case 6: kinds[i] = TokenKind::byte; break;
            default:
                return Error{Code::corrupt, "token " + std::to_string(i) + " has the unknown type "
                                                + std::to_string(types[i])};
        }
    }
    return kinds;
}

// A missing key keeps the default; -1 and other numbers below 0 say that there is no such token.
Status read_id(const Metadata& metadata, std::string_view name, std::optional<TokenId>& id,
               int tokens) {
    const auto value = metadata.integer(key(name));
    if (!value) return {};
    // Some writers store 2^32 - 1 for "none".
    if (*value < 0 || *value == 0xFFFFFFFF) {
        id.reset();
        return {};
    }
    if (*value >= tokens)
        return Error{Code::corrupt, key(name) + " is " + std::to_string(*value)
                                        + ", outside the vocabulary of " + std::to_string(tokens)
                                        + " tokens"};
    id = static_cast<TokenId>(*value);
    return {};
}

Status read_special(const Metadata& metadata, Tokenizer::Impl& impl) {
    SpecialTokens& special = impl.special;
    const int tokens = impl.table.size();
    HEFT_OK(read_id(metadata, "bos_token_id", special.bos, tokens));
    HEFT_OK(read_id(metadata, "eos_token_id", special.eos, tokens));
    HEFT_OK(read_id(metadata, "unknown_token_id", special.unk, tokens));
    HEFT_OK(read_id(metadata, "padding_token_id", special.pad, tokens));
    for (const std::string_view name : {"eot_token_id", "eom_token_id"}) {
        std::optional<TokenId> id;
        HEFT_OK(read_id(metadata, name, id, tokens));
        if (id) add_end_of_generation(impl, *id);
    }
    for (const std::int64_t id : metadata.integers(key("eos_token_ids")))
        if (id >= 0 && id < tokens) add_end_of_generation(impl, static_cast<TokenId>(id));
    special.add_bos = metadata.flag(key("add_bos_token")).value_or(special.add_bos);
    special.add_eos = metadata.flag(key("add_eos_token")).value_or(special.add_eos);
    return {};
}

Status read_scores(const Metadata& metadata, Tokenizer::Impl& impl) {
    const auto tokens = static_cast<std::size_t>(impl.table.size());
    impl.scores = metadata.floats(key("scores"));
    if (impl.scores.size() < tokens)
        return Error{Code::corrupt, "tokenizer.ggml.scores has "
                                        + std::to_string(impl.scores.size()) + " items for "
                                        + std::to_string(tokens) + " tokens"};
    impl.scores.resize(tokens);
    return {};
}

Status read_merges(const Metadata& metadata, Tokenizer::Impl& impl) {
    const auto lines = metadata.strings(key("merges"));
    if (lines.empty()) return Error{Code::corrupt, "tokenizer.ggml.merges is missing or empty"};
    std::vector<MergeNames> merges;
    merges.reserve(lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        HEFT_TRY(const MergeNames names, split_merge(lines[i], i));
        merges.push_back(names);
    }
    HEFT_TRY(auto rules, resolve_merges(impl.table, impl.affixes, merges));
    impl.pairs = rules.get();
    impl.rules = std::move(rules);
    return {};
}

Status read_added(const Metadata& metadata, Tokenizer::Impl& impl) {
    // Phi-3's tokens swallow the white space after them. The file has no key to say so.
    const bool swallows =
        impl.alphabet == Alphabet::characters && metadata.string("general.architecture") == "phi3";
    std::vector<AddedToken> added;
    for (TokenId id = 0; id < impl.table.size(); ++id) {
        const TokenKind kind = impl.kinds[static_cast<std::size_t>(id)];
        const bool control = kind == TokenKind::control || kind == TokenKind::unknown;
        if (!control && kind != TokenKind::user_defined) continue;
        AddedToken token;
        token.text = impl.table.text(id);
        token.id = id;
        token.control = control;
        token.rstrip = swallows && token.text != "<unk>" && token.text != "<s>"
                       && token.text != "<|endoftext|>";
        added.push_back(std::move(token));
    }
    HEFT_TRY(impl.added, AddedTokens::build(std::move(added)));
    return {};
}

void use_prefix(Tokenizer::Impl& impl) {
    impl.prefix = {std::string(kSpaceMark), Prefix::When::always, true, false};
    impl.speech = speech_of_marks();
    impl.speech.drops_first_space = true;
}

Status read_sentencepiece(const Metadata& metadata, Tokenizer::Impl& impl) {
    impl.alphabet = Alphabet::characters;
    const int tokens = impl.table.size();
    if (tokens > 2) {
        impl.special.unk = 0;
        impl.special.bos = 1;
        impl.special.eos = 2;
    }
    impl.special.add_bos = true;
    HEFT_OK(read_special(metadata, impl));
    if (!metadata.find(key("token_type"))) mark_by_name(impl);
    if (metadata.find(key("scores"))) {
        HEFT_OK(read_scores(metadata, impl));
        HEFT_OK(use_scores(impl));
    } else {
        HEFT_OK(read_merges(metadata, impl));
    }
    use_space_marks(impl);
    if (metadata.flag(key("add_space_prefix")).value_or(true)) use_prefix(impl);
    impl.description = "SentencePiece BPE";
    return {};
}

Status read_unigram(const Metadata& metadata, Tokenizer::Impl& impl) {
    impl.alphabet = Alphabet::characters;
    impl.model = ModelKind::unigram;
    impl.fuse_unknown = true;
    if (impl.table.size() > 2) {
        impl.special.pad = 0;
        impl.special.eos = 1;
        impl.special.unk = 2;
    }
    impl.special.add_eos = true;
    HEFT_OK(read_special(metadata, impl));
    HEFT_OK(read_scores(metadata, impl));
    if (!metadata.find(key("token_type"))) mark_by_name(impl);
    std::vector<NormaliserStep> steps;
    const auto* blob = metadata.find(key("precompiled_charsmap"));
    if (blob && !blob->data.empty()) {
        const bool bytes =
            blob->type == format::MetaType::array
            && (blob->item_type == format::MetaType::u8 || blob->item_type == format::MetaType::i8);
        if (!bytes)
            return Error{Code::corrupt,
                         "tokenizer.ggml.precompiled_charsmap is not an array of bytes"};
        HEFT_TRY(Charsmap map, Charsmap::build(blob->data));
        steps.emplace_back(std::make_shared<const Charsmap>(std::move(map)));
    }
    impl.collapses_spaces = metadata.flag(key("remove_extra_whitespaces")).value_or(false);
    if (impl.collapses_spaces) HEFT_OK(collapse_spaces(steps));
    steps.emplace_back(ReplaceText{" ", std::string(kSpaceMark)});
    impl.normaliser = Normaliser(std::move(steps));
    if (metadata.flag(key("add_space_prefix")).value_or(false)) use_prefix(impl);
    impl.description = "Unigram";
    return {};
}

// The uncased BERT normalisation, unless the file says otherwise.
Status read_wordpiece(const Metadata& metadata, Tokenizer::Impl& impl) {
    impl.alphabet = Alphabet::characters;
    impl.model = ModelKind::wordpiece;
    impl.wordpiece.first = std::string(kSpaceMark);
    impl.wordpiece.rest.clear();
    const int tokens = impl.table.size();
    const auto named = [&impl](std::string_view text) {
        const TokenId id = impl.table.find(text);
        return id == kNoToken ? std::nullopt : std::optional(id);
    };
    impl.special.unk = named("[UNK]");
    impl.special.bos = named("[CLS]");
    impl.special.eos = named("[SEP]");
    impl.special.pad = named("[PAD]");
    HEFT_OK(read_id(metadata, "cls_token_id", impl.special.bos, tokens));
    std::optional<TokenId> separator = impl.special.eos;
    HEFT_OK(read_id(metadata, "seperator_token_id", separator, tokens));  // so spelled
    HEFT_OK(read_special(metadata, impl));
    // Whatever the file's keys of BOS and EOS say: a text stands between [CLS] and [SEP].
    impl.special.eos = separator;
    impl.special.add_bos = true;
    impl.special.add_eos = true;
    if (impl.special.unk) {
        TokenKind& kind = impl.kinds[static_cast<std::size_t>(*impl.special.unk)];
        if (kind == TokenKind::normal) kind = TokenKind::unknown;
    }
    const bool lower = metadata.flag(key("normalizer.lowercase")).value_or(true);
    const bool strip = metadata.flag(key("normalizer.strip_accents")).value_or(lower);
    std::vector<NormaliserStep> steps;
    steps.emplace_back(clean_for_bert);
    steps.emplace_back(space_around_han);
    if (strip) steps.emplace_back(UnicodeForm::nfd);
    if (strip) steps.emplace_back(drop_nonspacing);
    if (lower) steps.emplace_back(to_lower);
    impl.normaliser = Normaliser(std::move(steps));
    HEFT_TRY(Regex spaces, Regex::compile(R"(\s+)"));
    HEFT_TRY(Regex punctuation, Regex::compile(R"([!-/:-@\[-`{-~\p{P}])"));
    std::vector<PretokeniserStep> cuts;
    cuts.emplace_back(CutStep{std::move(spaces), Cut::removed, false, false});
    cuts.emplace_back(CutStep{std::move(punctuation), Cut::isolated, false, false});
    impl.pretokeniser = Pretokeniser(std::move(cuts));
    impl.speech = speech_of_marks();
    impl.speech.drops_first_space = true;
    impl.description = "WordPiece";
    return {};
}

Status read_rwkv(const Metadata& metadata, Tokenizer::Impl& impl) {
    impl.alphabet = Alphabet::characters;
    impl.model = ModelKind::longest_match;
    impl.speech.steps.emplace_back(Unescape{});
    impl.description = "longest match (RWKV)";
    return read_special(metadata, impl);
}

// Gemma 4 and its like: merges over characters, "▁" for a space, byte tokens.
void use_marks(Tokenizer::Impl& impl) {
    impl.alphabet = Alphabet::characters;
    use_space_marks(impl);
    for (TokenId id = 0; id < impl.table.size(); ++id)
        if (byte_of_token(impl.table.text(id)))
            impl.kinds[static_cast<std::size_t>(id)] = TokenKind::byte;
}

Result<const PreTokenizerRow*> pre_tokenizer_of(const Metadata& metadata,
                                                std::optional<std::string_view> named) {
    const std::string_view architecture = metadata.string("general.architecture").value_or("");
    const PreTokenizerRow* row =
        named ? find_pre_tokenizer(*named) : usual_pre_tokenizer(architecture);
    if (row) return row;
    if (named)
        return Error{Code::unsupported, "the pre-tokenizer " + shown(*named)
                                            + " (tokenizer.ggml.pre) is not one that heft knows: "
                                            + known_pre_tokenizers()};
    return Error{Code::unsupported,
                 "the file does not say how its tokenizer cuts a text into words "
                 "(tokenizer.ggml.pre is missing), and models of architecture "
                     + shown(architecture) + " differ in it; convert the model anew"};
}

Status read_merged(const Metadata& metadata, Tokenizer::Impl& impl) {
    const auto model = metadata.string(key("model"));
    const auto named = model == "gemma4" ? model : metadata.string(key("pre"));
    HEFT_TRY(const PreTokenizerRow* row, pre_tokenizer_of(metadata, named));
    HEFT_TRY(impl.pretokeniser, compile_pre_tokenizer(*row));
    impl.pre = row->name;
    impl.ignore_merges = row->ignore_merges;
    impl.special.add_bos = row->add_bos;
    HEFT_OK(read_special(metadata, impl));
    impl.special.add_bos = impl.special.add_bos || row->needs_bos;
    HEFT_OK(read_merges(metadata, impl));
    if (row->marks)
        use_marks(impl);
    else if (metadata.flag(key("add_space_prefix")).value_or(false))
        impl.prefix = {" ", Prefix::When::always, true, true};
    const std::string kind = row->marks ? "SentencePiece BPE" : "byte-level BPE";
    impl.description = kind + " (" + impl.pre + ")";
    return {};
}

struct ModelRow {
    std::string_view name;  // tokenizer.ggml.model
    Status (*read)(const Metadata&, Tokenizer::Impl&);
};
constexpr std::array<ModelRow, 6> kModels{{{"gpt2", read_merged},
                                           {"gemma4", read_merged},
                                           {"llama", read_sentencepiece},
                                           {"t5", read_unigram},
                                           {"bert", read_wordpiece},
                                           {"rwkv", read_rwkv}}};

}  // namespace

Result<Tokenizer> Tokenizer::from_gguf(const format::Metadata& metadata) {
    const auto model = metadata.string(key("model"));
    if (!model)
        return Error{Code::corrupt, "the file has no tokenizer: tokenizer.ggml.model is missing"};
    const auto row = std::find_if(kModels.begin(), kModels.end(),
                                  [&model](const ModelRow& r) { return r.name == *model; });
    if (row == kModels.end())
        return Error{Code::unsupported,
                     "the tokenizer type " + shown(*model)
                         + " (tokenizer.ggml.model) is not supported; heft reads gpt2, gemma4, "
                           "llama, t5, bert and rwkv"};
    const auto tokens = metadata.strings(key("tokens"));
    if (tokens.empty()) return Error{Code::corrupt, "tokenizer.ggml.tokens is missing or empty"};
    if (tokens.size() > kMostTokens)
        return Error{Code::exhausted,
                     "the vocabulary has more than " + std::to_string(kMostTokens) + " tokens"};

    auto impl = std::make_unique<Impl>();
    HEFT_TRY(impl->table, TokenTable::build(tokens));
    HEFT_TRY(impl->kinds, read_kinds(metadata, tokens.size()));
    HEFT_OK(row->read(metadata, *impl));
    mark_endings(*impl);
    HEFT_OK(read_added(metadata, *impl));
    HEFT_OK(impl->finish());
    return Impl::wrap(std::move(impl));
}

}  // namespace heft::text
