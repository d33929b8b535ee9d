#include "grammar/automaton_builder.h"

#include <algorithm>
#include <string>

#include "text/utf8.h"

namespace heft::grammar {

namespace {

// A part repeated more often than this becomes a rule of its own, unless it is a single byte.
constexpr int kFewTimes = 4;

constexpr ByteRange kContinuation = {0x80, 0xBF};

// Knuth, Morris and Pratt: how many characters of a marker the text so far ends with.
class MarkerSearch {
  public:
    explicit MarkerSearch(std::string_view marker) {
        for (std::size_t i = 0; i < marker.size();) {
            const text::Utf8Char c = text::utf8_at(marker, i);
            marker_.push_back(c.code);
            i += c.bytes;
        }
        border_.assign(marker_.size() + 1, 0);
        for (std::size_t i = 1; i < marker_.size(); ++i)
            border_[i + 1] = next(border_[i], marker_[i]);
    }

    std::size_t size() const { return marker_.size(); }
    const std::u32string& marker() const { return marker_; }
    std::size_t next(std::size_t matched, char32_t c) const {
        while (matched > 0 && (matched == size() || marker_[matched] != c))
            matched = border_[matched];
        return marker_[matched] == c ? matched + 1 : 0;
    }
    // Whether a marker that begins here is the first one to end.
    bool may_begin(std::size_t matched) const {
        for (std::size_t i = 0; i + 1 < size(); ++i) {
            matched = next(matched, marker_[i]);
            if (matched == size()) return false;
        }
        return true;
    }

  private:
    std::u32string marker_;
    std::vector<std::size_t> border_;
};

}  // namespace

StateId AutomatonBuilder::add_state(std::uint32_t rule) {
    if (rule_of_.size() >= kMaxStates) {
        too_large_ = true;
        return 0;
    }
    rule_of_.push_back(rule);
    const auto id = static_cast<StateId>(rule_of_.size() - 1);
    twins_.push_back(id);
    return id;
}

AutomatonBuilder::Body AutomatonBuilder::add_rule() {
    const auto rule = static_cast<std::uint32_t>(bodies_.size());
    bodies_.push_back({});
    const StateId start = add_state(rule);
    bodies_.back() = {start, add_state(rule)};
    return bodies_.back();
}

void AutomatonBuilder::add_byte(StateId from, StateId to, ByteRange bytes) {
    edges_.push_back({Kind::byte, bytes, 0, from, to});
}

void AutomatonBuilder::add_call(StateId from, StateId to, std::uint32_t rule) {
    edges_.push_back({Kind::call, {}, rule, from, to});
}

void AutomatonBuilder::add_jump(StateId from, StateId to) {
    if (from != to) edges_.push_back({Kind::jump, {}, 0, from, to});
}

void AutomatonBuilder::emit(ExprId id, StateId from, StateId to, int depth) {
    if (depth > kMaxNesting) too_deep_ = true;
    if (edges_.size() >= kMaxEdges) too_large_ = true;
    if (too_large_ || too_deep_) return;
    const Expr& expr = draft_.at(id);
    switch (expr.op) {
        case Op::never: return;
        case Op::empty: add_jump(from, to); return;
        case Op::bytes: emit_bytes(expr, from, to); return;
        case Op::chars: emit_chars(expr, from, to); return;
        case Op::choice:
            for (const ExprId part : expr.parts) emit(part, from, to, depth + 1);
            return;
        case Op::sequence: {
            StateId at = from;
            for (std::size_t i = 0; i < expr.parts.size(); ++i) {
                const StateId next = i + 1 == expr.parts.size() ? to : add_state(rule_of_[from]);
                emit(expr.parts[i], at, next, depth + 1);
                at = next;
            }
            return;
        }
        case Op::repeat: emit_repeat(expr, from, to, depth); return;
        case Op::until: emit_until(expr, from, to); return;
        case Op::members: emit_members(expr, from, to, depth); return;
        case Op::rule: {
            const auto rule = static_cast<std::uint32_t>(expr.rule);
            // A rule that ends in itself goes round instead of going deeper.
            const bool in_tail = rule == rule_of_[from] && to == bodies_[rule].end;
            if (in_tail && from != bodies_[rule].start) {
                add_jump(from, bodies_[rule].start);
            } else {
                add_call(from, to, rule);
            }
            return;
        }
    }
}

void AutomatonBuilder::emit_bytes(const Expr& expr, StateId from, StateId to) {
    StateId at = from;
    for (std::size_t i = 0; i < expr.bytes.size(); ++i) {
        const StateId next = i + 1 == expr.bytes.size() ? to : add_state(rule_of_[from]);
        const auto byte = static_cast<std::uint8_t>(expr.bytes[i]);
        add_byte(at, next, {byte, byte});
        at = next;
        if (too_large_) return;
    }
}

void AutomatonBuilder::emit_chars(const Expr& expr, StateId from, StateId to) {
    // tails[n]: from here n bytes of continuation lead to the end. Most sequences share them.
    std::vector<StateId> tails = {to};
    const auto tail = [this, &tails](std::size_t n) {
        while (tails.size() <= n) {
            const StateId state = add_state(rule_of_[tails[0]]);
            add_byte(state, tails.back(), kContinuation);
            tails.push_back(state);
        }
        return tails[n];
    };
    const auto is_whole = [](ByteRange b) {
        return b.first == kContinuation.first && b.last == kContinuation.last;
    };
    for (const CodeRange& range : expr.chars) {
        for (const ByteRanges& bytes : utf8_ranges(range)) {
            std::size_t fixed = bytes.size();
            while (fixed > 1 && is_whole(bytes[fixed - 1])) --fixed;
            StateId at = from;
            for (std::size_t i = 0; i < fixed; ++i) {
                const bool last = i + 1 == fixed;
                const StateId next = last ? tail(bytes.size() - fixed) : add_state(rule_of_[from]);
                add_byte(at, next, bytes[i]);
                at = next;
            }
        }
        if (too_large_ || edges_.size() >= kMaxEdges) return;
    }
}

void AutomatonBuilder::emit_until(const Expr& expr, StateId from, StateId to) {
    const MarkerSearch search(expr.bytes);
    std::vector<StateId> states;
    for (std::size_t i = 0; i < search.size(); ++i) states.push_back(add_state(rule_of_[from]));
    if (too_large_) return;
    add_jump(from, states[0]);
    std::vector<CodeRange> of_marker;
    for (const char32_t c : search.marker()) of_marker.push_back({c, c});
    of_marker = normalised(std::move(of_marker));
    const Expr others{.op = Op::chars, .chars = complement(of_marker)};
    for (std::size_t i = 0; i < states.size(); ++i) {
        if (search.may_begin(i)) add_jump(states[i], to);
        emit_chars(others, states[i], states[0]);
        for (const CodeRange& range : of_marker)
            for (char32_t c = range.first; c <= range.last; ++c) {
                const std::size_t next = search.next(i, c);
                if (next == search.size()) continue;
                emit_chars({.op = Op::chars, .chars = {{c, c}}}, states[i], states[next]);
            }
    }
}

bool AutomatonBuilder::is_one_byte(ExprId id) const {
    const Expr& expr = draft_.at(id);
    if (expr.op == Op::bytes) return expr.bytes.size() == 1;
    return expr.op == Op::chars && expr.chars.back().last < 0x80;
}

std::uint32_t AutomatonBuilder::rule_for(ExprId part, int depth) {
    if (draft_.at(part).op == Op::rule) return static_cast<std::uint32_t>(draft_.at(part).rule);
    const auto known = repeated_.find(part);
    if (known != repeated_.end()) return known->second;
    const auto rule = static_cast<std::uint32_t>(bodies_.size());
    const Body body = add_rule();
    repeated_[part] = rule;
    if (!too_large_) emit(part, body.start, body.end, depth + 1);
    return rule;
}

// Repetitions are laid out one after the other, so that the place in the row is the count.
void AutomatonBuilder::emit_repeat(const Expr& expr, StateId from, StateId to, int depth) {
    const ExprId part = expr.parts[0];
    const std::uint32_t rule = rule_of_[from];
    const bool inlined = is_one_byte(part) || std::max(expr.min, expr.max) <= kFewTimes;
    const std::uint32_t callee = inlined ? 0 : rule_for(part, depth);
    const auto once = [&](StateId a, StateId b) {
        if (inlined) {
            emit(part, a, b, depth + 1);
        } else {
            add_call(a, b, callee);
        }
    };
    std::vector<StateId> chain = {add_state(rule)};
    add_jump(from, chain[0]);
    const int length = expr.max == kUnbounded ? expr.min : expr.max;
    for (int i = 0; i < length && !too_large_; ++i) {
        if (i >= expr.min) add_jump(chain.back(), to);
        const StateId next = add_state(rule);
        once(chain.back(), next);
        chain.push_back(next);
    }
    if (too_large_) return;
    if (expr.max == kUnbounded) {
        const StateId loop = add_state(rule);
        add_jump(chain.back(), loop);
        emit(part, loop, loop, depth + 1);
        add_jump(loop, to);
    } else {
        add_jump(chain.back(), to);
    }
    name_twins(chain, expr.min, expr.max);
}

void AutomatonBuilder::name_twins(const std::vector<StateId>& chain, int min, int max) {
    for (int i = 0; i < static_cast<int>(chain.size()); ++i) {
        const auto at = static_cast<std::size_t>(i);
        if (min - i > kTwinBytes) {
            twins_[chain[at]] = chain[0];
        } else if (max != kUnbounded && i >= min && max - i > kTwinBytes) {
            twins_[chain[at]] = chain[static_cast<std::size_t>(min)];
        }
    }
}

// Two rows of states, before and after the first part that is there; a part itself is laid out
// once.
void AutomatonBuilder::emit_members(const Expr& expr, StateId from, StateId to, int depth) {
    const std::uint32_t rule = rule_of_[from];
    const ExprId separator = expr.parts[0];
    const std::size_t n = expr.required.size();
    StateId none = from;
    StateId some = add_state(rule);
    for (std::size_t i = 0; i < n && !too_large_; ++i) {
        const StateId begin = add_state(rule);
        const StateId after = add_state(rule);
        add_jump(none, begin);
        if (i > 0) emit(separator, some, begin, depth + 1);
        emit(expr.parts[i + 1], begin, after, depth + 1);
        const StateId still_none = add_state(rule);
        if (!expr.required[i]) {
            add_jump(none, still_none);
            if (i > 0) add_jump(some, after);
        }
        none = still_none;
        some = after;
    }
    if (too_large_) return;
    add_jump(none, to);
    add_jump(some, to);
    if (expr.parts.size() == n + 1) return;
    const StateId begin = add_state(rule);
    const StateId after = add_state(rule);
    add_jump(none, begin);
    add_jump(some, after);
    emit(separator, after, begin, depth + 1);
    emit(expr.parts.back(), begin, after, depth + 1);
    add_jump(after, to);
}

}  // namespace heft::grammar
