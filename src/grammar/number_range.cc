#include "grammar/number_range.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace heft::grammar {

namespace {

constexpr int kSignificant = 15;  // digits that every double keeps
constexpr double kLargest = 1e15;
constexpr std::size_t kMaxDecimals = 20;

// A bound without its sign: 12.5 is "12" and "5".
struct Decimal {
    std::string whole = "0", fraction = {};
};

struct Interval {  // of magnitudes
    Decimal low, high;
    bool low_excluded = false, high_excluded = false;
    bool decimals = false;  // digits behind a point are allowed
};

// Which bounds the digits so far are equal to: while they are, the next digit is held to it.
struct Tight {
    bool low = false, high = false;
};

class IntervalWriter {
  public:
    IntervalWriter(Draft& draft, Interval interval)
        : draft_(draft), in_(std::move(interval)), digit_(draft.chars({{'0', '9'}})) {}

    ExprId write();

  private:
    ExprId whole(const std::string& low, const std::string& high, std::size_t at, Tight tight);
    ExprId tail(Tight tight);
    ExprId fraction(std::size_t at, Tight tight, bool may_stop);
    bool can_stop(std::size_t at, Tight tight) const;
    ExprId beyond_bounds(std::size_t at, Tight tight);
    ExprId free_digits(std::size_t at);

    Draft& draft_;
    Interval in_;
    ExprId digit_;
    std::size_t n_whole_ = 0;  // digits before the point, of the numbers at hand
};

char digit_at(const std::string& digits, std::size_t at) {
    return at < digits.size() ? digits[at] : '0';
}

bool only_zeros(const std::string& digits, std::size_t from) {
    return from >= digits.size() || digits.find_first_not_of('0', from) == std::string::npos;
}

ExprId IntervalWriter::write() {
    std::vector<ExprId> parts;
    const std::size_t shortest = in_.low.whole.size();
    const std::size_t longest = in_.high.whole.size();
    for (n_whole_ = shortest; n_whole_ <= longest; ++n_whole_) {
        const Tight tight{n_whole_ == shortest, n_whole_ == longest};
        const std::string low = tight.low ? in_.low.whole : "1" + std::string(n_whole_ - 1, '0');
        const std::string high = tight.high ? in_.high.whole : std::string(n_whole_, '9');
        parts.push_back(whole(low, high, 0, {true, true}));
    }
    return draft_.choice(parts);
}

ExprId IntervalWriter::whole(const std::string& low, const std::string& high, std::size_t at,
                             Tight tight) {
    if (at == low.size()) {
        return tail({tight.low && low.size() == in_.low.whole.size(),
                     tight.high && high.size() == in_.high.whole.size()});
    }
    if (!tight.low && !tight.high) {
        const int left = static_cast<int>(low.size() - at);
        return draft_.sequence({draft_.repeat(digit_, left, left), tail({})});
    }
    const char first = tight.low ? low[at] : '0';
    const char last = tight.high ? high[at] : '9';
    std::vector<ExprId> parts;
    for (char d = first; d <= last;) {
        const Tight next{tight.low && d == first, tight.high && d == last};
        // Digits inside are alike.
        char end = d;
        if (!next.low && !next.high) end = tight.high ? static_cast<char>(last - 1) : last;
        const auto code = [](char c) { return static_cast<char32_t>(c); };
        parts.push_back(draft_.sequence(
            {draft_.chars({{code(d), code(end)}}), whole(low, high, at + 1, next)}));
        d = static_cast<char>(end + 1);
    }
    return draft_.choice(parts);
}

ExprId IntervalWriter::tail(Tight tight) {
    if (!in_.decimals) return draft_.empty();
    const ExprId none = can_stop(0, tight) ? draft_.empty() : draft_.never();
    const ExprId some = draft_.sequence({draft_.bytes("."), fraction(0, tight, false)});
    return draft_.choice({none, some});
}

// Whether the number may end before the decimal `at`.
bool IntervalWriter::can_stop(std::size_t at, Tight tight) const {
    if (tight.low && (in_.low_excluded || !only_zeros(in_.low.fraction, at))) return false;
    return !tight.high || !in_.high_excluded || !only_zeros(in_.high.fraction, at);
}

ExprId IntervalWriter::free_digits(std::size_t at) {
    const int left = kSignificant - static_cast<int>(n_whole_) - static_cast<int>(at);
    return draft_.repeat(digit_, 0, std::max(left, 0));
}

// Past the last decimal of either bound that still counts: equal to it so far.
ExprId IntervalWriter::beyond_bounds(std::size_t at, Tight tight) {
    const int left = kSignificant - static_cast<int>(n_whole_) - static_cast<int>(at);
    const ExprId zeros = draft_.repeat(draft_.bytes("0"), 1, std::max(left, 1));
    if (tight.high) return in_.high_excluded ? draft_.never() : zeros;
    if (left <= 0) return in_.low_excluded ? draft_.never() : zeros;
    const ExprId more =
        draft_.sequence({draft_.repeat(draft_.bytes("0"), 0, left - 1), draft_.chars({{'1', '9'}}),
                         free_digits(at + static_cast<std::size_t>(left))});
    return in_.low_excluded ? more : draft_.choice({zeros, more});
}

// Decimals from `at` on; none only if `may_stop`.
ExprId IntervalWriter::fraction(std::size_t at, Tight tight, bool may_stop) {
    if (!tight.low && !tight.high)
        return may_stop ? free_digits(at) : draft_.sequence({digit_, free_digits(at + 1)});
    std::vector<ExprId> parts;
    if (may_stop && can_stop(at, tight)) parts.push_back(draft_.empty());
    const bool past_low = !tight.low || at >= in_.low.fraction.size();
    const bool past_high = !tight.high || at >= in_.high.fraction.size();
    if (past_low && past_high) {
        const bool clash = tight.low && tight.high && (in_.low_excluded || in_.high_excluded);
        parts.push_back(clash ? draft_.never() : beyond_bounds(at, tight));
        return draft_.choice(parts);
    }
    const char first = tight.low ? digit_at(in_.low.fraction, at) : '0';
    const char last = tight.high ? digit_at(in_.high.fraction, at) : '9';
    for (char d = first; d <= last; ++d) {
        const Tight next{tight.low && d == first, tight.high && d == last};
        const auto code = static_cast<char32_t>(d);
        parts.push_back(
            draft_.sequence({draft_.chars({{code, code}}), fraction(at + 1, next, true)}));
    }
    return draft_.choice(parts);
}

std::optional<Decimal> decimal_of(double magnitude) {
    if (!(magnitude < kLargest)) return std::nullopt;
    // The shortest digits that read as this number; below 10^-4 with an exponent.
    std::string text = fmt::format("{}", magnitude);
    int exponent = 0;
    if (const std::size_t e = text.find('e'); e != std::string::npos) {
        exponent = std::stoi(text.substr(e + 1));
        text.resize(e);
    }
    const std::size_t point = text.find('.');
    Decimal out{text.substr(0, point), {}};
    if (point != std::string::npos) out.fraction = text.substr(point + 1);
    if (exponent < 0) {
        if (static_cast<std::size_t>(-exponent) > kMaxDecimals) return std::nullopt;
        out.fraction =
            std::string(static_cast<std::size_t>(-exponent - 1), '0') + out.whole + out.fraction;
        out.whole = "0";
    }
    while (!out.fraction.empty() && out.fraction.back() == '0') out.fraction.pop_back();
    if (out.fraction.size() > kMaxDecimals) return std::nullopt;
    return out;
}

}  // namespace

ExprId integers_between(Draft& draft, std::int64_t low, std::int64_t high) {
    std::vector<ExprId> parts;
    const auto digits = [](std::int64_t value) {  // of the magnitude, also of the lowest number
        std::string text = std::to_string(value);
        return text[0] == '-' ? text.substr(1) : text;
    };
    if (low < 0) {
        const std::int64_t nearest = std::min<std::int64_t>(high, -1);
        Interval below{{digits(nearest)}, {digits(low)}};
        if (low <= nearest)
            parts.push_back(
                draft.sequence({draft.bytes("-"), IntervalWriter(draft, below).write()}));
    }
    if (high >= 0 && low <= high) {
        const Interval above{{digits(std::max<std::int64_t>(low, 0))}, {digits(high)}};
        parts.push_back(IntervalWriter(draft, above).write());
    }
    return draft.choice(parts);
}

Result<ExprId> numbers_between(Draft& draft, const NumberBounds& bounds) {
    const double low = bounds.low.value_or(-kLargest);
    const double high = bounds.high.value_or(kLargest);
    // An open side ends where numbers of 15 digits do.
    const bool low_excluded = bounds.low ? bounds.low_excluded : true;
    const bool high_excluded = bounds.high ? bounds.high_excluded : true;
    const auto as_decimal = [](double value) -> Result<Decimal> {
        if (std::abs(value) == kLargest) return Decimal{"1" + std::string(kSignificant, '0'), {}};
        if (auto decimal = decimal_of(std::abs(value))) return std::move(*decimal);
        return Error{Code::unsupported,
                     fmt::format("a bound of {} cannot be held to digit by digit", value)};
    };
    HEFT_TRY(const Decimal low_digits, as_decimal(low));
    HEFT_TRY(const Decimal high_digits, as_decimal(high));
    if (low > high) return draft.never();
    std::vector<ExprId> parts;
    if (low < 0) {  // mirrored; zero is written without a sign
        const bool reaches_zero = high >= 0;
        const Interval below{reaches_zero ? Decimal{} : high_digits, low_digits,
                             reaches_zero || high_excluded, low_excluded, true};
        parts.push_back(draft.sequence({draft.bytes("-"), IntervalWriter(draft, below).write()}));
    }
    if (high >= 0) {
        const Interval above{low >= 0 ? low_digits : Decimal{}, high_digits,
                             low >= 0 && low_excluded, high_excluded, true};
        parts.push_back(IntervalWriter(draft, above).write());
    }
    return draft.choice(parts);
}

}  // namespace heft::grammar
