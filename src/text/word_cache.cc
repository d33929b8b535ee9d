#include "text/word_cache.h"

#include "text/hash.h"

namespace heft::text {

namespace {

constexpr std::size_t kLongestWord = 64;
constexpr std::size_t kMostWords = 1U << 17;
constexpr std::size_t kFirstSlots = 1U << 8;

}  // namespace

std::size_t WordCache::slot_of(std::string_view word, std::uint64_t hash) const {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t slot = hash & mask;; slot = (slot + 1) & mask) {
        const Entry& entry = slots_[slot];
        if (entry.bytes == 0) return slot;
        if (entry.hash == hash && std::string_view(texts_).substr(entry.text, entry.bytes) == word)
            return slot;
    }
}

WordCache::Hit WordCache::find(std::string_view word) const {
    if (slots_.empty() || word.size() > kLongestWord) return {};
    const Entry& entry = slots_[slot_of(word, hash_text(word))];
    if (entry.bytes == 0) return {};
    return {true, std::span(ids_).subspan(entry.first, entry.count)};
}

void WordCache::add(std::string_view word, std::span<const TokenId> ids) {
    if (word.empty() || word.size() > kLongestWord || used_ == kMostWords) return;
    if (used_ * 2 >= slots_.size()) grow();
    const std::uint64_t hash = hash_text(word);
    Entry& entry = slots_[slot_of(word, hash)];
    if (entry.bytes != 0) return;
    entry = {hash, static_cast<std::uint32_t>(texts_.size()),
             static_cast<std::uint32_t>(word.size()), static_cast<std::uint32_t>(ids_.size()),
             static_cast<std::uint32_t>(ids.size())};
    texts_ += word;
    ids_.insert(ids_.end(), ids.begin(), ids.end());
    ++used_;
}

void WordCache::grow() {
    std::vector<Entry> old(slots_.empty() ? kFirstSlots : slots_.size() * 2);
    old.swap(slots_);
    const std::size_t mask = slots_.size() - 1;
    for (const Entry& entry : old) {
        if (entry.bytes == 0) continue;
        std::size_t slot = entry.hash & mask;
        while (slots_[slot].bytes != 0) slot = (slot + 1) & mask;
        slots_[slot] = entry;
    }
}

}  // namespace heft::text
