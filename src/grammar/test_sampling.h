// Vocabularies without a tokenizer, and random texts drawn through masks; for tests alone.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "grammar/matcher.h"

namespace heft::grammar::testing {

// Every byte, then the pieces, then the end of generation and a control token.
inline std::shared_ptr<const Vocabulary> vocabulary_of(std::vector<std::string> pieces) {
    std::vector<std::string> all;
    for (int byte = 0; byte < 256; ++byte) all.emplace_back(1, static_cast<char>(byte));
    all.insert(all.end(), pieces.begin(), pieces.end());
    TokenBytes tokens;
    tokens.size = static_cast<int>(all.size()) + 2;
    tokens.end_of_generation = {static_cast<TokenId>(all.size())};
    tokens.bytes_of = [all](TokenId id) {
        const auto at = static_cast<std::size_t>(id);
        return at < all.size() ? all[at] : std::string();
    };
    return std::make_shared<const Vocabulary>(tokens);
}

inline std::vector<std::string> json_pieces() {
    std::vector<std::string> out = {
        "{\"",  "\":",  "\": ",  "\",",      "\", \"",   "\"}",    "},",    "}]",   "]}",    "}}",
        "null", "true", "false", "[]",       "{}",       "[{\"",   " \"",   "\"\"", "10",    "123",
        "0.5",  "-1",   "e+",    "id",       "name",     "\"id\"", "abc",   "foo",  "bar",   " the",
        "é",    "日",   "本",    "\xE6\x97", "\\n",      "\\u00",  "\":\"", "\\\"", "2024-", "-01",
        "T10:", "ключ", "na",    "next\":",  "\"v\": 1", ", \"",   "://",   "a/b"};
    out.emplace_back(40, 'a');
    out.emplace_back(70, '1');
    out.push_back("\"" + std::string(35, 'x') + "\"");
    return out;
}

inline bool has_bit(const std::vector<std::uint64_t>& bits, TokenId id) {
    const auto at = static_cast<std::size_t>(id);
    return (bits[at / 64] >> (at % 64) & 1) != 0;
}

// Draws tokens that the mask allows, until the text ends; none if it does not within `most`.
// Rather soon than late: after a while the end and closing pieces are preferred.
inline std::optional<std::string> draw_text(Matcher matcher, Rng& rng, int most = 3000) {
    const Vocabulary& words = matcher.vocabulary();
    std::vector<std::uint64_t> bits(words.mask_words());
    std::string text;
    for (int n = 0; n < most; ++n) {
        matcher.fill_mask(bits);
        std::vector<TokenId> allowed;
        std::vector<TokenId> closing;
        for (TokenId id = 0; id < words.size(); ++id) {
            if (!has_bit(bits, id)) continue;
            allowed.push_back(id);
            const std::string_view bytes = words.bytes_of(id);
            const bool closes = bytes.empty() || bytes[0] == '"' || bytes[0] == '}'
                                || bytes[0] == ']' || bytes[0] == 'n';
            if (closes) closing.push_back(id);
        }
        if (allowed.empty()) return std::nullopt;
        const bool hurry = n > 20 + static_cast<int>(rng.next() % 40);
        const auto& from = hurry && !closing.empty() ? closing : allowed;
        const TokenId id = from[rng.next() % from.size()];
        text += words.bytes_of(id);
        if (!matcher.accept(id)) return std::nullopt;
        if (matcher.ended()) return text;
    }
    return std::nullopt;
}

}  // namespace heft::grammar::testing
