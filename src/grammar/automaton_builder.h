// From expressions to states and edges. Private to this module.
#pragma once

#include <map>
#include <vector>

#include "grammar/automaton.h"
#include "grammar/utf8_ranges.h"

namespace heft::grammar {

class AutomatonBuilder {
  public:
    explicit AutomatonBuilder(const Draft& draft) : draft_(draft) {}

    Result<Automaton> build(RuleId root);

  private:
    enum class Kind : std::uint8_t { byte, call, jump };
    struct Edge {
        Kind kind;
        ByteRange bytes;
        std::uint32_t rule;
        StateId from, to;
    };
    struct Body {  // of a rule
        StateId start, end;
    };

    Body add_rule();
    StateId add_state(std::uint32_t rule);
    void add_byte(StateId from, StateId to, ByteRange bytes);
    void add_call(StateId from, StateId to, std::uint32_t rule);
    void add_jump(StateId from, StateId to);

    // These add ways from one state to the other that spell the expression.
    void emit(ExprId id, StateId from, StateId to, int depth);
    void emit_bytes(const Expr& expr, StateId from, StateId to);
    void emit_chars(const Expr& expr, StateId from, StateId to);
    void emit_until(const Expr& expr, StateId from, StateId to);
    void emit_repeat(const Expr& expr, StateId from, StateId to, int depth);
    void emit_members(const Expr& expr, StateId from, StateId to, int depth);
    // A rule of its own for a part that is repeated often.
    std::uint32_t rule_for(ExprId part, int depth);
    bool is_one_byte(ExprId id) const;
    void name_twins(const std::vector<StateId>& chain, int min, int max);

    std::vector<std::uint8_t> can_finish(bool with_bytes, std::vector<std::uint8_t>& rules) const;
    void drop_dead_ends(const std::vector<std::uint8_t>& states,
                        const std::vector<std::uint8_t>& rules);
    void classify_bytes(Automaton& out) const;
    Automaton pack(std::vector<std::uint8_t> empty_rules) const;

    const Draft& draft_;  // outlives the builder
    std::vector<Body> bodies_;
    std::vector<std::uint32_t> rule_of_;
    std::vector<StateId> twins_;
    std::vector<Edge> edges_;
    std::map<ExprId, std::uint32_t> repeated_;
    bool too_large_ = false, too_deep_ = false;
};

}  // namespace heft::grammar
