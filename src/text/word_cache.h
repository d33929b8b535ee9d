// Remembers, during one call, which ids a word became: texts repeat their words.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/token.h"

namespace heft::text {

class WordCache {
  public:
    // The ids of a word seen before; valid until the next add().
    struct Hit {
        bool found = false;
        std::span<const TokenId> ids;
    };
    Hit find(std::string_view word) const;

    // Long words and words beyond a fixed number are not kept.
    void add(std::string_view word, std::span<const TokenId> ids);

  private:
    struct Entry {
        std::uint64_t hash = 0;
        std::uint32_t text = 0, bytes = 0;   // in texts_; 0 bytes: free
        std::uint32_t first = 0, count = 0;  // in ids_
    };
    std::size_t slot_of(std::string_view word, std::uint64_t hash) const;
    void grow();

    std::vector<Entry> slots_;
    std::size_t used_ = 0;
    std::string texts_;
    std::vector<TokenId> ids_;
};

}  // namespace heft::text
