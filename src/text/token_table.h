// The texts of a vocabulary: id to text and text to id. One block of memory for all texts.
// Immutable after building; safe to use from many threads.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/token.h"

namespace heft::text {

class TokenTable {
  public:
    TokenTable() = default;

    // texts[id]. Empty texts are never found; of equal texts the lowest id is.
    // Errors: exhausted, when the texts together pass 4 GiB.
    static Result<TokenTable> build(std::span<const std::string_view> texts);

    int size() const { return static_cast<int>(ends_.size()); }
    std::string_view text(TokenId id) const;          // empty when out of range
    TokenId find(std::string_view text) const;        // kNoToken when absent
    std::size_t longest() const { return longest_; }  // bytes of the longest text

  private:
    std::string blob_;
    std::vector<std::uint32_t> ends_;  // of text i, in blob_
    std::vector<TokenId> slots_;       // open addressing, a power of two
    std::size_t longest_ = 0;
};

}  // namespace heft::text
