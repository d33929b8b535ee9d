// Reads tokenizer.json, the format of the Hugging Face tokenizers library, for models of type BPE.
#include "text/tokenizer_json.h"

#include <utility>

#include "text/tokenizer_config.h"

namespace heft::text {

namespace {

// The model section's vocabulary and the added tokens, by id.
Status read_tokens(JsonElement root, JsonObject vocab, Tokenizer::Impl& impl) {
    std::vector<AddedToken> added;
    const auto read_one = [&added](JsonElement item) -> Status {
        AddedToken token = read_added_token(item);
        const auto id = json_int(item, "id");
        if (!id || *id < 0 || *id >= static_cast<std::int64_t>(kMostTokens))
            return Error{Code::corrupt,
                         "the added token " + shown(token.text) + " has no valid id"};
        token.id = static_cast<TokenId>(*id);
        added.push_back(std::move(token));
        return {};
    };
    HEFT_OK(each_item(root, "added_tokens", read_one));

    NumberedTexts texts(vocab.size() + added.size());
    for (const auto& entry : vocab) {
        std::int64_t id = -1;
        if (entry.value.get_int64().get(id) != simdjson::SUCCESS)
            return Error{Code::corrupt, "the token " + shown(entry.key) + " has no number as id"};
        HEFT_OK(texts.set(id, entry.key, TokenKind::normal));
    }
    for (const AddedToken& token : added)
        HEFT_OK(texts.set(token.id, token.text,
                          token.control ? TokenKind::control : TokenKind::user_defined));
    HEFT_OK(texts.build(impl));
    if (impl.table.size() == 0) return Error{Code::corrupt, "the vocabulary is empty"};

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

Status read_merges(JsonElement model, Tokenizer::Impl& impl) {
    std::vector<MergeNames> merges;
    const auto read_one = [&merges](JsonElement item) -> Status {
        std::string_view text;
        MergeNames names;
        if (item.get_string().get(text) == simdjson::SUCCESS) {
            HEFT_TRY(names, split_merge(text, merges.size()));
        } else if (item.at(0).get_string().get(names.left) != simdjson::SUCCESS
                   || item.at(1).get_string().get(names.right) != simdjson::SUCCESS) {
            return Error{Code::corrupt,
                         "merge " + std::to_string(merges.size()) + " is not a pair of tokens"};
        }
        merges.push_back(names);
        return {};
    };
    HEFT_OK(each_item(model, "merges", read_one));
    HEFT_TRY(auto rules, resolve_merges(impl.table, merges));
    impl.pairs = rules.get();
    impl.rules = std::move(rules);
    return {};
}

Status check_model(JsonElement model) {
    const std::string_view type = json_string(model, "type").value_or("BPE");
    if (type != "BPE")
        return Error{Code::unsupported,
                     "the tokenizer type " + shown(type) + " is not supported; heft reads BPE"};
    for (const std::string_view key : {"continuing_subword_prefix", "end_of_word_suffix"})
        if (!json_string(model, key).value_or("").empty())
            return Error{Code::unsupported,
                         "a BPE model with a " + std::string(key) + " is not supported"};
    return {};
}

// normalizer, pre_tokenizer and decoder: which kind of BPE this is, and how it treats spaces.
Status read_sections(JsonElement root, Tokenizer::Impl& impl) {
    PreTokenizerPlan plan;
    DecoderPlan decoder;
    std::vector<NormaliserStep> steps;
    if (const auto section = json_find(root, "pre_tokenizer"))
        HEFT_OK(read_pre_tokenizer(*section, plan));
    if (const auto section = json_find(root, "normalizer"))
        HEFT_OK(read_normaliser(*section, steps, impl.prefix));
    const auto decoding = json_find(root, "decoder");
    if (decoding) HEFT_OK(read_decoder(*decoding, decoder));
    if (plan.prefix) impl.prefix = *plan.prefix;
    if (plan.space_mark) steps.emplace_back(ReplaceText{" ", *plan.space_mark});
    impl.normaliser = Normaliser(std::move(steps));

    const bool bytes = plan.byte_level || decoder.byte_level;
    impl.alphabet = bytes ? Alphabet::bytes : Alphabet::characters;
    if (bytes && plan.named) impl.pre = pre_tokenizer_name(plan.patterns, impl.ignore_merges);
    impl.pretokeniser = Pretokeniser(std::move(plan.steps));
    impl.drops_first_space =
        !bytes && (decoding ? decoder.strips_first_space : impl.prefix.when != Prefix::When::never);
    impl.description = !bytes             ? "SentencePiece BPE"
                       : impl.pre.empty() ? "byte-level BPE"
                                          : "byte-level BPE (" + impl.pre + ")";
    return {};
}

Status read_special(JsonElement root, JsonElement model, const TokenizerConfig& config,
                    Tokenizer::Impl& impl) {
    SpecialTokens& special = impl.special;
    const auto named = [&impl](std::string_view text) {
        const TokenId id = impl.table.find(text);
        return id == kNoToken ? std::nullopt : std::optional(id);
    };
    special.bos = named(config.bos);
    special.eos = named(config.eos);
    special.pad = named(config.pad);
    // The model's own unknown token counts; tokenizer_config may name one that is never made.
    special.unk = named(json_string(model, "unk_token").value_or(config.unk));
    if (special.unk) {
        TokenKind& kind = impl.kinds[static_cast<std::size_t>(*special.unk)];
        if (kind == TokenKind::normal || impl.alphabet == Alphabet::characters)
            kind = TokenKind::unknown;
    }
    if (const auto section = json_find(root, "post_processor"))
        HEFT_OK(read_post_processor(*section, impl.table, impl.before, impl.after));
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
    HEFT_OK(check_model(*model));
    JsonObject vocab;
    const auto entries = json_find(*model, "vocab");
    if (!entries || entries->get_object().get(vocab) != simdjson::SUCCESS)
        return Error{Code::corrupt, "the model section has no vocab"};

    auto impl = std::make_unique<Impl>();
    impl->ignore_merges = json_bool(*model, "ignore_merges").value_or(false);
    impl->fuse_unknown = json_bool(*model, "fuse_unk").value_or(false);
    HEFT_OK(read_sections(root, *impl));
    HEFT_OK(read_tokens(root, vocab, *impl));
    if (json_bool(*model, "byte_fallback").value_or(false)) mark_bytes(*impl);
    HEFT_OK(read_merges(*model, *impl));
    HEFT_OK(read_special(root, *model, config, *impl));
    HEFT_OK(impl->finish());
    return Impl::wrap(std::move(impl));
}

}  // namespace heft::text
