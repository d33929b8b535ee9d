#include "grammar/matcher.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace heft::grammar {

Constraint::Constraint(Grammar grammar, std::shared_ptr<const Vocabulary> vocabulary,
                       MaskLimits limits)
    : grammar_(std::move(grammar)), vocabulary_(std::move(vocabulary)), limits_(limits) {
    HEFT_CHECK(vocabulary_ != nullptr);
}

std::shared_ptr<Constraint> Constraint::make(Grammar grammar,
                                             std::shared_ptr<const Vocabulary> vocabulary,
                                             MaskLimits limits) {
    return std::shared_ptr<Constraint>(
        new Constraint(std::move(grammar), std::move(vocabulary), limits));
}

std::size_t Constraint::bytes() const {
    const std::lock_guard lock(mutex_);
    return grammar_.automaton().bytes() + (masks_ == nullptr ? 0 : masks_->bytes());
}

std::shared_ptr<Masks> Constraint::masks() {
    const std::lock_guard lock(mutex_);
    if (masks_ == nullptr || masks_->is_full())
        masks_ = std::make_shared<Masks>(grammar_.automaton(), *vocabulary_, limits_);
    return masks_;
}

Matcher::Matcher(std::shared_ptr<Constraint> constraint)
    : constraint_(std::move(constraint)), masks_(constraint_->masks()), node_(masks_->start()) {}

// Leaves a full set of masks for the one that all texts use now.
void Matcher::move_on() {
    if (!masks_->is_full() || node_ == nullptr) return;
    std::shared_ptr<Masks> now = constraint_->masks();
    if (now == masks_) return;
    node_ = now->import(node_);
    masks_ = std::move(now);
}

bool Matcher::accept_bytes(std::string_view bytes) {
    if (ended_ || node_ == nullptr) return false;
    const Node* node = node_;
    for (const char byte : bytes) {
        node = masks_->step(node, static_cast<std::uint8_t>(byte));
        if (node == nullptr) return false;
    }
    node_ = node;
    move_on();
    return true;
}

bool Matcher::accept(TokenId id) {
    const Vocabulary& words = constraint_->vocabulary();
    if (words.ends_generation(id)) {
        if (!can_end()) return false;
        ended_ = true;
        return true;
    }
    const std::string_view bytes = words.bytes_of(id);
    return !bytes.empty() && accept_bytes(bytes);
}

bool Matcher::must_end() const {
    if (ended_ || node_ == nullptr) return true;
    const Automaton& automaton = constraint_->grammar().automaton();
    return std::all_of(node_->items.begin(), node_->items.end(), [&automaton](const Item& item) {
        return automaton.byte_edges(item.state).empty();
    });
}

void Matcher::fill_mask(std::span<std::uint64_t> bits) {
    if (ended_ || node_ == nullptr) {
        std::fill(bits.begin(), bits.end(), 0);
        return;
    }
    masks_->fill(node_, bits);
    move_on();
}

std::string Matcher::forced(std::size_t most) {
    std::string out;
    const Node* node = ended_ ? nullptr : node_;
    while (node != nullptr && !node->accepting && out.size() < most) {
        const Node* only = nullptr;
        int choices = 0;
        char byte = 0;
        for (int b = 0; b < 256 && choices < 2; ++b) {
            const Node* next = masks_->step(node, static_cast<std::uint8_t>(b));
            if (next == nullptr) continue;
            ++choices;
            only = next;
            byte = static_cast<char>(b);
        }
        if (choices != 1) break;
        out += byte;
        node = only;
    }
    return out;
}

}  // namespace heft::grammar
