// Byte-pair merging, the heart of both kinds of tokenizer: of all neighbours that may merge, the
// pair of the lowest rank (of equal ranks the leftmost) merges first, until none may. A heap of
// candidates over a linked list of symbols: O(n log n) for any word.
// Sources: Sennrich et al. 2016 (arXiv:1508.07909); SentencePiece's BPE by score.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/token.h"
#include "text/token_table.h"

namespace heft::text {

inline constexpr std::uint32_t kNoRank = 0xFFFFFFFFU;

struct Symbol {
    TokenId id = kNoToken;
    std::uint32_t begin = 0, bytes = 0;   // in the word; 0 bytes once merged away
    std::uint32_t before = 0, after = 0;  // indices of the neighbours; kNone at the ends
    std::uint32_t rank = kNoRank;         // of the merge with the symbol after
    TokenId into = kNoToken;              // what that merge gives
};

struct Merge {
    std::uint32_t rank = kNoRank;  // kNoRank: the two do not merge
    TokenId into = kNoToken;
};

class MergeRules {
  public:
    virtual ~MergeRules() = default;
    virtual Merge find(std::string_view word, const Symbol& left, const Symbol& right) const = 0;
};

// Rules as pairs of ids, ranked by their order. For merges lists.
class PairRules final : public MergeRules {
  public:
    struct Pair {
        TokenId left, right, into;
    };

    // Rank is the index; a pair that comes twice keeps its first rank.
    explicit PairRules(std::vector<Pair> pairs);
    Merge find(std::string_view word, const Symbol& left, const Symbol& right) const override;
    const std::vector<Pair>& pairs() const { return pairs_; }

  private:
    struct Slot {
        std::uint64_t key;
        std::uint32_t rank;
    };
    std::vector<Pair> pairs_;
    std::vector<Slot> slots_;  // open addressing, a power of two
};

// Any two symbols whose joined text is a token merge; the token with the highest score first.
class ScoreRules final : public MergeRules {
  public:
    // `table` outlives the rules. `ranks[id]` orders the tokens, kNoRank for those that no merge
    // may make.
    ScoreRules(const TokenTable& table, std::vector<std::uint32_t> ranks);
    Merge find(std::string_view word, const Symbol& left, const Symbol& right) const override;

    // Lower for higher scores. The score is a number, not NaN.
    static std::uint32_t rank_of(float score);

  private:
    const TokenTable* table_;
    std::vector<std::uint32_t> ranks_;
};

// Symbols of one word, and the memory to merge them in; reused from word to word.
class Merger {
  public:
    void clear() { symbols_.clear(); }
    void add(TokenId id, std::size_t begin, std::size_t bytes);
    void run(std::string_view word, const MergeRules& rules);

    // Calls visit(symbol) for those that are left, in order.
    template <class Visit>
    void each(const Visit& visit) const {
        for (const Symbol& symbol : symbols_)
            if (symbol.bytes != 0) visit(symbol);
    }

  private:
    // Looks up the merge of a symbol with the one after; appends it to `candidates` if there is
    // one.
    bool rank(std::uint32_t at, std::string_view word, const MergeRules& rules,
              std::vector<std::uint64_t>& candidates);
    std::uint64_t take_best(std::size_t& sorted);

    std::vector<Symbol> symbols_;
    // Candidates: rank in the high half, index of the left symbol in the low. Those of the word as
    // it comes are sorted once; those that merging makes are a heap.
    std::vector<std::uint64_t> first_, heap_;
};

}  // namespace heft::text
