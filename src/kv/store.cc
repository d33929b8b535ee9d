#include "kv/store.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "base/check.h"

namespace heft::kv {

namespace {

// Less is not worth a block and its copying.
constexpr int kLeastPart = 8;

std::size_t n_common(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
    return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first
                                    - a.begin());
}

std::span<const std::int32_t> block_of(std::span<const std::int32_t> text, std::size_t index) {
    return text.subspan(index * kBlock, kBlock);
}

KnownBlock* child_of(const KnownBlock& parent, std::span<const std::int32_t> tokens) {
    const auto found = parent.children.find({tokens.begin(), tokens.end()});
    return found == parent.children.end() ? nullptr : found->second.get();
}

struct Part {
    KnownBlock* node = nullptr;
    std::size_t n_common = 0;
};

// The child that has most of its beginning in common with the text: in order, one of those that
// the text would stand between.
Part nearest(const KnownBlock& parent, std::span<const std::int32_t> text) {
    text = text.first(std::min<std::size_t>(text.size(), kBlock));
    auto after = parent.children.lower_bound({text.begin(), text.end()});
    Part best;
    const auto consider = [&](const KnownBlock::Children::const_iterator& child) {
        const std::size_t n = n_common(child->first, text);
        if (n > best.n_common) best = {child->second.get(), n};
    };
    if (after != parent.children.end()) consider(after);
    if (after != parent.children.begin()) consider(std::prev(after));
    return best;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::make(const Shape& shape, std::int64_t n_blocks) {
    std::unique_ptr<Store> store(new Store);
    HEFT_TRY(store->memory_, reserve(shape, n_blocks));
    store->shape_ = shape;
    store->n_blocks_ = n_blocks;
    return store;
}

Cache Store::make_cache() {
    Cache cache(shape_);
    cache.store_ = this;
    return cache;
}

KnownBlock& Store::root_of(const Cache& cache) {
    const auto [root, is_new] = roots_.try_emplace(cache.basis);
    if (is_new) root->second.n_users = 1;
    return root->second;
}

std::byte* Store::address(std::int32_t block) const {
    return memory_.data() + block * shape_.block_bytes();
}

std::optional<std::int32_t> Store::take() {
    if (free_.empty() && n_fresh_ < n_blocks_) return static_cast<std::int32_t>(n_fresh_++);
    if (free_.empty()) {
        if (idle_.empty()) return std::nullopt;
        forget(*idle_.begin()->second);
        ++n_evicted_;
    }
    const std::int32_t block = free_.back();
    free_.pop_back();
    return block;
}

void Store::use(KnownBlock& node) {
    if (node.n_users++ > 0) return;
    --n_kept_;
    idle_.erase({node.used_at, &node});
}

void Store::let_go(KnownBlock& node) {
    node.used_at = ++clock_;
    if (--node.n_users > 0) return;
    ++n_kept_;
    if (node.children.empty()) idle_.insert({node.used_at, &node});
}

// One without users and children.
void Store::forget(KnownBlock& node) {
    idle_.erase({node.used_at, &node});
    --n_kept_;
    free_.push_back(node.block);
    KnownBlock& parent = *node.parent;
    parent.children.erase(node.at);
    if (parent.n_users == 0 && parent.children.empty()) idle_.insert({parent.used_at, &parent});
}

// A new child, used by one.
KnownBlock& Store::add(KnownBlock& parent, Text tokens, std::int32_t block) {
    const auto [at, is_new] = parent.children.try_emplace({tokens.begin(), tokens.end()});
    HEFT_CHECK(is_new);
    at->second = std::make_unique<KnownBlock>();
    KnownBlock& node = *at->second;
    node.parent = &parent;
    node.at = at;
    node.block = block;
    node.n_users = 1;
    // What the new one continues is of no further use.
    if (at != parent.children.begin()) {
        KnownBlock& before = *std::prev(at)->second;
        const bool continues = n_common(before.at->first, tokens) == before.at->first.size();
        if (continues && before.n_users == 0) forget(before);
    }
    return node;
}

void Store::give_back(const Cache::Held& held) {
    if (held.node != nullptr)
        let_go(*held.node);
    else
        free_.push_back(held.block);
}

// As the cache's index-th block, instead of the one that it may have there.
void Store::hold(Cache& cache, std::size_t index, std::int32_t block, KnownBlock* node) {
    if (index == cache.held_.size()) {
        cache.held_.push_back({block, node});
        cache.blocks_.push_back(address(block));
        return;
    }
    if (cache.held_[index].block != block) give_back(cache.held_[index]);
    cache.held_[index] = {block, node};
    cache.blocks_[index] = address(block);
}

std::int64_t Store::n_needed(Text text, std::int64_t more, const Basis& basis) const {
    const auto length = static_cast<std::int64_t>(text.size()) + more;
    std::int64_t needed = (length + kBlock - 1) / kBlock;
    const auto root = roots_.find(basis);
    if (root == roots_.end()) return needed;
    const KnownBlock* node = &root->second;
    for (std::size_t i = 0; (i + 1) * kBlock <= text.size(); ++i) {
        node = child_of(*node, block_of(text, i));
        if (node == nullptr || node->n_users == 0) break;
        --needed;
    }
    return needed;
}

bool Store::make_room(Cache& cache, std::int64_t length) {
    while (static_cast<std::int64_t>(cache.held_.size()) * kBlock < length) {
        const auto block = take();
        if (!block) return false;
        hold(cache, cache.held_.size(), *block, nullptr);
    }
    return true;
}

void Store::find(Cache& cache, Text text) {
    KnownBlock* node = &root_of(cache);
    std::size_t i = 0;
    for (; (i + 1) * kBlock <= text.size(); ++i) {
        const bool has_it = i < cache.held_.size() && cache.held_[i].node != nullptr;
        KnownBlock* const child = has_it ? cache.held_[i].node : child_of(*node, block_of(text, i));
        if (child == nullptr) break;
        if (!has_it) {
            use(*child);
            hold(cache, i, child->block, child);
        }
        node = child;
    }
    const auto found = static_cast<std::int64_t>(i) * kBlock;
    if (found >= cache.length_) {
        cache.length_ = found;
        shorten(cache, found);
    }
    find_part(cache, i, *node, text.subspan(i * kBlock));
}

// Into the index-th block, which is the cache's own or to be taken.
void Store::find_part(Cache& cache, std::size_t index, KnownBlock& parent, Text rest) {
    const Part part = nearest(parent, rest);
    const auto begin = static_cast<std::int64_t>(index) * kBlock;
    const auto n = static_cast<std::int64_t>(part.n_common);
    if (begin + n < cache.length_ + kLeastPart) return;
    use(*part.node);  // lest its block be the one that is taken
    if (make_room(cache, begin + 1)) {
        copy(cache, part.node->block, cache.blocks_[index], n);
        cache.length_ = begin + n;
    }
    let_go(*part.node);
}

// The first positions of a block.
void Store::copy(const Cache& cache, std::int32_t from, std::byte* to, std::int64_t n_positions) {
    const auto copy_rows = [&](std::int64_t offset, std::int64_t row_bytes) {
        std::memcpy(to + offset, address(from) + offset,
                    static_cast<std::size_t>(n_positions * row_bytes));
    };
    for (int layer = 0; layer < shape_.n_layer; ++layer) {
        copy_rows(cache.key_offset(layer), cache.key_row_bytes());
        if (shape_.value_row > 0) copy_rows(cache.value_offset(layer), cache.value_row_bytes());
    }
}

void Store::keep(Cache& cache, Text text) {
    KnownBlock* node = &root_of(cache);
    for (std::size_t i = 0; (i + 1) * kBlock <= text.size(); ++i) {
        const Cache::Held held = cache.held_[i];
        if (held.node != nullptr) {
            node = held.node;
            continue;
        }
        const Text tokens = block_of(text, i);
        KnownBlock* known = child_of(*node, tokens);
        if (known != nullptr)
            use(*known);
        else
            known = &add(*node, tokens, held.block);
        hold(cache, i, known->block, known);
        node = known;
    }
}

void Store::keep_all(Cache& cache, Text text) {
    keep(cache, text);
    const std::size_t n_full = text.size() / kBlock;
    const Text rest = text.subspan(n_full * kBlock);
    if (rest.size() < std::size_t{kLeastPart}) return;
    KnownBlock& parent = n_full > 0 ? *cache.held_[n_full - 1].node : root_of(cache);
    if (nearest(parent, rest).n_common == rest.size()) return;  // known already
    cache.held_[n_full].node = &add(parent, rest, cache.held_[n_full].block);
}

void Store::shorten(Cache& cache, std::int64_t length) {
    const auto n = static_cast<std::size_t>((length + kBlock - 1) / kBlock);
    HEFT_CHECK(length % kBlock == 0 || n > cache.held_.size()
               || cache.held_[n - 1].node == nullptr);
    while (cache.held_.size() > n) {
        give_back(cache.held_.back());
        cache.held_.pop_back();
        cache.blocks_.pop_back();
    }
}

}  // namespace heft::kv
