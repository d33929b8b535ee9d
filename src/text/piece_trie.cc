#include "text/piece_trie.h"

#include <string>

namespace heft::text {

Result<PieceTrie> PieceTrie::build(std::vector<Piece> pieces) {
    for (const Piece& piece : pieces)
        if (piece.text.size() > kLongest)
            return Error{Code::unsupported,
                         "token " + std::to_string(piece.id) + " is longer than 1024 bytes"};
    std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) {
        return a.text != b.text ? a.text < b.text : a.id < b.id;
    });

    // Node by node, each with the stretch of the sorted list that it leads to.
    struct Stretch {
        std::size_t begin, end, depth;
    };
    PieceTrie trie;
    std::vector<Stretch> stretches{{0, pieces.size(), 0}};
    trie.nodes_.emplace_back();
    trie.labels_.push_back(0);
    for (std::size_t i = 0; i < trie.nodes_.size(); ++i) {
        auto [begin, end, depth] = stretches[i];
        if (begin < end && depth > 0 && pieces[begin].text.size() == depth)
            trie.nodes_[i].id = pieces[begin].id;
        while (begin < end && pieces[begin].text.size() == depth) ++begin;
        trie.nodes_[i].first = static_cast<std::uint32_t>(trie.nodes_.size());
        while (begin < end) {
            const char byte = pieces[begin].text[depth];
            std::size_t next = begin + 1;
            while (next < end && pieces[next].text[depth] == byte) ++next;
            stretches.push_back({begin, next, depth + 1});
            trie.nodes_.emplace_back();
            trie.labels_.push_back(static_cast<std::uint8_t>(byte));
            begin = next;
        }
        trie.nodes_[i].count =
            static_cast<std::uint32_t>(trie.nodes_.size()) - trie.nodes_[i].first;
    }
    return trie;
}

}  // namespace heft::text
