#include "grammar/vocabulary.h"

#include <algorithm>

#include "base/check.h"
#include "grammar/automaton.h"
#include "text/tokenizer.h"

namespace heft::grammar {

namespace {

// No token of a published vocabulary is longer than a few hundred bytes.
constexpr std::size_t kMaxTokenBytes = 4096;

std::size_t common_prefix(std::string_view a, std::string_view b) {
    const std::size_t most = std::min(a.size(), b.size());
    return static_cast<std::size_t>(
        std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(most), b.begin()).first
        - a.begin());
}

}  // namespace

TokenBytes token_bytes(const text::Tokenizer& tokenizer, int size) {
    TokenBytes out;
    out.size = std::max(size, tokenizer.size());
    // What pads a table of tokens is no text.
    out.bytes_of = [words = &tokenizer](TokenId id) {
        return std::string(words->kind(id) == text::TokenKind::unused ? "" : words->bytes_of(id));
    };
    out.end_of_generation = tokenizer.special().end_of_generation;
    return out;
}

TokenTree::TokenTree(const std::vector<Entry>& entries) {
    nodes_.push_back({});
    std::vector<std::uint32_t> path = {0};  // nodes of the last entry, the root first
    const auto close = [this, &path](std::size_t depth) {
        for (; path.size() > depth + 1; path.pop_back())
            nodes_[path.back()].end = static_cast<std::uint32_t>(nodes_.size());
    };
    std::string_view last;
    for (const Entry& entry : entries) {
        close(common_prefix(last, entry.bytes));
        for (std::size_t i = path.size() - 1; i < entry.bytes.size(); ++i) {
            path.push_back(static_cast<std::uint32_t>(nodes_.size()));
            nodes_.push_back({0, static_cast<std::uint32_t>(tokens_.size()),
                              static_cast<std::uint16_t>(i + 1),
                              static_cast<std::uint8_t>(entry.bytes[i])});
        }
        tokens_.push_back(entry.id);
        last = entry.bytes;
        max_depth_ = std::max(max_depth_, static_cast<int>(last.size()));
    }
    close(0);
    nodes_[0].end = static_cast<std::uint32_t>(nodes_.size());
    nodes_.push_back({0, static_cast<std::uint32_t>(tokens_.size()), 0, 0});
}

Vocabulary::Vocabulary(const TokenBytes& tokens)
    : size_(tokens.size),
      end_of_generation_(tokens.end_of_generation),
      usual_(std::vector<TokenTree::Entry>{}),
      long_(std::vector<TokenTree::Entry>{}) {
    HEFT_CHECK(size_ >= 0);
    const auto outside = [this](TokenId id) { return id < 0 || id >= size_; };
    end_of_generation_.erase(
        std::remove_if(end_of_generation_.begin(), end_of_generation_.end(), outside),
        end_of_generation_.end());
    std::sort(end_of_generation_.begin(), end_of_generation_.end());
    begin_.push_back(0);
    for (TokenId id = 0; id < size_; ++id) {
        const bool ends =
            std::binary_search(end_of_generation_.begin(), end_of_generation_.end(), id);
        if (const std::string bytes = ends ? "" : tokens.bytes_of(id);
            bytes.size() <= kMaxTokenBytes)
            bytes_ += bytes;
        begin_.push_back(static_cast<std::uint32_t>(bytes_.size()));
    }
    usual_ = tree(false);
    long_ = tree(true);
}

TokenTree Vocabulary::tree(bool of_long_ones) const {
    std::vector<TokenTree::Entry> entries;
    for (TokenId id = 0; id < size_; ++id) {
        const std::string_view bytes = bytes_of(id);
        const bool is_long = bytes.size() > std::size_t{kTwinBytes};
        if (!bytes.empty() && is_long == of_long_ones) entries.push_back({bytes, id});
    }
    std::sort(entries.begin(), entries.end(),
              [](const auto& a, const auto& b) { return a.bytes < b.bytes; });
    return TokenTree(entries);
}

std::string_view Vocabulary::bytes_of(TokenId id) const {
    if (id < 0 || id >= size_) return {};
    const auto at = static_cast<std::size_t>(id);
    return std::string_view(bytes_).substr(begin_[at], begin_[at + 1] - begin_[at]);
}

bool Vocabulary::ends_generation(TokenId id) const {
    return std::binary_search(end_of_generation_.begin(), end_of_generation_.end(), id);
}

}  // namespace heft::grammar
