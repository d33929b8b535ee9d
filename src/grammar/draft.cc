#include "grammar/draft.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace heft::grammar {

namespace {

constexpr CodeRange kWhole[] = {{0, 0xD7FF}, {0xE000, 0x10FFFF}};

}  // namespace

std::vector<CodeRange> normalised(std::vector<CodeRange> ranges) {
    std::vector<CodeRange> legal;
    for (const CodeRange& range : ranges) {
        for (const CodeRange& whole : kWhole) {
            const CodeRange part{std::max(range.first, whole.first),
                                 std::min(range.last, whole.last)};
            if (part.first <= part.last) legal.push_back(part);
        }
    }
    std::sort(legal.begin(), legal.end(),
              [](const CodeRange& a, const CodeRange& b) { return a.first < b.first; });
    std::vector<CodeRange> out;
    for (const CodeRange& range : legal) {
        if (!out.empty() && range.first <= out.back().last + 1) {
            out.back().last = std::max(out.back().last, range.last);
        } else {
            out.push_back(range);
        }
    }
    return out;
}

std::vector<CodeRange> complement(const std::vector<CodeRange>& normalised_ranges) {
    std::vector<CodeRange> out;
    char32_t next = 0;
    for (const CodeRange& range : normalised_ranges) {
        if (range.first > next) out.push_back({next, range.first - 1});
        next = range.last + 1;
    }
    if (next <= 0x10FFFF) out.push_back({next, 0x10FFFF});
    return normalised(std::move(out));
}

ExprId Draft::add(Expr expr) {
    exprs_.push_back(std::move(expr));
    return static_cast<ExprId>(exprs_.size()) - 1;
}

ExprId Draft::never() {
    return add({});
}

ExprId Draft::empty() {
    return add({.op = Op::empty});
}

ExprId Draft::bytes(std::string_view text) {
    if (text.empty()) return empty();
    return add({.op = Op::bytes, .bytes = std::string(text)});
}

ExprId Draft::chars(std::vector<CodeRange> ranges) {
    ranges = normalised(std::move(ranges));
    if (ranges.empty()) return never();
    return add({.op = Op::chars, .chars = std::move(ranges)});
}

ExprId Draft::sequence(const std::vector<ExprId>& parts) {
    std::vector<ExprId> kept;
    for (const ExprId part : parts) {
        if (at(part).op == Op::never) return part;
        if (at(part).op != Op::empty) kept.push_back(part);
    }
    if (kept.empty()) return empty();
    if (kept.size() == 1) return kept[0];
    return add({.op = Op::sequence, .parts = std::move(kept)});
}

ExprId Draft::choice(const std::vector<ExprId>& parts) {
    std::vector<ExprId> kept;
    for (const ExprId part : parts)
        if (at(part).op != Op::never) kept.push_back(part);
    if (kept.empty()) return never();
    if (kept.size() == 1) return kept[0];
    return add({.op = Op::choice, .parts = std::move(kept)});
}

ExprId Draft::repeat(ExprId part, int min, int max) {
    if (max != kUnbounded && max < min) return never();
    if (max == 0 || at(part).op == Op::empty) return empty();
    if (at(part).op == Op::never) return min == 0 ? empty() : part;
    if (min == 1 && max == 1) return part;
    return add({.op = Op::repeat, .parts = {part}, .min = min, .max = max});
}

ExprId Draft::call(RuleId rule) {
    return add({.op = Op::rule, .rule = rule});
}

ExprId Draft::members(ExprId separator, const Members& list) {
    HEFT_CHECK(list.parts.size() == list.required.size() && list.further.size() <= 1);
    Expr expr{.op = Op::members, .parts = {separator}};
    for (std::size_t i = 0; i < list.parts.size(); ++i) {
        const bool possible = at(list.parts[i]).op != Op::never;
        if (!possible && list.required[i]) return never();
        if (!possible) continue;
        expr.parts.push_back(list.parts[i]);
        expr.required.push_back(list.required[i]);
    }
    if (!list.further.empty() && at(list.further[0]).op != Op::never)
        expr.parts.push_back(list.further[0]);
    return add(std::move(expr));
}

ExprId Draft::until(std::string_view marker) {
    if (marker.empty()) return empty();
    return add({.op = Op::until, .bytes = std::string(marker)});
}

RuleId Draft::declare(std::string name) {
    rules_.push_back({std::move(name), -1});
    return static_cast<RuleId>(rules_.size()) - 1;
}

}  // namespace heft::grammar
