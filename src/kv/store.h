// Blocks of keys and values that many sequences share. Texts that begin alike have their common
// blocks once, in a tree of blocks by their tokens; blocks that no sequence uses stay as long as
// nobody needs the room, the ones used last the longest (as in Kwon et al. 2023, "vLLM", and Zheng
// et al. 2024, "SGLang"). A block in the tree does not change any more. Not thread-safe; outlives
// its caches.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "kv/cache.h"

namespace heft::kv {

// A block by its tokens, behind those of its parents. One of fewer than kBlock tokens has no
// children: another block begins where it does.
struct KnownBlock {
    using Children = std::map<std::vector<std::int32_t>, std::unique_ptr<KnownBlock>>;

    KnownBlock* parent = nullptr;
    Children::iterator at = {};  // in the parent's children
    Children children = {};
    std::int32_t block = -1;
    int n_users = 0;            // caches that hold it, and with it its parents
    std::uint64_t used_at = 0;  // ordinal of the last time that one let go of it
};

class Store {
  public:
    // `shape`: of each cache. Errors: exhausted.
    static Result<std::unique_ptr<Store>> make(const Shape& shape, std::int64_t n_blocks);

    Cache make_cache();

    std::int64_t n_blocks() const { return n_blocks_; }
    std::int64_t n_used() const { return n_fresh_ - n_free() - n_kept_; }  // by caches
    std::int64_t n_kept() const { return n_kept_; }                        // by nobody, but known
    std::uint64_t n_evicted() const { return n_evicted_; }

    // How many blocks that no cache uses now a new cache would need for a text and `more` tokens.
    std::int64_t n_needed(std::span<const std::int32_t> text, std::int64_t more,
                          const Basis& basis) const;

    // What a cache's members of these names do.
    // Takes blocks for positions up to `length`; false if there are not as many to be had.
    bool make_room(Cache& cache, std::int64_t length);
    // Takes over what is known of the beginning of a text, if that is more than the cache has,
    // whose tokens begin the text, too. What is known of a part of a block is copied.
    void find(Cache& cache, std::span<const std::int32_t> text);
    // Makes the full blocks of the cache's tokens known.
    void keep(Cache& cache, std::span<const std::int32_t> text);
    // And the last one. The cache is not to be written to any more.
    void keep_all(Cache& cache, std::span<const std::int32_t> text);
    // Lets go of the blocks behind `length`, which lies in no block that others may use.
    void shorten(Cache& cache, std::int64_t length);

  private:
    using Text = std::span<const std::int32_t>;

    Store() = default;
    KnownBlock& root_of(const Cache& cache);
    std::int64_t n_free() const { return static_cast<std::int64_t>(free_.size()); }
    std::byte* address(std::int32_t block) const;
    std::optional<std::int32_t> take();
    void use(KnownBlock& node);
    void let_go(KnownBlock& node);
    void forget(KnownBlock& node);
    KnownBlock& add(KnownBlock& parent, Text tokens, std::int32_t block);
    void hold(Cache& cache, std::size_t index, std::int32_t block, KnownBlock* node);
    void give_back(const Cache::Held& held);
    void find_part(Cache& cache, std::size_t index, KnownBlock& parent, Text rest);
    void copy(const Cache& cache, std::int32_t from, std::byte* to, std::int64_t n_positions);

    Shape shape_;
    std::int64_t n_blocks_ = 0;
    Pages memory_;
    std::map<Basis, KnownBlock> roots_;  // never let go of
    std::vector<std::int32_t> free_;     // used before, the last one first
    std::int64_t n_fresh_ = 0;           // blocks that were ever used
    std::set<std::pair<std::uint64_t, KnownBlock*>>
        idle_;  // without users and children, by used_at
    std::int64_t n_kept_ = 0;
    std::uint64_t n_evicted_ = 0;
    std::uint64_t clock_ = 0;
};

}  // namespace heft::kv
