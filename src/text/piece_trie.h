// Texts by their bytes, to find all that a text begins with. Nodes of one parent lie side by side,
// sorted by byte. Immutable; safe to use from many threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/token.h"

namespace heft::text {

class PieceTrie {
  public:
    struct Piece {
        std::string_view text;
        TokenId id;
    };

    // A place in a text costs as many steps as the longest piece has bytes, so there is a limit.
    static constexpr std::size_t kLongest = 1024;

    PieceTrie() = default;
    // Empty pieces are left out; of equal ones the lowest id counts. Errors: unsupported, for a
    // piece longer than kLongest.
    static Result<PieceTrie> build(std::vector<Piece> pieces);

    // Calls visit(bytes, id) for each piece that `text` begins with, the shortest first.
    template <class Visit>
    void each_prefix(std::string_view text, const Visit& visit) const {
        std::uint32_t at = 0;
        for (std::size_t i = 0; i < text.size() && at < nodes_.size(); ++i) {
            const Node& node = nodes_[at];
            const auto byte = static_cast<std::uint8_t>(text[i]);
            const auto first = labels_.begin() + node.first;
            const auto found = std::lower_bound(first, first + node.count, byte);
            if (found == first + node.count || *found != byte) return;
            at = static_cast<std::uint32_t>(found - labels_.begin());
            if (nodes_[at].id != kNoToken) visit(i + 1, nodes_[at].id);
        }
    }

  private:
    struct Node {
        std::uint32_t first = 0, count = 0;  // its children
        TokenId id = kNoToken;
    };
    std::vector<Node> nodes_;           // the root first
    std::vector<std::uint8_t> labels_;  // the byte that leads to node i
};

}  // namespace heft::text
