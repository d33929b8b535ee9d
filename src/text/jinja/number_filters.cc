// Filters that make and change numbers.
#include <charconv>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>

#include "text/jinja/interpreter.h"
#include "text/jinja/literal.h"
#include "text/jinja/natives.h"
#include "text/jinja/operators.h"
#include "text/jinja/unicode.h"

namespace heft::text::jinja {

namespace {

constexpr double kTwo63 = 9223372036854775808.0;

std::string_view trimmed(std::string_view text) {
    return strip_right(strip_left(text));
}

// int(text, base): a sign, digits, single underscores.
std::optional<std::int64_t> read_int(std::string_view text, std::int64_t base) {
    text = trimmed(text);
    const bool negative = !text.empty() && text[0] == '-';
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
    const std::pair<std::int64_t, std::string_view> prefixes[] = {{16, "xX"}, {8, "oO"}, {2, "bB"}};
    for (const auto& [of, letters] : prefixes) {
        const bool prefixed =
            text.size() > 2 && text[0] == '0' && letters.find(text[1]) != std::string_view::npos;
        if (!prefixed || (base != of && base != 0)) continue;
        base = of;
        text.remove_prefix(2);
    }
    if (base == 0) base = 10;
    std::string digits(negative ? "-" : "");
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '_') {
            digits += text[i];
        } else if (i == 0 || i + 1 == text.size() || text[i + 1] == '_') {
            return std::nullopt;
        }
    }
    if (base < 2 || base > 36) return std::nullopt;
    std::int64_t value = 0;
    const char* end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, value, static_cast<int>(base));
    if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
    return value;
}

std::optional<double> read_float(std::string_view text) {
    text = trimmed(text);
    if (!text.empty() && text[0] == '+') text.remove_prefix(1);
    double value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec == std::errc::result_out_of_range) return std::nullopt;
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<std::int64_t> truncated(double value) {
    if (!(value > -kTwo63 && value < kTwo63)) return std::nullopt;
    return static_cast<std::int64_t>(value);
}

Result<Value> to_int(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "int", {"default", "base"}));
    HEFT_TRY(const std::int64_t base, bound.whole(1, 10));
    const Value otherwise = bound[0].is_absent() ? Value::integer(0) : bound[0];
    if (self.is_undefined()) return type_error(std::string(self.complaint()));
    if (self.is_whole()) return Value::integer(self.as_int());
    std::optional<std::int64_t> value;
    if (self.is(Kind::real)) value = truncated(self.as_real());
    if (self.is_string()) {
        HEFT_OK(run.heap().spend_bytes(self.text().size()));
        value = read_int(self.text(), base);
        const auto real = value ? std::nullopt : read_float(self.text());
        if (real) value = truncated(*real);
    }
    return value ? Value::integer(*value) : otherwise;
}

Result<Value> to_float(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "float", {"default"}));
    if (self.is_undefined()) return type_error(std::string(self.complaint()));
    if (self.is_number()) return Value::real(self.as_real());
    if (self.is_string()) {
        HEFT_OK(run.heap().spend_bytes(self.text().size()));
        const auto value = read_float(self.text());
        if (value) return Value::real(*value);
    }
    return bound[0].is_absent() ? Value::real(0) : bound[0];
}

Error no_number(const Value& value, std::string_view function) {
    if (value.is_undefined()) return type_error(std::string(value.complaint()));
    return type_error(fmt::format("{}() wants a number, not '{}'", function, type_name(value)));
}

Result<Value> absolute(Interpreter& /*run*/, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "abs", {}));
    if (!self.is_number()) return no_number(self, "abs");
    if (self.is(Kind::real)) return Value::real(std::fabs(self.as_real()));
    return self.as_int() < 0 ? negate(self) : Value::integer(self.as_int());
}

// Half to even in exact decimal, as Python's round().
double rounded(double value, int digits) {
    if (!std::isfinite(value)) return value;
    if (digits < 0) {
        const double scale = std::pow(10.0, -digits);
        return std::nearbyint(value / scale) * scale;
    }
    const std::string text = fmt::format("{:.{}f}", value, std::min(digits, 400));
    double result = value;
    std::from_chars(text.data(), text.data() + text.size(), result);
    return result;
}

Result<Value> round_number(Interpreter& /*run*/, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "round", {"precision", "method"}));
    HEFT_TRY(const std::int64_t precision, bound.whole(0));
    HEFT_TRY(const std::string_view method, bound.text(1, "common"));
    if (!self.is_number()) return no_number(self, "round");
    if (precision < -300 || precision > 300) return type_error("the precision is out of range");
    const int digits = static_cast<int>(precision);
    if (method == "common") {
        if (self.is_whole() && digits >= 0) return Value::integer(self.as_int());
        const double result = rounded(self.as_real(), digits);
        const auto whole = self.is_whole() ? truncated(result) : std::nullopt;
        return whole ? Value::integer(*whole) : Value::real(result);
    }
    if (method != "ceil" && method != "floor")
        return type_error("method must be common, ceil or floor");
    const double scale = std::pow(10.0, digits);
    const double scaled = self.as_real() * scale;
    return Value::real((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale);
}

Result<Value> filesizeformat(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "filesizeformat", {"binary"}));
    if (!self.is_number()) return no_number(self, "filesizeformat");
    const bool binary = bound.flag(0);
    const double base = binary ? 1024 : 1000;
    const double bytes = self.as_real();
    if (bytes == 1) return run.heap().string(std::string_view("1 Byte"));
    if (bytes < base) return run.heap().string(fmt::format("{} Bytes", std::floor(bytes)));
    constexpr std::string_view kPrefixes = "kMGTPEZY";
    double unit = base;
    std::size_t at = 0;
    while (at + 1 < kPrefixes.size() && bytes >= unit * base) {
        unit *= base;
        ++at;
    }
    std::string prefix(1, kPrefixes[at]);
    if (binary) prefix = (at == 0 ? "K" : prefix) + "i";
    return run.heap().string(fmt::format("{:.1f} {}B", bytes / unit, prefix));
}

constexpr NativeEntry kFilters[] = {
    {"int", to_int},
    {"float", to_float},
    {"abs", absolute},
    {"round", round_number},
    {"filesizeformat", filesizeformat},
};

}  // namespace

std::span<const NativeEntry> number_filters() {
    return kFilters;
}

}  // namespace heft::text::jinja
