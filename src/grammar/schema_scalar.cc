#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "grammar/formats.h"
#include "grammar/number_range.h"
#include "grammar/schema_writer.h"

namespace heft::grammar {

namespace {

constexpr int kMaxCount = 1'000'000;
constexpr std::int64_t kMaxInteger =
    9'999'999'999'999'999;  // 16 digits, where nothing else is said
constexpr double kInt64 = 9.2e18;
constexpr std::int64_t kMaxMultiples = 4096;  // listed one by one

// Formats that OpenAPI has for numbers.
struct IntegerFormat {
    std::string_view name;
    std::int64_t low, high;
};
constexpr IntegerFormat kIntegerFormats[] = {
    {"int32", std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()},
    {"int64", -kMaxInteger, kMaxInteger},
};

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
    return a / b - (a % b != 0 && a < 0 ? 1 : 0);
}

// The end of an open range that begins at `value`: more digits if that needs them.
std::int64_t open_end(std::int64_t value) {
    if (value < kMaxInteger) return kMaxInteger;
    return std::numeric_limits<std::int64_t>::max();
}

}  // namespace

Result<std::optional<int>> count_of(const Json& schema, std::string_view key,
                                    const std::string& at) {
    const auto found = schema.find(key);
    if (found == schema.end()) return std::optional<int>();
    const bool whole =
        found->is_number_integer()
        || (found->is_number() && std::floor(found->get<double>()) == found->get<double>());
    if (!whole || found->get<double>() < 0 || found->get<double>() > kMaxCount)
        return schema_error(below(at, key),
                            fmt::format("this is a whole number from 0 to {}", kMaxCount));
    return std::optional<int>(found->get<int>());
}

Result<std::optional<double>> bound_of(const Json& schema, std::string_view key,
                                       const std::string& at) {
    const auto found = schema.find(key);
    if (found == schema.end()) return std::optional<double>();
    if (!found->is_number()) return schema_error(below(at, key), "this is a number");
    return std::optional<double>(found->get<double>());
}

Result<ExprId> SchemaWriter::string(const Json& schema, const std::string& at) {
    const bool any = !schema.contains("minLength") && !schema.contains("maxLength")
                     && !schema.contains("pattern") && !schema.contains("format");
    if (any) return json_.any_string();
    HEFT_TRY(const ExprId inside, content(schema, at));
    return json_.quoted(inside);
}

Result<ExprId> SchemaWriter::content(const Json& schema, const std::string& at) {
    HEFT_TRY(const std::optional<int> min, count_of(schema, "minLength", at));
    HEFT_TRY(const std::optional<int> max, count_of(schema, "maxLength", at));
    const int least = min.value_or(0);
    const int most = max.value_or(kUnbounded);
    const bool has_pattern = schema.contains("pattern");
    if (schema.contains("format")) {
        if (has_pattern) return refused_keyword(at, "format", "it stands beside a pattern");
        const Json& name = schema["format"];
        const auto pattern =
            name.is_string() ? format_pattern(name.get_ref<const std::string&>()) : std::nullopt;
        if (!pattern)
            return refused_keyword(
                at, "format", fmt::format("those known are {}", fmt::join(format_names(), ", ")));
        return shaped(*pattern, least, most, below(at, "format"));
    }
    if (has_pattern) {
        if (!schema["pattern"].is_string())
            return schema_error(below(at, "pattern"), "a pattern is a string");
        return shaped(schema["pattern"].get_ref<const std::string&>(), least, most,
                      below(at, "pattern"));
    }
    return draft_.repeat(json_.any_char(), least, most);
}

Result<ExprId> SchemaWriter::shaped(std::string_view pattern, int min, int max,
                                    const std::string& at) {
    const auto spell = [this](const std::vector<CodeRange>& chars) { return json_.char_of(chars); };
    auto written = write_pattern(pattern, PatternMode::search, spell, draft_);
    if (!written) return schema_error(at, written.error().what);
    const bool long_enough = written->min_chars >= min;
    const bool short_enough =
        max == kUnbounded || (written->max_chars != kUnbounded && written->max_chars <= max);
    if (long_enough && short_enough) return written->expr;
    if (!written->unit)
        return schema_error(at,
                            "it stands beside minLength or maxLength, which it may break; "
                            "write the length into the pattern");
    const auto limit = [](std::int64_t n) {
        return static_cast<int>(std::min<std::int64_t>(n, kMaxCount));
    };
    const int least = std::max(limit(written->min_chars), min);
    int most = written->max_chars == kUnbounded ? kUnbounded : limit(written->max_chars);
    if (max != kUnbounded) most = most == kUnbounded ? max : std::min(most, max);
    return draft_.repeat(*written->unit, least, most);
}

Result<ExprId> SchemaWriter::number(const Json& schema, const std::string& at) {
    if (schema.contains("multipleOf")) return integer(schema, at);
    if (schema.contains("format")) {
        const Json& name = schema["format"];
        if (name == "int32" || name == "int64") return integer(schema, at);
        if (name != "float" && name != "double")
            return refused_keyword(at, "format",
                                   "numbers have the formats int32, int64, float and double");
    }
    NumberBounds bounds;
    HEFT_TRY(bounds.low, bound_of(schema, "minimum", at));
    HEFT_TRY(bounds.high, bound_of(schema, "maximum", at));
    HEFT_TRY(const std::optional<double> above, bound_of(schema, "exclusiveMinimum", at));
    HEFT_TRY(const std::optional<double> beneath, bound_of(schema, "exclusiveMaximum", at));
    if (above && (!bounds.low || *above >= *bounds.low)) {
        bounds.low = above;
        bounds.low_excluded = true;
    }
    if (beneath && (!bounds.high || *beneath <= *bounds.high)) {
        bounds.high = beneath;
        bounds.high_excluded = true;
    }
    if (!bounds.low && !bounds.high) return json_.number();
    auto written = numbers_between(draft_, bounds);
    if (!written) return schema_error(at, written.error().what);
    return written;
}

Result<ExprId> SchemaWriter::integer(const Json& schema, const std::string& at) {
    std::optional<std::int64_t> low, high;
    const auto raise = [&low](std::int64_t to) { low = std::max(low.value_or(to), to); };
    const auto lower = [&high](std::int64_t to) { high = std::min(high.value_or(to), to); };
    for (const char* key : {"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"}) {
        HEFT_TRY(const std::optional<double> bound, bound_of(schema, key, at));
        if (!bound) continue;
        if (std::abs(*bound) > kInt64)
            return refused_keyword(at, key, "it is beyond the integers of 64 bits");
        const bool excluded = key[0] == 'e';
        const bool is_low = key[excluded ? 10 : 1] == 'i';
        const Json& given = schema[key];
        const bool whole = given.is_number_integer() || std::floor(*bound) == *bound;
        const double edge = is_low ? std::ceil(*bound) : std::floor(*bound);
        auto value =
            given.is_number_integer() ? given.get<std::int64_t>() : static_cast<std::int64_t>(edge);
        if (excluded && whole) value += is_low ? 1 : -1;
        if (is_low) {
            raise(value);
        } else {
            lower(value);
        }
    }
    if (schema.contains("format")) {
        const Json& name = schema["format"];
        const auto known =
            std::find_if(std::begin(kIntegerFormats), std::end(kIntegerFormats),
                         [&name](const auto& f) { return name == std::string(f.name); });
        if (known == std::end(kIntegerFormats))
            return refused_keyword(at, "format", "integers have the formats int32 and int64");
        raise(known->low);
        lower(known->high);
    }
    std::int64_t step = 1;
    if (schema.contains("multipleOf")) {
        HEFT_TRY(const std::optional<double> given, bound_of(schema, "multipleOf", at));
        if (!(*given >= 1) || *given > kInt64 || std::floor(*given) != *given)
            return refused_keyword(at, "multipleOf",
                                   "only whole steps are: validators disagree on fractions, "
                                   "which are not exact in binary");
        step = static_cast<std::int64_t>(*given);
    }
    const bool bounded = low && high;
    if (!low && !high && step == 1) return json_.integer();
    const std::int64_t from = low.value_or(high ? -open_end(-*high) : -kMaxInteger);
    const std::int64_t to = high.value_or(low ? open_end(*low) : kMaxInteger);
    if (step > 1) return multiples(step, from, to, bounded, at);
    return integers_between(draft_, from, to);
}

Result<ExprId> SchemaWriter::multiples(std::int64_t step, std::int64_t low, std::int64_t high,
                                       bool bounded, const std::string& at) {
    const std::int64_t first = -floor_div(-low, step);
    const std::int64_t last = floor_div(high, step);
    if (first > last) return draft_.never();
    if (bounded && last - first < kMaxMultiples) {
        std::vector<ExprId> parts;
        for (std::int64_t n = first; n <= last; ++n)
            parts.push_back(draft_.bytes(std::to_string(n * step)));
        return draft_.choice(parts);
    }
    std::string zeros = std::to_string(step).substr(1);
    const bool is_power =
        std::to_string(step)[0] == '1' && zeros.find_first_not_of('0') == std::string::npos;
    if (!is_power)
        return refused_keyword(at, "multipleOf",
                               fmt::format("it needs bounds with at most {} values between them, "
                                           "or a step of 10, 100 …",
                                           kMaxMultiples));
    const auto with_zeros = [&](std::int64_t from, std::int64_t to) {
        return draft_.sequence({integers_between(draft_, from, to), draft_.bytes(zeros)});
    };
    std::vector<ExprId> parts;
    if (first < 0) parts.push_back(with_zeros(first, std::min<std::int64_t>(last, -1)));
    if (first <= 0 && last >= 0) parts.push_back(draft_.bytes("0"));
    if (last > 0) parts.push_back(with_zeros(std::max<std::int64_t>(first, 1), last));
    return draft_.choice(parts);
}

}  // namespace heft::grammar
