// Reads tokenizer.json, the format of the Hugging Face tokenizers library.
#include "text/tokenizer_json.h"

#include <utility>

namespace heft::text {

namespace {

Status read_added_list(JsonElement root, std::vector<AddedToken>& added) {
    return each_item(root, "added_tokens", [&added](JsonElement item) -> Status {
        AddedToken token = read_added_token(item);
        const auto id = json_int(item, "id");
        if (!id || *id < 0 || *id >= static_cast<std::int64_t>(kMostTokens))
            return Error{Code::corrupt,
                         "the added token " + shown(token.text) + " has no valid id"};
        token.id = static_cast<TokenId>(*id);
        added.push_back(std::move(token));
        return {};
    });
}

// The model section's vocabulary and the added tokens, by id.
Status read_tokens(const ModelPlan& plan, std::vector<AddedToken> added) {
    Tokenizer::Impl& impl = *plan.impl;
    NumberedTexts texts(plan.vocab.size() + added.size());
    for (const ModelPlan::Entry& entry : plan.vocab)
        HEFT_OK(texts.set(entry.id, entry.text, TokenKind::normal));
    for (const AddedToken& token : added)
        HEFT_OK(texts.set(token.id, token.text,
                          token.control ? TokenKind::control : TokenKind::user_defined));
    HEFT_OK(texts.build(impl));
    if (impl.table.size() == 0) return Error{Code::corrupt, "the vocabulary is empty"};
    if (!impl.scores.empty()) impl.scores.resize(static_cast<std::size_t>(impl.table.size()));

    std::vector<AddedToken> plain, normalised;
    for (AddedToken& token : added) {
        auto& list = token.normalised && !impl.normaliser.empty() ? normalised : plain;
        list.push_back(std::move(token));
    }
    RegexScratch scratch;
    for (AddedToken& token : normalised)
        token.text = impl.normaliser.apply(std::move(token.text), scratch);
    HEFT_TRY(impl.added, AddedTokens::build(std::move(plain)));
    HEFT_TRY(impl.added_normalised, AddedTokens::build(std::move(normalised)));
    return {};
}

template <class Step>
bool has_step(const std::vector<NormaliserStep>& steps) {
    return std::any_of(steps.begin(), steps.end(),
                       [](const auto& step) { return std::holds_alternative<Step>(step); });
}

std::string describe(const Tokenizer::Impl& impl) {
    switch (impl.model) {
        case ModelKind::unigram: return "Unigram";
        case ModelKind::wordpiece: return "WordPiece";
        case ModelKind::longest_match: return "longest match";
        case ModelKind::bpe: break;
    }
    if (impl.alphabet == Alphabet::characters) return "SentencePiece BPE";
    return impl.pre.empty() ? "byte-level BPE" : "byte-level BPE (" + impl.pre + ")";
}

// What a token says. Without a decoder: what undoes the encoding.
Status read_speech(JsonElement root, bool bytes, bool prefixed, Tokenizer::Impl& impl) {
    DecoderPlan plan;
    if (const auto section = json_find(root, "decoder")) {
        HEFT_OK(read_decoder(*section, plan));
    } else if (impl.model == ModelKind::wordpiece) {
        plan.speech.steps.emplace_back(JoinWords{impl.wordpiece.rest, false});
        plan.speech.drops_first_space = plan.speech.joins_words = true;
    } else {
        plan.speech = bytes ? speech_of_bytes() : speech_of_marks();
        plan.speech.drops_first_space = !bytes && prefixed;
    }
    impl.speech = std::move(plan.speech);
    return {};
}

// normalizer, pre_tokenizer and decoder: how texts are cut and how spaces are treated.
Status read_sections(JsonElement root, Tokenizer::Impl& impl) {
    PreTokenizerPlan plan;
    NormalizerPlan normal;
    if (const auto section = json_find(root, "pre_tokenizer"))
        HEFT_OK(read_pre_tokenizer(*section, plan));
    if (const auto section = json_find(root, "normalizer"))
        HEFT_OK(read_normalizer(*section, normal));
    if (plan.prefix) impl.prefix = *plan.prefix;
    impl.marks_words = plan.marks_words || has_step<Prepend>(normal.steps);
    impl.collapses_spaces = plan.collapses_spaces || normal.collapses_spaces;
    const bool prefixed = impl.marks_words || impl.prefix.when != Prefix::When::never;
    const bool spelled = has_step<SpellBytes>(normal.steps);
    if (plan.space_mark) normal.steps.emplace_back(ReplaceText{" ", *plan.space_mark});
    impl.normaliser = Normaliser(std::move(normal.steps));

    HEFT_OK(read_speech(root, plan.byte_level || spelled, prefixed, impl));
    const bool bpe = impl.model == ModelKind::bpe;
    const bool bytes = plan.byte_level || (bpe && !spelled && impl.speech.unspells_bytes());
    if (bytes && (spelled || !bpe))
        return Error{Code::unsupported, "ByteLevel is supported once, for models of type BPE"};
    impl.alphabet = bytes ? Alphabet::bytes : Alphabet::characters;
    if (bytes && plan.named && impl.affixes.empty())
        impl.pre = pre_tokenizer_name(plan.patterns, impl.ignore_merges);
    impl.pretokeniser = Pretokeniser(std::move(plan.steps));
    impl.description = describe(impl);
    return {};
}

Status read_special(JsonElement root, const ModelPlan& plan, const TokenizerConfig& config) {
    Tokenizer::Impl& impl = *plan.impl;
    SpecialTokens& special = impl.special;
    const auto named = [&impl](std::string_view text) {
        const TokenId id = impl.table.find(text);
        return id == kNoToken ? std::nullopt : std::optional(id);
    };
    special.bos = named(config.bos);
    special.eos = named(config.eos);
    special.pad = named(config.pad);
    // The model's own unknown token counts; tokenizer_config may name one that is never made.
    special.unk = named(plan.unknown.value_or(config.unk));
    if (special.unk) {
        TokenKind& kind = impl.kinds[static_cast<std::size_t>(*special.unk)];
        if (kind == TokenKind::normal || impl.alphabet == Alphabet::characters)
            kind = TokenKind::unknown;
    }
    PostProcessorPlan around;
    around.table = &impl.table;
    if (const auto section = json_find(root, "post_processor"))
        HEFT_OK(read_post_processor(*section, around));
    impl.before = std::move(around.before);
    impl.after = std::move(around.after);
    if (config.adds_by_flags) {
        impl.before.clear();
        impl.after.clear();
        if (config.add_bos.value_or(true) && special.bos) impl.before = {*special.bos};
        if (config.add_eos.value_or(false) && special.eos) impl.after = {*special.eos};
    }
    if (!special.bos && !impl.before.empty()) special.bos = impl.before.front();
    if (!special.eos && !impl.after.empty()) special.eos = impl.after.back();
    special.add_bos = !impl.before.empty() && special.bos == impl.before.front();
    special.add_eos = !impl.after.empty() && special.eos == impl.after.back();
    return {};
}

void mark_bytes(Tokenizer::Impl& impl) {
    for (TokenId id = 0; id < impl.table.size(); ++id) {
        TokenKind& kind = impl.kinds[static_cast<std::size_t>(id)];
        if (kind == TokenKind::normal && byte_of_token(impl.table.text(id))) kind = TokenKind::byte;
    }
}

}  // namespace

Result<Tokenizer> Tokenizer::from_tokenizer_json(std::string_view tokenizer_json,
                                                 std::string_view config_json) {
    HEFT_TRY(const TokenizerConfig config, read_tokenizer_config(config_json));
    HEFT_TRY(const JsonDoc doc, JsonDoc::parse(tokenizer_json));
    const JsonElement root = doc.root();
    const auto model = json_find(root, "model");
    if (!model) return Error{Code::corrupt, "there is no model section"};

    auto impl = std::make_unique<Impl>();
    ModelPlan plan;
    plan.impl = impl.get();
    HEFT_OK(read_model(*model, plan));
    HEFT_OK(read_sections(root, *impl));
    std::vector<AddedToken> added;
    HEFT_OK(read_added_list(root, added));
    HEFT_OK(read_tokens(plan, std::move(added)));
    if (plan.byte_fallback) mark_bytes(*impl);
    HEFT_OK(read_merges(plan));
    HEFT_OK(read_special(root, plan, config));
    HEFT_OK(impl->finish());
    return Impl::wrap(std::move(impl));
}

}  // namespace heft::text
