// What a grammar has to know of a tokenizer: the bytes of each token, as a tree in which tokens
// with a common beginning share it. Built once per tokenizer; immutable; safe to use from many
// threads.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/token.h"

namespace heft::text {
class Tokenizer;
}

namespace heft::grammar {

using text::TokenId;

// What building needs of a tokenizer.
struct TokenBytes {
    // How many ids a mask is for; at least the tokenizer's own. Those beyond are never allowed.
    int size = 0;
    // The bytes that a token adds after others. None: never allowed, as for control tokens.
    std::function<std::string(TokenId)> bytes_of = {};
    // These say "the text ends here"; allowed exactly where the grammar may end.
    std::vector<TokenId> end_of_generation = {};
};

// `size`: of the model's logits; 0: the tokenizer's own. `tokenizer` outlives the struct.
TokenBytes token_bytes(const text::Tokenizer& tokenizer, int size = 0);

// Tokens by their bytes, in preorder: a node's descendants stand right behind it.
class TokenTree {
  public:
    struct Node {
        std::uint32_t end = 0;          // one behind its last descendant
        std::uint32_t first_token = 0;  // of tokens(); the next node's says where they end
        std::uint16_t depth = 0;        // bytes from the root
        std::uint8_t byte = 0;
    };

    struct Entry {
        std::string_view bytes;
        TokenId id = 0;
    };
    // Sorted by bytes, none of them empty or longer than 65535.
    explicit TokenTree(const std::vector<Entry>& entries);

    std::span<const Node> nodes() const { return {nodes_.data(), nodes_.size() - 1}; }
    // Those whose bytes end at this node.
    std::span<const TokenId> tokens_at(std::uint32_t node) const {
        const std::uint32_t from = nodes_[node].first_token;
        return std::span(tokens_).subspan(from, nodes_[node + 1].first_token - from);
    }
    int max_depth() const { return max_depth_; }

  private:
    std::vector<Node> nodes_;  // the root first, and one behind the last
    std::vector<TokenId> tokens_;
    int max_depth_ = 0;
};

class Vocabulary {
  public:
    explicit Vocabulary(const TokenBytes& tokens);

    int size() const { return size_; }
    std::size_t mask_words() const { return (static_cast<std::size_t>(size_) + 63) / 64; }
    // Empty for ids that no grammar allows, and for ids out of range.
    std::string_view bytes_of(TokenId id) const;
    bool ends_generation(TokenId id) const;
    std::span<const TokenId> end_of_generation() const { return end_of_generation_; }

    const TokenTree& usual() const { return usual_; }  // tokens up to kTwinBytes bytes
    const TokenTree& long_ones() const { return long_; }

  private:
    TokenTree tree(bool of_long_ones) const;

    int size_;
    std::string bytes_;
    std::vector<std::uint32_t> begin_;
    std::vector<TokenId> end_of_generation_;
    TokenTree usual_, long_;
};

}  // namespace heft::grammar
