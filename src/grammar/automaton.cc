#include "grammar/automaton.h"

#include <algorithm>
#include <bitset>
#include <string>
#include <utility>

#include "grammar/automaton_builder.h"

namespace heft::grammar {

Result<Automaton> Automaton::make(const Draft& draft, RuleId root) {
    return AutomatonBuilder(draft).build(root);
}

std::size_t Automaton::bytes() const {
    const std::size_t per_state = 2 * sizeof(std::uint8_t) + 6 * sizeof(std::uint32_t);
    return n_state() * per_state + bytes_.edges.size() * sizeof(ByteEdge)
           + calls_.edges.size() * sizeof(CallEdge) + jumps_.edges.size() * sizeof(StateId);
}

Result<Automaton> AutomatonBuilder::build(RuleId root) {
    const auto& rules = draft_.rules();
    for (const auto& rule : rules) {
        if (rule.body < 0)
            return Error{Code::invalid, "the rule '" + rule.name + "' is used but not defined"};
        add_rule();
    }
    for (std::size_t i = 0; i < rules.size() && !too_large_ && !too_deep_; ++i)
        emit(rules[i].body, bodies_[i].start, bodies_[i].end, 0);
    const Body outer = add_rule();
    add_call(outer.start, outer.end, static_cast<std::uint32_t>(root));
    if (too_large_)
        return Error{Code::exhausted, "the grammar needs more than " + std::to_string(kMaxStates)
                                          + " states; ask for fewer or shorter repetitions"};
    if (too_deep_)
        return Error{Code::exhausted, "the grammar is nested more than "
                                          + std::to_string(kMaxNesting) + " levels deep"};
    std::vector<std::uint8_t> empty_rules, productive;
    (void)can_finish(false, empty_rules);
    const std::vector<std::uint8_t> alive = can_finish(true, productive);
    if (productive[static_cast<std::size_t>(root)] == 0)
        return Error{Code::invalid, "the grammar matches no text at all"};
    drop_dead_ends(alive, productive);
    return pack(std::move(empty_rules));
}

// The states from which their rule's end can be reached, with any bytes or with none, and the rules
// whose start is one of them. Backwards from the ends, so that each edge is looked at once.
std::vector<std::uint8_t> AutomatonBuilder::can_finish(bool with_bytes,
                                                       std::vector<std::uint8_t>& rules) const {
    std::vector<std::vector<std::uint32_t>> into(rule_of_.size());
    for (std::size_t i = 0; i < edges_.size(); ++i)
        into[edges_[i].to].push_back(static_cast<std::uint32_t>(i));
    std::vector<std::vector<StateId>> waiting(bodies_.size());
    std::vector<std::uint8_t> states(rule_of_.size(), 0);
    rules.assign(bodies_.size(), 0);
    std::vector<StateId> work;
    const auto mark = [&](StateId state) {
        if (states[state] != 0) return;
        states[state] = 1;
        work.push_back(state);
    };
    for (const Body& body : bodies_) mark(body.end);
    while (!work.empty()) {
        const StateId state = work.back();
        work.pop_back();
        for (const std::uint32_t i : into[state]) {
            const Edge& edge = edges_[i];
            if (edge.kind == Kind::byte && !with_bytes) continue;
            if (edge.kind == Kind::call && rules[edge.rule] == 0) {
                waiting[edge.rule].push_back(edge.from);
            } else {
                mark(edge.from);
            }
        }
        const std::uint32_t rule = rule_of_[state];
        if (bodies_[rule].start != state || rules[rule] != 0) continue;
        rules[rule] = 1;
        for (const StateId from : waiting[rule]) mark(from);
    }
    return states;
}

void AutomatonBuilder::drop_dead_ends(const std::vector<std::uint8_t>& states,
                                      const std::vector<std::uint8_t>& rules) {
    const auto is_dead = [&](const Edge& edge) {
        return states[edge.to] == 0 || (edge.kind == Kind::call && rules[edge.rule] == 0);
    };
    edges_.erase(std::remove_if(edges_.begin(), edges_.end(), is_dead), edges_.end());
}

void AutomatonBuilder::classify_bytes(Automaton& out) const {
    std::bitset<257> begins;
    for (const Edge& edge : edges_) {
        if (edge.kind != Kind::byte) continue;
        begins.set(edge.bytes.first);
        begins.set(std::size_t{edge.bytes.last} + 1);
    }
    int id = 0;
    for (std::size_t byte = 0; byte < 256; ++byte) {
        if (byte > 0 && begins.test(byte)) ++id;
        out.class_of_[byte] = static_cast<std::uint8_t>(id);
    }
    out.n_class_ = id + 1;
}

Automaton AutomatonBuilder::pack(std::vector<std::uint8_t> empty_rules) const {
    Automaton out;
    classify_bytes(out);
    out.rule_of_ = rule_of_;
    out.twins_ = twins_;
    out.empty_ = std::move(empty_rules);
    out.is_final_.assign(rule_of_.size(), 0);
    for (const Body& body : bodies_) {
        out.starts_.push_back(body.start);
        out.is_final_[body.end] = 1;
    }
    out.start_ = bodies_.back().start;
    const auto lay_out = [this](Kind kind, auto& lists, const auto& convert) {
        lists.begin.assign(rule_of_.size() + 1, 0);
        for (const Edge& edge : edges_)
            if (edge.kind == kind) ++lists.begin[edge.from + 1];
        for (std::size_t i = 1; i < lists.begin.size(); ++i) lists.begin[i] += lists.begin[i - 1];
        lists.edges.resize(lists.begin.back());
        std::vector<std::uint32_t> next = lists.begin;
        for (const Edge& edge : edges_)
            if (edge.kind == kind) lists.edges[next[edge.from]++] = convert(edge);
    };
    lay_out(Kind::byte, out.bytes_, [&out](const Edge& edge) {
        return Automaton::ByteEdge{out.class_of_[edge.bytes.first], out.class_of_[edge.bytes.last],
                                   edge.to};
    });
    lay_out(Kind::call, out.calls_, [](const Edge& edge) {
        return Automaton::CallEdge{edge.rule, edge.to};
    });
    lay_out(Kind::jump, out.jumps_, [](const Edge& edge) { return edge.to; });
    return out;
}

}  // namespace heft::grammar
