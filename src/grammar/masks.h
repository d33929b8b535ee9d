// A grammar's nodes as masks of tokens. Most of a mask depends only on the rules at hand, not on
// what they are part of: that share is computed once per set of states, with the places in the tree
// of tokens where a rule ends; what follows there is looked up in the node at hand. Whole masks are
// kept with their nodes. Safe to use from many threads. Private to this module.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "grammar/chart.h"
#include "grammar/vocabulary.h"

namespace heft::grammar {

// Bounds of one Masks object; more is forgotten and made again.
struct MaskLimits {
    std::size_t n_node = std::size_t{1} << 17;
    std::size_t bytes = std::size_t{32} << 20;  // of nodes and masks
};

class Masks {
  public:
    // Both outlive it.
    Masks(const Automaton& automaton, const Vocabulary& vocabulary, MaskLimits limits);

    const Node* start();
    const Node* step(const Node* node, std::uint8_t byte);
    const Node* import(const Node* node);
    // Sets the bits of the tokens that can follow, ending ones included; mask_words() words.
    void fill(const Node* node, std::span<std::uint64_t> bits);

    // Whether it has grown beyond its limits: time to go on with a new one.
    bool is_full() const { return full_.load(std::memory_order_relaxed); }
    std::size_t bytes() const { return all_bytes_.load(std::memory_order_relaxed); }

  private:
    using Words = std::vector<std::uint64_t>;
    // A place in the tree that a rule's end leads to.
    struct Exit {
        std::uint32_t rule = 0;
        std::uint32_t place = 0;
    };
    struct Share {
        Words words = {};
        std::vector<Exit> exits = {};
    };

    const std::uint64_t* make(const Node* node);
    const Share& share_of(const Node* detached);
    void add_group(std::span<const Item> items, const Node* node, Words& words);
    // Tokens below `place`, which the node stands at, that the grammar allows.
    void walk(const TokenTree& tree, std::uint32_t place, const Node* node, Words& words,
              std::vector<Exit>* exits);
    void note_size();

    const Vocabulary& vocabulary_;
    MaskLimits limits_;
    std::mutex mutex_;  // guards what is below, but for what Chart says of reading
    Chart chart_;
    std::unordered_map<const Node*, Share> shares_;
    std::vector<std::unique_ptr<Words>> kept_;
    std::vector<const Node*> path_;  // of walk()
    std::size_t bytes_ = 0;
    std::atomic<bool> full_ = false;
    std::atomic<std::size_t> all_bytes_ = 0;
};

}  // namespace heft::grammar
