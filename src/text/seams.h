// Where a text can be cut without changing what merging makes of it: between two characters that
// stand next to each other in no token. Words become short, so that a vocabulary without a
// pre-tokenizer is as fast as one with. Immutable; safe to use from many threads.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace heft::text {

class Seams {
  public:
    Seams();
    // Notes the neighbours within a token.
    void add(std::string_view token);

    // Appends the parts of `text`, in order, as views into it.
    void split(std::string_view text, std::vector<std::string_view>& parts) const;

  private:
    // One bit per hash of two characters. A collision only leaves a cut out.
    std::vector<std::uint64_t> joined_;
};

}  // namespace heft::text
