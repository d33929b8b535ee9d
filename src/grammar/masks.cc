#include "grammar/masks.h"

#include <algorithm>

#include "base/check.h"

namespace heft::grammar {

namespace {

// Edges looked at: for one byte, and for one mask. Far beyond what any sensible grammar needs; a
// hostile one is through with either in a fraction of a second.
constexpr std::int64_t kWorkOfStep = std::int64_t{1} << 22;
constexpr std::int64_t kWorkOfMask = std::int64_t{1} << 25;

void set_bit(std::vector<std::uint64_t>& words, TokenId id) {
    const auto at = static_cast<std::size_t>(id);
    words[at / 64] |= std::uint64_t{1} << (at % 64);
}

}  // namespace

Masks::Masks(const Automaton& automaton, const Vocabulary& vocabulary, MaskLimits limits)
    : vocabulary_(vocabulary), limits_(limits), chart_(automaton) {
    const int deepest =
        std::max(vocabulary.usual().max_depth(), vocabulary.long_ones().max_depth());
    path_.resize(static_cast<std::size_t>(deepest) + 1);
}

void Masks::note_size() {
    const std::size_t all = chart_.bytes() + bytes_;
    all_bytes_.store(all, std::memory_order_relaxed);
    if (chart_.size() > limits_.n_node || all > limits_.bytes)
        full_.store(true, std::memory_order_relaxed);
}

const Node* Masks::start() {
    const std::lock_guard lock(mutex_);
    chart_.allow_work(kWorkOfStep);
    return chart_.start();
}

const Node* Masks::step(const Node* node, std::uint8_t byte) {
    const Node* next = nullptr;
    if (chart_.known(node, byte, next)) return next;
    const std::lock_guard lock(mutex_);
    chart_.allow_work(kWorkOfStep);
    next = chart_.step(node, byte);
    note_size();
    return next;
}

const Node* Masks::import(const Node* node) {
    const std::lock_guard lock(mutex_);
    chart_.allow_work(kWorkOfMask);
    return chart_.import(node);
}

void Masks::fill(const Node* node, std::span<std::uint64_t> bits) {
    HEFT_CHECK(bits.size() == vocabulary_.mask_words());
    const std::uint64_t* mask = node->mask.load(std::memory_order_acquire);
    if (mask == nullptr) {
        const std::lock_guard lock(mutex_);
        mask = node->mask.load(std::memory_order_acquire);
        if (mask == nullptr) mask = make(node);
        note_size();
    }
    std::copy(mask, mask + bits.size(), bits.begin());
}

const std::uint64_t* Masks::make(const Node* node) {
    chart_.allow_work(kWorkOfMask);
    auto words = std::make_unique<Words>(vocabulary_.mask_words(), 0);
    std::vector<Item> items;
    for (const Item& item : node->items)
        if (item.origin != nullptr) items.push_back(item);  // the others follow from these
    std::sort(items.begin(), items.end(),
              [](const Item& a, const Item& b) { return a.origin->id < b.origin->id; });
    for (std::size_t from = 0; from < items.size();) {
        std::size_t to = from;
        while (to < items.size() && items[to].origin == items[from].origin) ++to;
        add_group(std::span(items).subspan(from, to - from), node, *words);
        from = to;
    }
    walk(vocabulary_.long_ones(), 0, node, *words, nullptr);
    if (node->accepting)
        for (const TokenId id : vocabulary_.end_of_generation()) set_bit(*words, id);
    const std::uint64_t* mask = words->data();
    bytes_ += words->size() * sizeof(std::uint64_t);
    kept_.push_back(std::move(words));
    node->mask.store(mask, std::memory_order_release);
    return mask;
}

// What several readings of a text allow together is what each allows alone.
void Masks::add_group(std::span<const Item> items, const Node* node, Words& words) {
    const Node* origin = items.front().origin;
    const Node* detached = chart_.detached(items);
    if (detached == nullptr) {  // cannot be but under the limits of a chart
        walk(vocabulary_.usual(), 0, node, words, nullptr);
        return;
    }
    const Share& share = share_of(detached);
    for (std::size_t i = 0; i < words.size(); ++i) words[i] |= share.words[i];
    const Node* after = nullptr;
    for (std::size_t i = 0; i < share.exits.size(); ++i) {
        const Exit& exit = share.exits[i];
        if (i == 0 || exit.rule != share.exits[i - 1].rule) after = chart_.after(exit.rule, origin);
        if (after == nullptr) continue;
        for (const TokenId id : vocabulary_.usual().tokens_at(exit.place)) set_bit(words, id);
        walk(vocabulary_.usual(), exit.place, after, words, nullptr);
    }
}

const Masks::Share& Masks::share_of(const Node* detached) {
    const auto known = shares_.find(detached);
    if (known != shares_.end()) return known->second;
    Share& share = shares_[detached];
    share.words.assign(vocabulary_.mask_words(), 0);
    walk(vocabulary_.usual(), 0, detached, share.words, &share.exits);
    std::sort(share.exits.begin(), share.exits.end(), [](const Exit& a, const Exit& b) {
        return a.rule != b.rule ? a.rule < b.rule : a.place < b.place;
    });
    bytes_ += share.words.size() * sizeof(std::uint64_t) + share.exits.size() * sizeof(Exit);
    return share;
}

void Masks::walk(const TokenTree& tree, std::uint32_t place, const Node* node, Words& words,
                 std::vector<Exit>* exits) {
    const auto nodes = tree.nodes();
    const std::uint32_t end = nodes[place].end;
    path_[nodes[place].depth] = node;
    for (std::uint32_t i = place + 1; i < end;) {
        const TokenTree::Node& at = nodes[i];
        const Node* from = path_[at.depth - 1];
        const Node* next = nullptr;
        if (!chart_.known(from, at.byte, next)) next = chart_.step(from, at.byte);
        if (next == nullptr) {
            i = at.end;
            continue;
        }
        path_[at.depth] = next;
        // What only ended rules allow is for their callers to say.
        const bool lives = !next->items.empty() || next->accepting;
        if (lives)
            for (const TokenId id : tree.tokens_at(i)) set_bit(words, id);
        if (exits != nullptr)
            for (const std::uint32_t rule : next->returns) exits->push_back({rule, i});
        i = lives ? i + 1 : at.end;
    }
}

}  // namespace heft::grammar
