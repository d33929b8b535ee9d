#include "text/bpe.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <utility>

#include "text/hash.h"

namespace heft::text {

namespace {

constexpr std::uint32_t kNone = 0xFFFFFFFFU;
constexpr std::uint64_t kFree = ~std::uint64_t{0};  // no pair of ids is that

std::uint64_t key_of(TokenId left, TokenId right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32
           | static_cast<std::uint32_t>(right);
}

}  // namespace

PairRules::PairRules(std::vector<Pair> pairs) : pairs_(std::move(pairs)) {
    slots_.assign(std::bit_ceil(pairs_.size() + pairs_.size() / 2 + 1), {kFree, kNoRank});
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t rank = 0; rank < pairs_.size(); ++rank) {
        const std::uint64_t key = key_of(pairs_[rank].left, pairs_[rank].right);
        std::size_t slot = hash_pair(key) & mask;
        while (slots_[slot].key != kFree && slots_[slot].key != key) slot = (slot + 1) & mask;
        if (slots_[slot].key == kFree) slots_[slot] = {key, static_cast<std::uint32_t>(rank)};
    }
}

Merge PairRules::find(std::string_view /*word*/, const Symbol& left, const Symbol& right) const {
    if (left.id == kNoToken || right.id == kNoToken) return {};
    const std::uint64_t key = key_of(left.id, right.id);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t slot = hash_pair(key) & mask;; slot = (slot + 1) & mask) {
        if (slots_[slot].key == kFree) return {};
        if (slots_[slot].key == key) return {slots_[slot].rank, pairs_[slots_[slot].rank].into};
    }
}

ScoreRules::ScoreRules(const TokenTable& table, std::vector<std::uint32_t> ranks)
    : table_(&table), ranks_(std::move(ranks)) {}

Merge ScoreRules::find(std::string_view word, const Symbol& left, const Symbol& right) const {
    const TokenId id = table_->find(word.substr(left.begin, left.bytes + std::size_t{right.bytes}));
    if (id == kNoToken || ranks_[static_cast<std::size_t>(id)] == kNoRank) return {};
    return {ranks_[static_cast<std::size_t>(id)], id};
}

std::uint32_t ScoreRules::rank_of(float score) {
    // IEEE 754 numbers order like their bits, once negative ones are turned around; -0 is 0.
    const auto bits = std::bit_cast<std::uint32_t>(score + 0.0F);
    constexpr std::uint32_t kSign = 0x80000000U;
    const std::uint32_t rising = bits & kSign ? ~bits : bits | kSign;
    return ~rising;
}

void Merger::add(TokenId id, std::size_t begin, std::size_t bytes) {
    Symbol symbol;
    symbol.id = id;
    symbol.begin = static_cast<std::uint32_t>(begin);
    symbol.bytes = static_cast<std::uint32_t>(bytes);
    symbols_.push_back(symbol);
}

bool Merger::rank(std::uint32_t at, std::string_view word, const MergeRules& rules,
                  std::vector<std::uint64_t>& candidates) {
    Symbol& symbol = symbols_[at];
    const Merge merge =
        symbol.after == kNone ? Merge{} : rules.find(word, symbol, symbols_[symbol.after]);
    symbol.rank = merge.rank;
    symbol.into = merge.into;
    if (merge.rank == kNoRank) return false;
    candidates.push_back(std::uint64_t{merge.rank} << 32 | at);
    return true;
}

// The lowest of both lists, taken out; `sorted` is how far first_ is used up.
std::uint64_t Merger::take_best(std::size_t& sorted) {
    if (sorted < first_.size() && (heap_.empty() || first_[sorted] < heap_.front()))
        return first_[sorted++];
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>{});
    const std::uint64_t best = heap_.back();
    heap_.pop_back();
    return best;
}

void Merger::run(std::string_view word, const MergeRules& rules) {
    const auto count = static_cast<std::uint32_t>(symbols_.size());
    for (std::uint32_t i = 0; i < count; ++i) {
        symbols_[i].before = i == 0 ? kNone : i - 1;
        symbols_[i].after = i + 1 == count ? kNone : i + 1;
    }
    first_.clear();
    heap_.clear();
    for (std::uint32_t i = 0; i < count; ++i) rank(i, word, rules, first_);
    std::sort(first_.begin(), first_.end());

    const auto rerank = [&](std::uint32_t at) {
        if (rank(at, word, rules, heap_))
            std::push_heap(heap_.begin(), heap_.end(), std::greater<>{});
    };
    for (std::size_t sorted = 0; sorted < first_.size() || !heap_.empty();) {
        const std::uint64_t best = take_best(sorted);
        const auto at = static_cast<std::uint32_t>(best);
        Symbol& left = symbols_[at];
        // A candidate is stale when its symbol is gone or merges otherwise by now.
        if (left.bytes == 0 || left.rank != best >> 32) continue;
        Symbol& right = symbols_[left.after];
        left.id = left.into;
        left.bytes += right.bytes;
        left.after = right.after;
        right.bytes = 0;
        if (left.after != kNone) symbols_[left.after].before = at;
        rerank(at);
        if (left.before != kNone) rerank(left.before);
    }
}

}  // namespace heft::text
