// Numbers between bounds, digit by digit. Private to this module.
#pragma once

#include <cstdint>
#include <optional>

#include "grammar/draft.h"

namespace heft::grammar {

// Both included.
ExprId integers_between(Draft& draft, std::int64_t low, std::int64_t high);

struct NumberBounds {
    std::optional<double> low = {}, high = {};
    bool low_excluded = false, high_excluded = false;
};

// Decimals without an exponent, with at most 15 significant digits unless a bound has more, so that
// reading one as a double cannot round it across a bound. Code::unsupported if a bound is not
// representable that way (beyond 10^15, or with more than 20 decimals).
Result<ExprId> numbers_between(Draft& draft, const NumberBounds& bounds);

}  // namespace heft::grammar
