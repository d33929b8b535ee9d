// Reads tekken.json, Mistral's format: ranks, the pattern and the control tokens in one file.
#include <algorithm>
#include <array>

#include "base/json.h"
#include "text/base64.h"
#include "text/ranks.h"

namespace heft::text {

namespace {

// Of files that were made before the format listed them.
constexpr std::array<std::string_view, 20> kOldSpecial{"<unk>",
                                                       "<s>",
                                                       "</s>",
                                                       "[INST]",
                                                       "[/INST]",
                                                       "[AVAILABLE_TOOLS]",
                                                       "[/AVAILABLE_TOOLS]",
                                                       "[TOOL_RESULTS]",
                                                       "[/TOOL_RESULTS]",
                                                       "[TOOL_CALLS]",
                                                       "[IMG]",
                                                       "<pad>",
                                                       "[IMG_BREAK]",
                                                       "[IMG_END]",
                                                       "[PREFIX]",
                                                       "[MIDDLE]",
                                                       "[SUFFIX]",
                                                       "[SYSTEM_PROMPT]",
                                                       "[/SYSTEM_PROMPT]",
                                                       "[TOOL_CONTENT]"};

struct Sizes {
    std::int64_t all = 0, special = 0;
};

Result<Sizes> read_sizes(JsonElement config) {
    const Sizes sizes{json_int(config, "default_vocab_size").value_or(-1),
                      json_int(config, "default_num_special_tokens").value_or(-1)};
    constexpr std::int64_t kMostSpecial = 1 << 16;  // published files have 1000
    const bool fit = sizes.special >= 0 && sizes.special <= kMostSpecial
                     && sizes.all >= sizes.special
                     && sizes.all <= static_cast<std::int64_t>(kMostTokens);
    if (!fit)
        return Error{Code::corrupt,
                     "default_vocab_size and default_num_special_tokens are absent, "
                     "or do not fit together"};
    return sizes;
}

Result<std::vector<RankedToken>> read_vocab(JsonElement root, const Sizes& sizes) {
    std::vector<RankedToken> tokens;
    JsonArray items;
    const auto vocab = json_find(root, "vocab");
    if (!vocab || vocab->get_array().get(items) != simdjson::SUCCESS)
        return Error{Code::corrupt, "there is no vocab"};
    const std::int64_t wanted = sizes.all - sizes.special;
    for (const JsonElement item : items) {
        const auto rank = json_int(item, "rank");
        const auto text = json_string(item, "token_bytes");
        if (!rank || *rank < 0 || !text)
            return Error{Code::corrupt, "token " + std::to_string(tokens.size())
                                            + " has no rank or no token_bytes"};
        if (*rank >= wanted) continue;  // the file may hold more than the model uses
        HEFT_TRY(std::string bytes, base64_decode(*text));
        tokens.push_back({std::move(bytes), static_cast<TokenId>(*rank + sizes.special)});
    }
    if (static_cast<std::int64_t>(tokens.size()) != wanted)
        return Error{Code::corrupt, "there are " + std::to_string(tokens.size()) + " tokens below "
                                        + std::to_string(wanted)};
    return tokens;
}

AddedToken added_token(std::string text, std::int64_t id, bool control) {
    AddedToken token;
    token.text = std::move(text);
    token.id = static_cast<TokenId>(id);
    token.control = control;
    return token;
}

Status read_listed(JsonElement list, const Sizes& sizes, std::vector<AddedToken>& added) {
    JsonArray items;
    if (list.get_array().get(items) != simdjson::SUCCESS)
        return Error{Code::corrupt, "special_tokens is not a list"};
    for (const JsonElement item : items) {
        const auto rank = json_int(item, "rank");
        const auto text = json_string(item, "token_str");
        if (!rank || *rank < 0 || *rank >= sizes.special || !text)
            return Error{Code::corrupt,
                         "a special token has no token_str, or a rank that is not one of the "
                             + std::to_string(sizes.special) + " first"};
        added.push_back(
            added_token(std::string(*text), *rank, json_bool(item, "is_control").value_or(true)));
    }
    return {};
}

Result<std::vector<AddedToken>> read_special(JsonElement root, const Sizes& sizes) {
    std::vector<AddedToken> added;
    if (const auto list = json_find(root, "special_tokens")) {
        HEFT_OK(read_listed(*list, sizes, added));
    } else {
        const auto count = std::min(kOldSpecial.size(), static_cast<std::size_t>(sizes.special));
        for (std::size_t i = 0; i < count; ++i)
            added.push_back(
                added_token(std::string(kOldSpecial[i]), static_cast<std::int64_t>(i), true));
    }
    std::vector<bool> taken(static_cast<std::size_t>(sizes.special));
    for (const AddedToken& token : added) taken[static_cast<std::size_t>(token.id)] = true;
    for (std::size_t i = 0; i < taken.size(); ++i)
        if (!taken[i])
            added.push_back(added_token("<SPECIAL_" + std::to_string(i) + ">",
                                        static_cast<std::int64_t>(i), true));
    return added;
}

}  // namespace

Result<Tokenizer> Tokenizer::from_tekken(std::string_view tekken_json) {
    HEFT_TRY(const JsonDoc doc, JsonDoc::parse(tekken_json));
    const auto config = json_find(doc.root(), "config");
    const auto pattern = config ? json_string(*config, "pattern") : std::nullopt;
    if (!pattern) return Error{Code::corrupt, "there is no config with a pattern"};
    HEFT_TRY(const Sizes sizes, read_sizes(*config));
    HEFT_TRY(const auto tokens, read_vocab(doc.root(), sizes));
    HEFT_TRY(auto added, read_special(doc.root(), sizes));

    auto impl = std::make_unique<Impl>();
    std::vector<PretokeniserStep> steps;
    HEFT_TRY(PretokeniserStep step, isolating_step(*pattern));
    steps.push_back(std::move(step));
    impl->pretokeniser = Pretokeniser(std::move(steps));
    HEFT_OK(use_ranks(*impl, tokens, std::move(added)));
    impl->pre = pre_tokenizer_name({std::string(*pattern)}, true);
    const auto named = [&impl](std::string_view text) {
        const TokenId id = impl->table.find(text);
        return id == kNoToken ? std::nullopt : std::optional(id);
    };
    impl->special.bos = named("<s>");
    impl->special.eos = named("</s>");
    impl->special.pad = named("<pad>");
    impl->special.add_bos = true;
    impl->description = "byte-level BPE (tekken)";
    HEFT_OK(impl->finish());
    return Impl::wrap(std::move(impl));
}

}  // namespace heft::text
