// Where a text can stand in a grammar: nodes, each the set of all ways in which the bytes so far
// can be read. This is Earley's method (1970) with two changes: equal sets are one node, whatever
// texts led there, and a node remembers the node that follows each byte. So a grammar without
// recursion becomes a finite automaton as it is used, recursion costs one node per context, and
// left recursion and ambiguity need no care.
//
// Growing is for one thread at a time; known() and what a node holds may be read by others
// meanwhile.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "grammar/automaton.h"

namespace heft::grammar {

struct Node;

// One way: at this state of a rule that began at the node `origin`.
struct Item {
    StateId state = 0;
    const Node* origin = nullptr;  // nullptr: at the very node that holds the item
};

struct Node {
    Node() = default;
    explicit Node(std::uint32_t mark) : id(mark) {}

    std::vector<Item> items = {};             // those that a byte or another rule's end can move
    std::vector<std::uint32_t> returns = {};  // rules that can end here and began at the unknown
    bool accepting = false;                   // the text may end here
    std::uint32_t depth = 0;                  // of rules within rules
    std::uint32_t id = 0;                     // a node's origins have lower ones
    std::unique_ptr<std::atomic<const Node*>[]> next = {};  // by class of byte
    // What a mask keeps here (masks.h); owned there.
    mutable std::atomic<const std::uint64_t*> mask = nullptr;
};

class Chart {
  public:
    explicit Chart(const Automaton& automaton);  // outlives the chart
    Chart(const Chart&) = delete;
    Chart& operator=(const Chart&) = delete;

    // Before the first byte.
    const Node* start();
    // After one more byte; nullptr if the grammar does not allow it.
    const Node* step(const Node* node, std::uint8_t byte);
    // The same where it has been asked before: true, and the answer is in `next`.
    bool known(const Node* node, std::uint8_t byte, const Node*& next) const {
        next = node->next[automaton_.class_of(byte)].load(std::memory_order_acquire);
        if (next == nullptr) return false;
        if (next == &dead_) next = nullptr;
        return true;
    }

    // The ways of a node that began at one origin, in some unknown place: what follows depends on
    // the rules at hand alone, until one ends (Node::returns). Repetitions far from their bounds
    // are taken for one another (Automaton::twin).
    const Node* detached(std::span<const Item> items);
    // After a rule has ended that began at `origin`.
    const Node* after(std::uint32_t rule, const Node* origin);
    // A node of another chart of the same automaton, in this one.
    const Node* import(const Node* node);

    std::size_t size() const { return nodes_.size(); }
    std::size_t bytes() const { return bytes_; }  // about

    // How many edges may be looked at from now on. When they are used up, what is not known yet
    // counts as not allowed: no grammar, however ambiguous, takes long.
    void allow_work(std::int64_t edges) { work_left_ = edges; }

    // Marks for origins: of the outermost rule, and an unknown one.
    static const Node* outermost();
    static const Node* unknown();

  private:
    void push(StateId state, const Node* origin);
    void complete(std::uint32_t rule, const Node* origin);
    void visit(Item item);
    const Node* settle();
    const Node* find_equal(std::uint64_t hash) const;
    bool moves(StateId state) const;

    const Automaton& automaton_;
    std::deque<Node> nodes_;
    std::size_t bytes_ = 0;
    std::unordered_multimap<std::uint64_t, const Node*> by_content_;
    Node dead_;
    // Of the node under way.
    std::vector<Item> work_;
    std::unordered_set<std::uint64_t> seen_;
    std::vector<std::uint32_t> returns_;
    bool accepting_ = false, too_many_ = false;
    std::int64_t work_left_ = 0;
};

}  // namespace heft::grammar
