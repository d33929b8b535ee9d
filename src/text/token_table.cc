#include "text/token_table.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "text/hash.h"

namespace heft::text {

Result<TokenTable> TokenTable::build(std::span<const std::string_view> texts) {
    std::size_t total = 0;
    for (const auto& text : texts) total += text.size();
    if (total > std::numeric_limits<std::uint32_t>::max())
        return Error{Code::exhausted, "the vocabulary's texts together pass 4 GiB"};

    TokenTable table;
    table.blob_.reserve(total);
    table.ends_.reserve(texts.size());
    table.slots_.assign(std::bit_ceil(texts.size() * 2 + 1), kNoToken);
    const std::size_t mask = table.slots_.size() - 1;
    for (std::size_t id = 0; id < texts.size(); ++id) {
        const std::string_view text = texts[id];
        table.blob_ += text;
        table.ends_.push_back(static_cast<std::uint32_t>(table.blob_.size()));
        table.longest_ = std::max(table.longest_, text.size());
        if (text.empty()) continue;
        std::size_t slot = hash_text(text) & mask;
        while (table.slots_[slot] != kNoToken && table.text(table.slots_[slot]) != text)
            slot = (slot + 1) & mask;
        if (table.slots_[slot] == kNoToken) table.slots_[slot] = static_cast<TokenId>(id);
    }
    return table;
}

std::string_view TokenTable::text(TokenId id) const {
    if (id < 0 || id >= size()) return {};
    const std::size_t begin = id == 0 ? 0 : ends_[static_cast<std::size_t>(id) - 1];
    return std::string_view(blob_).substr(begin, ends_[static_cast<std::size_t>(id)] - begin);
}

TokenId TokenTable::find(std::string_view text) const {
    if (text.empty() || text.size() > longest_) return kNoToken;
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t slot = hash_text(text) & mask;; slot = (slot + 1) & mask) {
        const TokenId id = slots_[slot];
        if (id == kNoToken || this->text(id) == text) return id;
    }
}

}  // namespace heft::text
