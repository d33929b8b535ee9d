// A grammar while it is being written: expressions over characters and bytes, and named rules.
// Every front end (JSON Schema, GBNF, regular expressions) writes one; automaton.h makes it
// runnable. An expression may be used in several places. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace heft::grammar {

using ExprId = std::int32_t;
using RuleId = std::int32_t;

constexpr int kUnbounded = -1;

struct CodeRange {
    char32_t first = 0, last = 0;  // both included
};

// Sorted, without overlaps, without surrogates and what lies beyond Unicode.
std::vector<CodeRange> normalised(std::vector<CodeRange> ranges);
// All other characters of Unicode.
std::vector<CodeRange> complement(const std::vector<CodeRange>& normalised_ranges);

enum class Op : std::uint8_t {
    never,     // matches nothing
    empty,     // matches the empty text
    bytes,     // these bytes
    chars,     // one character of these, as UTF-8
    sequence,  // all parts
    choice,    // one of the parts
    repeat,    // the part, from min to max times
    members,   // see Draft::members
    until,     // see Draft::until
    rule,
};

struct Expr {
    Op op = Op::never;
    std::string bytes = {};
    std::vector<CodeRange> chars = {};
    std::vector<ExprId> parts = {};
    std::vector<bool> required = {};
    int min = 0, max = kUnbounded;
    RuleId rule = -1;
};

class Draft {
  public:
    ExprId never();
    ExprId empty();
    ExprId bytes(std::string_view text);
    ExprId chars(std::vector<CodeRange> ranges);
    ExprId sequence(const std::vector<ExprId>& parts);
    ExprId choice(const std::vector<ExprId>& parts);
    ExprId repeat(ExprId part, int min, int max = kUnbounded);
    ExprId optional(ExprId part) { return repeat(part, 0, 1); }
    ExprId call(RuleId rule);

    struct Members {
        std::vector<ExprId> parts = {};    // in this order, each at most once
        std::vector<bool> required = {};   // one per part
        std::vector<ExprId> further = {};  // at most one: any number of these, after the others
    };
    // Parts of a list with a separator between those that are there.
    ExprId members(ExprId separator, const Members& list);

    // Any text that may stand before the first occurrence of the marker (UTF-8, not empty), which
    // is not part of it.
    ExprId until(std::string_view marker);

    RuleId declare(std::string name);
    void define(RuleId rule, ExprId body) { rules_[static_cast<std::size_t>(rule)].body = body; }

    struct Rule {
        std::string name;
        ExprId body = -1;  // negative: declared only
    };
    const std::vector<Rule>& rules() const { return rules_; }
    const Expr& at(ExprId id) const { return exprs_[static_cast<std::size_t>(id)]; }
    std::size_t size() const { return exprs_.size(); }

  private:
    ExprId add(Expr expr);

    std::vector<Expr> exprs_;
    std::vector<Rule> rules_;
};

}  // namespace heft::grammar
