#include "text/ranks.h"

#include <algorithm>

#include "text/byte_level.h"

namespace heft::text {

namespace {

// Every part of a token is looked up, each in as many steps as it has bytes. Published tokens have
// no more than some hundred.
constexpr std::size_t kLongestRanked = 1024;

}  // namespace

Status use_ranks(Tokenizer::Impl& impl, const std::vector<RankedToken>& tokens,
                 std::vector<AddedToken> added) {
    impl.alphabet = Alphabet::bytes;
    impl.ignore_merges = true;
    std::vector<std::string> spelled;
    spelled.reserve(tokens.size());
    NumberedTexts texts(tokens.size() + added.size());
    NumberedTexts bytes(tokens.size() + added.size());
    for (const RankedToken& token : tokens) {
        if (token.bytes.size() > kLongestRanked)
            return Error{Code::unsupported,
                         "token " + std::to_string(token.id) + " is longer than 1024 bytes"};
        if (token.bytes.empty()) return Error{Code::corrupt, "a token has no bytes"};
        if (token.id >= 0 && !texts.text(static_cast<std::size_t>(token.id)).empty())
            return Error{Code::corrupt, "the id " + std::to_string(token.id) + " is given twice"};
        spelled.push_back(byte_level_spell(token.bytes));
        HEFT_OK(texts.set(token.id, spelled.back(), TokenKind::normal));
        HEFT_OK(bytes.set(token.id, token.bytes, TokenKind::normal));
    }
    if (tokens.empty()) return Error{Code::corrupt, "there are no tokens in it"};
    for (const AddedToken& token : added) {
        HEFT_OK(texts.set(token.id, token.text,
                          token.control ? TokenKind::control : TokenKind::user_defined));
        HEFT_OK(bytes.set(token.id, {}, TokenKind::control));
    }
    HEFT_OK(bytes.build(impl));
    impl.ranked = std::move(impl.table);
    HEFT_OK(texts.build(impl));
    std::vector<std::uint32_t> ranks(static_cast<std::size_t>(impl.ranked.size()), kNoRank);
    for (const RankedToken& token : tokens)
        ranks[static_cast<std::size_t>(token.id)] = static_cast<std::uint32_t>(token.id);
    impl.rules = std::make_unique<ScoreRules>(impl.ranked, std::move(ranks));
    HEFT_TRY(impl.added, AddedTokens::build(std::move(added)));
    return {};
}

}  // namespace heft::text
