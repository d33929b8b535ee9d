// Reads tokenizer.model: a sentencepiece ModelProto. Field numbers are those of
// sentencepiece_model.proto; defaults are the proto's.
#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "text/protobuf.h"
#include "text/tokenizer_config.h"
#include "text/tokenizer_impl.h"

namespace heft::text {

namespace {

struct Piece {
    std::string_view text;
    float score = 0;
    std::uint64_t type = 1;
};

struct Spec {
    std::uint64_t model_type = 1;
    std::int32_t unk = 0, bos = 1, eos = 2, pad = -1;
    bool whitespace_as_suffix = false;
    Bytes character_map;
    bool dummy_prefix = true, collapse_spaces = true, escape_spaces = true;
    std::vector<Piece> pieces;
};

Result<Piece> read_piece(Bytes message) {
    Piece piece;
    ProtoReader in(message);
    while (true) {
        HEFT_TRY(const auto field, in.next());
        if (!field) return piece;
        switch (field->number) {
            case 1: piece.text = field->text(); break;
            case 2: piece.score = field->real(); break;
            case 3: piece.type = field->value; break;
            default: break;
        }
    }
}

Status read_trainer(Bytes message, Spec& spec) {
    ProtoReader in(message);
    while (true) {
        HEFT_TRY(const auto field, in.next());
        if (!field) return {};
        const auto id = static_cast<std::int32_t>(static_cast<std::uint32_t>(field->value));
        switch (field->number) {
            case 3: spec.model_type = field->value; break;
            case 24: spec.whitespace_as_suffix = field->value != 0; break;
            case 40: spec.unk = id; break;
            case 41: spec.bos = id; break;
            case 42: spec.eos = id; break;
            case 43: spec.pad = id; break;
            default: break;
        }
    }
}

Status read_normaliser(Bytes message, Spec& spec) {
    ProtoReader in(message);
    while (true) {
        HEFT_TRY(const auto field, in.next());
        if (!field) return {};
        switch (field->number) {
            case 2: spec.character_map = field->bytes; break;
            case 3: spec.dummy_prefix = field->value != 0; break;
            case 4: spec.collapse_spaces = field->value != 0; break;
            case 5: spec.escape_spaces = field->value != 0; break;
            default: break;
        }
    }
}

Result<Spec> read_model(Bytes model) {
    Spec spec;
    ProtoReader in(model);
    while (true) {
        HEFT_TRY(const auto field, in.next());
        if (!field) break;
        if (field->number == 1) {
            HEFT_TRY(const Piece piece, read_piece(field->bytes));
            spec.pieces.push_back(piece);
        } else if (field->number == 2) {
            HEFT_OK(read_trainer(field->bytes, spec));
        } else if (field->number == 3) {
            HEFT_OK(read_normaliser(field->bytes, spec));
        }
    }
    if (spec.pieces.empty()) return Error{Code::corrupt, "there are no pieces in it"};
    if (spec.pieces.size() > kMostTokens)
        return Error{Code::exhausted, "it has more than 2^24 pieces"};
    return spec;
}

struct ModelType {
    std::uint64_t number;
    std::string_view name;
    std::optional<ModelKind> kind;  // none: not supported
    std::string_view description;
};
constexpr std::array<ModelType, 4> kModelTypes{
    {{1, "unigram", ModelKind::unigram, "SentencePiece Unigram"},
     {2, "BPE", ModelKind::bpe, "SentencePiece BPE"},
     {3, "word", {}, ""},
     {4, "char", {}, ""}}};

Result<const ModelType*> type_of(const Spec& spec) {
    const auto refuse = [](const std::string& what) {
        return Error{Code::unsupported,
                     what + "; heft reads SentencePiece models of type unigram and BPE"};
    };
    const auto row =
        std::find_if(kModelTypes.begin(), kModelTypes.end(),
                     [&spec](const ModelType& t) { return t.number == spec.model_type; });
    if (row == kModelTypes.end())
        return refuse("the model is of the unknown type " + std::to_string(spec.model_type));
    if (!row->kind) return refuse("the model is of type " + std::string(row->name));
    if (spec.whitespace_as_suffix) return refuse("it treats white space as a suffix");
    return &*row;
}

Result<TokenKind> kind_of(const Piece& piece, std::size_t id) {
    switch (piece.type) {
        case 1: return TokenKind::normal;
        case 2: return TokenKind::unknown;
        case 3: return TokenKind::control;
        case 4: return TokenKind::user_defined;
        case 5: return TokenKind::unused;
        case 6: return TokenKind::byte;
        default:
            return Error{Code::corrupt, "piece " + std::to_string(id) + " has the unknown type "
                                            + std::to_string(piece.type)};
    }
}

// The pieces, and what the configuration adds after them.
Status read_tokens(const Spec& spec, const TokenizerConfig& config, Tokenizer::Impl& impl) {
    NumberedTexts texts(spec.pieces.size());
    for (std::size_t i = 0; i < spec.pieces.size(); ++i) {
        HEFT_TRY(const TokenKind kind, kind_of(spec.pieces[i], i));
        HEFT_OK(texts.set(static_cast<std::int64_t>(i), spec.pieces[i].text, kind));
        impl.scores.push_back(spec.pieces[i].score);
    }
    std::vector<AddedToken> added;
    for (const AddedToken& token : config.added) {
        const bool beyond = static_cast<std::size_t>(token.id) >= spec.pieces.size();
        if (!beyond && texts.text(static_cast<std::size_t>(token.id)) != token.text) continue;
        added.push_back(token);
        added.back().normalised = false;
        if (beyond)
            HEFT_OK(texts.set(token.id, token.text,
                              token.control ? TokenKind::control : TokenKind::user_defined));
    }
    HEFT_OK(texts.build(impl));
    impl.scores.resize(texts.size());
    for (TokenId id = 0; id < static_cast<TokenId>(spec.pieces.size()); ++id) {
        const TokenKind kind = impl.kinds[static_cast<std::size_t>(id)];
        const bool control = kind == TokenKind::control || kind == TokenKind::unknown;
        if (!control && kind != TokenKind::user_defined) continue;
        AddedToken token;
        token.text = with_spaces(impl.table.text(id));
        token.id = id;
        token.control = control;
        added.push_back(std::move(token));
    }
    HEFT_TRY(impl.added, AddedTokens::build(std::move(added)));
    return {};
}

Status read_spaces(const Spec& spec, const TokenizerConfig& config, Tokenizer::Impl& impl) {
    std::vector<NormaliserStep> steps;
    if (!spec.character_map.empty()) {
        HEFT_TRY(Charsmap map, Charsmap::build(spec.character_map));
        steps.emplace_back(std::make_shared<const Charsmap>(std::move(map)));
    }
    if (spec.collapse_spaces) HEFT_OK(collapse_spaces(steps));
    impl.collapses_spaces = spec.collapse_spaces;
    if (spec.escape_spaces) steps.emplace_back(ReplaceText{" ", std::string(kSpaceMark)});
    impl.normaliser = Normaliser(std::move(steps));
    impl.speech = speech_of_marks();
    if (spec.dummy_prefix) {
        const bool modern = config.legacy.has_value() && !*config.legacy;
        impl.prefix = {spec.escape_spaces ? std::string(kSpaceMark) : " ",
                       modern ? Prefix::When::first : Prefix::When::always, false, false};
        impl.speech.drops_first_space = true;
    }
    return {};
}

void read_special(const Spec& spec, const TokenizerConfig& config, Tokenizer::Impl& impl) {
    const auto choose = [&impl](const std::string& text, std::int32_t id) {
        const TokenId named = impl.table.find(text);
        if (named != kNoToken) return std::optional(named);
        return id >= 0 && id < impl.table.size() ? std::optional<TokenId>(id) : std::nullopt;
    };
    impl.special.bos = choose(config.bos, spec.bos);
    impl.special.eos = choose(config.eos, spec.eos);
    impl.special.unk = choose(config.unk, spec.unk);
    impl.special.pad = choose(config.pad, spec.pad);
    impl.special.add_bos = config.add_bos.value_or(true);
    impl.special.add_eos = config.add_eos.value_or(false);
}

}  // namespace

Result<Tokenizer> Tokenizer::from_sentencepiece(Bytes model, std::string_view config_json) {
    HEFT_TRY(const TokenizerConfig config, read_tokenizer_config(config_json));
    auto spec = read_model(model);
    if (!spec) return within("not a SentencePiece model", std::move(spec.error()));
    HEFT_TRY(const ModelType* type, type_of(*spec));
    auto impl = std::make_unique<Impl>();
    impl->alphabet = Alphabet::characters;
    impl->fuse_unknown = true;
    impl->model = *type->kind;
    impl->description = type->description;
    HEFT_OK(read_tokens(*spec, config, *impl));
    HEFT_OK(read_spaces(*spec, config, *impl));
    read_special(*spec, config, *impl);
    if (impl->model == ModelKind::bpe) HEFT_OK(use_scores(*impl));
    HEFT_OK(impl->finish());
    return Impl::wrap(std::move(impl));
}

}  // namespace heft::text
