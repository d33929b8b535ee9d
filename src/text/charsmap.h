// SentencePiece's precompiled character map: pieces of a text that are written otherwise, such as
// NFKC with its own additions. At each place the longest key wins. The map is a double array
// (darts-clone's units of 32 bits) with a block of zero-terminated replacements after it.
// Immutable; safe to use from many threads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace heft::text {

class Charsmap {
  public:
    // The map as the model file has it: a little-endian u32, the bytes of the double array; the
    // array; the replacements. Errors: corrupt.
    static Result<Charsmap> build(Bytes blob);

    // Invalid UTF-8 passes through. Stops soon after the result has passed `limit` bytes.
    std::string apply(std::string_view text, std::size_t limit = ~std::size_t{0}) const;

    std::string_view blob() const { return blob_; }  // what build() was given

  private:
    struct Found {
        std::size_t bytes = 0;  // of the key; 0: none
        std::string_view with;
    };
    Found longest_at(std::string_view text) const;

    std::string blob_;
    std::vector<std::uint32_t> units_;
    std::size_t replacements_at_ = 0;  // in blob_
};

}  // namespace heft::text
