#include "grammar/chart.h"

#include <algorithm>
#include <tuple>

namespace heft::grammar {

namespace {

// Beyond these a text counts as not allowed: deeper nesting, and more readings of one text at once,
// than anything but an attack has.
constexpr std::uint32_t kMaxDepth = 1000;
constexpr std::size_t kMaxItems = std::size_t{1} << 14;
constexpr std::size_t kFewBuckets = 1024;
// However much one step of a hostile grammar asks for.
constexpr std::size_t kMaxNodes = std::size_t{1} << 20;

// Ids of the marks; real nodes count from kFirstId.
constexpr std::uint32_t kSelfId = 0, kOutermostId = 1, kUnknownId = 2, kFirstId = 3;

std::uint32_t id_of(const Node* origin) {
    return origin == nullptr ? kSelfId : origin->id;
}

std::uint64_t key_of(Item item) {
    return (std::uint64_t{item.state} << 32) | id_of(item.origin);
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
    hash = (hash ^ value) * 0x9e3779b97f4a7c15U;
    return hash ^ (hash >> 29);
}

}  // namespace

const Node* Chart::outermost() {
    static const Node kNode(kOutermostId);
    return &kNode;
}

const Node* Chart::unknown() {
    static const Node kNode(kUnknownId);
    return &kNode;
}

Chart::Chart(const Automaton& automaton) : automaton_(automaton) {}

const Node* Chart::start() {
    push(automaton_.start(), outermost());
    return settle();
}

const Node* Chart::step(const Node* node, std::uint8_t byte) {
    const Node* next = nullptr;
    if (known(node, byte, next)) return next;
    const std::uint8_t symbol = automaton_.class_of(byte);
    for (const Item& item : node->items) {
        const Node* origin = item.origin == nullptr ? node : item.origin;
        for (const auto& edge : automaton_.byte_edges(item.state))
            if (edge.first_class <= symbol && symbol <= edge.last_class) push(edge.target, origin);
    }
    next = settle();
    node->next[symbol].store(next == nullptr ? &dead_ : next, std::memory_order_release);
    return next;
}

const Node* Chart::detached(std::span<const Item> items) {
    for (const Item& item : items) {
        const bool outer = item.origin == outermost();
        push(automaton_.twin(item.state), outer ? item.origin : unknown());
    }
    return settle();
}

const Node* Chart::after(std::uint32_t rule, const Node* origin) {
    complete(rule, origin);
    return settle();
}

const Node* Chart::import(const Node* node) {
    std::vector<const Node*> needed = {node};
    std::unordered_map<const Node*, const Node*> here;
    for (std::size_t i = 0; i < needed.size(); ++i) {
        for (const Item& item : needed[i]->items) {
            if (id_of(item.origin) < kFirstId || !here.emplace(item.origin, nullptr).second)
                continue;
            needed.push_back(item.origin);
        }
    }
    std::sort(needed.begin(), needed.end(),
              [](const Node* a, const Node* b) { return a->id < b->id; });
    for (const Node* old : needed) {
        for (const Item& item : old->items) {
            if (item.origin == nullptr) continue;  // follows from the others
            push(item.state, id_of(item.origin) < kFirstId ? item.origin : here[item.origin]);
        }
        accepting_ = old->accepting;
        here[old] = settle();
        if (here[old] == nullptr) return nullptr;
    }
    return here[node];
}

void Chart::push(StateId state, const Node* origin) {
    const Item item{state, origin};
    --work_left_;
    if (work_.size() >= kMaxItems || work_left_ < 0) {
        too_many_ = true;
        return;
    }
    if (seen_.insert(key_of(item)).second) work_.push_back(item);
}

void Chart::complete(std::uint32_t rule, const Node* origin) {
    work_left_ -= static_cast<std::int64_t>(origin->items.size());
    if (work_left_ < 0) {
        too_many_ = true;
        return;
    }
    for (const Item& item : origin->items)
        for (const auto& edge : automaton_.call_edges(item.state))
            if (edge.rule == rule) push(edge.target, item.origin == nullptr ? origin : item.origin);
}

void Chart::visit(Item item) {
    for (const StateId target : automaton_.jumps(item.state)) push(target, item.origin);
    for (const auto& edge : automaton_.call_edges(item.state)) {
        push(automaton_.start_of(edge.rule), nullptr);
        if (automaton_.matches_empty(edge.rule)) push(edge.target, item.origin);
    }
    // An empty reading of a rule that begins here has been dealt with where it is called.
    if (!automaton_.is_final(item.state) || item.origin == nullptr) return;
    const std::uint32_t rule = automaton_.rule_of(item.state);
    if (item.origin == outermost()) {
        accepting_ = true;
    } else if (item.origin == unknown()) {
        returns_.push_back(rule);
    } else {
        complete(rule, item.origin);
    }
}

bool Chart::moves(StateId state) const {
    return !automaton_.byte_edges(state).empty() || !automaton_.call_edges(state).empty();
}

// Closes the set under way and makes it a node, or finds the one that is equal to it.
const Node* Chart::settle() {
    for (std::size_t i = 0; i < work_.size(); ++i) visit(work_[i]);
    Node node;
    node.accepting = accepting_;
    node.returns = returns_;
    std::sort(node.returns.begin(), node.returns.end());
    node.returns.erase(std::unique(node.returns.begin(), node.returns.end()), node.returns.end());
    for (const Item& item : work_) {
        if (!moves(item.state)) continue;
        node.items.push_back(item);
        if (id_of(item.origin) >= kFirstId)
            node.depth = std::max(node.depth, item.origin->depth + 1);
    }
    const bool refused = too_many_ || node.depth > kMaxDepth || nodes_.size() >= kMaxNodes;
    work_.clear();
    if (seen_.bucket_count() > kFewBuckets) {
        seen_ = {};  // clearing would go through all of them, each time
    } else {
        seen_.clear();
    }
    returns_.clear();
    accepting_ = too_many_ = false;
    if (refused || (node.items.empty() && node.returns.empty() && !node.accepting)) return nullptr;

    std::sort(node.items.begin(), node.items.end(),
              [](const Item& a, const Item& b) { return key_of(a) < key_of(b); });
    std::uint64_t hash = node.accepting ? 1 : 2;
    for (const Item& item : node.items) hash = mix(hash, key_of(item));
    for (const std::uint32_t rule : node.returns) hash = mix(hash, ~std::uint64_t{rule});
    const auto same = by_content_.equal_range(hash);
    for (auto at = same.first; at != same.second; ++at) {
        const Node& other = *at->second;
        const auto equal = [](const Item& a, const Item& b) { return key_of(a) == key_of(b); };
        if (other.accepting == node.accepting && other.returns == node.returns
            && std::equal(node.items.begin(), node.items.end(), other.items.begin(),
                          other.items.end(), equal))
            return &other;
    }
    node.id = static_cast<std::uint32_t>(nodes_.size()) + kFirstId;
    const auto n_class = static_cast<std::size_t>(automaton_.n_class());
    node.next = std::make_unique<std::atomic<const Node*>[]>(n_class);
    Node& kept = nodes_.emplace_back();
    kept.items = std::move(node.items);
    kept.returns = std::move(node.returns);
    kept.accepting = node.accepting;
    kept.depth = node.depth;
    kept.id = node.id;
    kept.next = std::move(node.next);
    by_content_.emplace(hash, &kept);
    constexpr std::size_t kEntry = 64;  // of by_content_
    bytes_ += sizeof(Node) + kEntry + n_class * sizeof(kept.next[0])
              + kept.items.capacity() * sizeof(Item)
              + kept.returns.capacity() * sizeof(kept.returns[0]);
    return &kept;
}

}  // namespace heft::grammar
