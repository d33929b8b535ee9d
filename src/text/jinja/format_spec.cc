#include <algorithm>
#include <cmath>
#include <cstdio>

#include <fmt/format.h>

#include "text/jinja/format.h"
#include "text/jinja/operators.h"
#include "text/jinja/unicode.h"
#include "text/jinja/words.h"

namespace heft::text::jinja {

namespace {

constexpr std::size_t kMaxNumber = 100'000'000;
constexpr int kMaxPrecision = 1000;

// A field before padding: what `=` pads after, and the rest.
struct Field {
    std::string prefix;
    std::string body;
    bool number = false;
};

std::string grouped(const std::string& digits) {
    const std::size_t whole = std::min(digits.find_first_not_of("0123456789"), digits.size());
    std::string out;
    for (std::size_t i = 0; i < whole; ++i) {
        if (i > 0 && (whole - i) % 3 == 0) out += ',';
        out += digits[i];
    }
    return out + digits.substr(whole);
}

std::string sign_of(bool negative, const FormatSpec& spec) {
    if (negative) return "-";
    return spec.sign == '-' ? "" : std::string(1, spec.sign);
}

std::string in_base(std::uint64_t value, char type) {
    switch (type) {
        case 'x': return fmt::format("{:x}", value);
        case 'X': return fmt::format("{:X}", value);
        case 'o': return fmt::format("{:o}", value);
        case 'b': return fmt::format("{:b}", value);
        default: return fmt::format("{}", value);
    }
}

Field whole_field(std::int64_t value, const FormatSpec& spec) {
    const std::uint64_t magnitude =
        value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    Field field{sign_of(value < 0, spec), in_base(magnitude, spec.type), true};
    if (spec.precision > 0 && field.body.size() < static_cast<std::size_t>(spec.precision)) {
        field.body.insert(0, static_cast<std::size_t>(spec.precision) - field.body.size(), '0');
    }
    if (spec.alternate && std::string_view("xXob").find(spec.type) != std::string_view::npos) {
        field.prefix += fmt::format("0{}", spec.type);
    }
    if (spec.by_thousands) field.body = grouped(field.body);
    return field;
}

Field real_field(double value, const FormatSpec& spec) {
    Field field{sign_of(std::signbit(value) && !std::isnan(value), spec), "", true};
    const double magnitude = std::fabs(value);
    const bool percent = spec.type == '%';
    if (!std::isfinite(magnitude)) {
        field.body = std::isnan(magnitude) ? "nan" : "inf";
    } else if (spec.type == '\0' && spec.precision < 0) {
        field.body = real_repr(magnitude);
    } else {
        const char type = percent || spec.type == '\0' ? (percent ? 'f' : 'g') : spec.type;
        const char format[] = {'%', '.', '*', type, '\0'};
        const int precision = spec.precision < 0 ? 6 : spec.precision;
        const double shown = percent ? magnitude * 100 : magnitude;
        const int size = std::snprintf(nullptr, 0, format, precision, shown);
        field.body.resize(static_cast<std::size_t>(std::max(size, 0)) + 1);
        std::snprintf(field.body.data(), field.body.size(), format, precision, shown);
        field.body.pop_back();
    }
    if (spec.by_thousands) field.body = grouped(field.body);
    if (percent) field.body += '%';
    return field;
}

void add_padded(Builder& out, const Field& field, const FormatSpec& spec) {
    const std::size_t size = field.prefix.size() + count_code_points(field.body);
    const std::size_t missing = spec.width > size ? spec.width - size : 0;
    const char align = spec.align != '\0' ? spec.align : (field.number ? '>' : '<');
    std::string fill;
    append_utf8(fill, spec.fill);
    const std::size_t before = align == '>' ? missing : (align == '^' ? missing / 2 : 0);
    const std::size_t inside = align == '=' ? missing : 0;
    out.fill(before, fill);
    out.add(field.prefix);
    out.fill(inside, fill);
    out.add(field.body);
    out.fill(missing - before - inside, fill);
}

Error wrong_type(const Value& value, char type) {
    return type_error(
        fmt::format("format '{}' does not suit a value of type {}", type, type_name(value)));
}

bool one_of(char type, std::string_view types) {
    return types.find(type) != std::string_view::npos;
}

}  // namespace

Result<std::size_t> read_number(std::string_view text, std::size_t& at) {
    std::size_t number = 0;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
        number = number * 10 + static_cast<std::size_t>(text[at++] - '0');
        if (number > kMaxNumber) return type_error("a number in a format is too large");
    }
    return number;
}

Status add_formatted(Heap& heap, Builder& out, const Value& value, const FormatSpec& spec) {
    if (spec.precision > kMaxPrecision && !value.is_string()) {
        return type_error("the precision in a format is too large");
    }
    if (value.is_number() && one_of(spec.type, "eEfFgG%")) {
        add_padded(out, real_field(value.as_real(), spec), spec);
        return out.status();
    }
    if (value.is_whole()
        && (one_of(spec.type, "dxXobn") || (value.is(Kind::integer) && spec.type == '\0'))) {
        add_padded(out, whole_field(value.as_int(), spec), spec);
        return out.status();
    }
    if (value.is_whole() && spec.type == 'c') {
        Field field;
        append_utf8(field.body,
                    static_cast<char32_t>(std::clamp<std::int64_t>(value.as_int(), 0, 0x110000)));
        add_padded(out, field, spec);
        return out.status();
    }
    if (value.is(Kind::real) && spec.type == '\0') {
        add_padded(out, real_field(value.as_real(), spec), spec);
        return out.status();
    }
    if (spec.type != '\0' && spec.type != 's') return wrong_type(value, spec.type);
    HEFT_TRY(const Value text, to_str(heap, value));
    const std::size_t shown =
        spec.precision < 0 ? text.string().length : static_cast<std::size_t>(spec.precision);
    add_padded(out, Field{"", std::string(code_points(text.string(), 0, shown)), false}, spec);
    return out.status();
}

}  // namespace heft::text::jinja
