// The one form that all grammars run in: a recursive transition network over bytes. Each rule is a
// small automaton whose edges read a byte, read what another rule matches, or read nothing. Built
// from a Draft; unproductive parts are cut off, so that whatever has a next byte has an end as
// well. Immutable; safe to use from many threads.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "grammar/draft.h"

namespace heft::grammar {

using StateId = std::uint32_t;

// No grammar grows beyond these; a larger one is Code::exhausted.
constexpr std::size_t kMaxStates = std::size_t{1} << 18;
constexpr std::size_t kMaxEdges = std::size_t{1} << 20;
constexpr int kMaxNesting = 1000;  // of expressions

// Texts up to this many bytes do not tell apart two states with one twin().
constexpr int kTwinBytes = 32;

class Automaton {
  public:
    struct ByteEdge {
        std::uint8_t first_class = 0, last_class = 0;  // both included
        StateId target = 0;
    };
    struct CallEdge {
        std::uint32_t rule = 0;
        StateId target = 0;
    };

    // An error if the grammar matches no text at all, or is too large.
    static Result<Automaton> make(const Draft& draft, RuleId root);

    std::size_t n_state() const { return is_final_.size(); }
    std::size_t bytes() const;  // about
    StateId start_of(std::uint32_t rule) const { return starts_[rule]; }
    std::uint32_t rule_of(StateId state) const { return rule_of_[state]; }
    bool is_final(StateId state) const { return is_final_[state] != 0; }
    bool matches_empty(std::uint32_t rule) const { return empty_[rule] != 0; }
    std::span<const ByteEdge> byte_edges(StateId state) const { return bytes_.of(state); }
    std::span<const CallEdge> call_edges(StateId state) const { return calls_.of(state); }
    std::span<const StateId> jumps(StateId state) const { return jumps_.of(state); }
    // Where a text begins; its rule is never called and calls the root.
    StateId start() const { return start_; }

    // A state that stands for this one as long as at most kTwinBytes bytes follow: repetitions that
    // are far from their bounds are alike.
    StateId twin(StateId state) const { return twins_[state]; }

    // Bytes that no edge tells apart share a class.
    int n_class() const { return n_class_; }
    std::uint8_t class_of(std::uint8_t byte) const { return class_of_[byte]; }

  private:
    friend class AutomatonBuilder;

    template <class Edge>
    struct Lists {
        std::vector<std::uint32_t> begin;
        std::vector<Edge> edges;
        std::span<const Edge> of(StateId state) const {
            return std::span(edges).subspan(begin[state], begin[state + 1] - begin[state]);
        }
    };

    std::vector<std::uint8_t> is_final_, empty_;
    std::vector<std::uint32_t> rule_of_;
    std::vector<StateId> starts_, twins_;
    Lists<ByteEdge> bytes_;
    Lists<CallEdge> calls_;
    Lists<StateId> jumps_;
    StateId start_ = 0;
    std::array<std::uint8_t, 256> class_of_ = {};
    int n_class_ = 1;
};

}  // namespace heft::grammar
