#include <cmath>

#include <fmt/format.h>

#include "text/jinja/format.h"
#include "text/jinja/operators.h"
#include "text/jinja/words.h"

namespace heft::text::jinja {

namespace {

constexpr std::string_view kSigns[] = {"+", "-", "*", "/", "//", "%", "** or pow()"};

Error integer_overflow() {
    return Error{Code::unsupported,
                 "an integer leaves the range of 64 bits, which templates have here"};
}

Error no_operation(ArithmeticOp op, const Value& left, const Value& right) {
    if (left.is_undefined()) return type_error(std::string(left.complaint()));
    if (right.is_undefined()) return type_error(std::string(right.complaint()));
    const bool adds_text = op == ArithmeticOp::add && left.is_string();
    if (adds_text) {
        return type_error(
            fmt::format("can only concatenate str (not \"{}\") to str", type_name(right)));
    }
    return type_error(fmt::format("unsupported operand type(s) for {}: '{}' and '{}'",
                                  kSigns[static_cast<std::size_t>(op)], type_name(left),
                                  type_name(right)));
}

Result<Value> whole_power(std::int64_t base, std::int64_t exponent) {
    if (exponent < 0) {
        if (base == 0) return type_error("0.0 cannot be raised to a negative power");
        return Value::real(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
    }
    std::int64_t result = 1;
    while (exponent > 0) {
        if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result))
            return integer_overflow();
        exponent >>= 1;
        if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) return integer_overflow();
    }
    return Value::integer(result);
}

// Rounds towards minus infinity, as Python does.
Result<Value> whole_division(ArithmeticOp op, std::int64_t a, std::int64_t b) {
    if (b == 0) return type_error("division by zero");
    if (b == -1) {
        if (op == ArithmeticOp::modulo) return Value::integer(0);
        std::int64_t negated = 0;
        if (__builtin_sub_overflow(std::int64_t{0}, a, &negated)) return integer_overflow();
        return Value::integer(negated);
    }
    std::int64_t quotient = a / b;
    std::int64_t rest = a % b;
    if (rest != 0 && (rest < 0) != (b < 0)) {
        rest += b;
        --quotient;
    }
    return Value::integer(op == ArithmeticOp::modulo ? rest : quotient);
}

Result<Value> whole(ArithmeticOp op, std::int64_t a, std::int64_t b) {
    std::int64_t result = 0;
    bool overflow = false;
    switch (op) {
        case ArithmeticOp::add: overflow = __builtin_add_overflow(a, b, &result); break;
        case ArithmeticOp::subtract: overflow = __builtin_sub_overflow(a, b, &result); break;
        case ArithmeticOp::multiply: overflow = __builtin_mul_overflow(a, b, &result); break;
        case ArithmeticOp::divide:
            if (b == 0) return type_error("division by zero");
            return Value::real(static_cast<double>(a) / static_cast<double>(b));
        case ArithmeticOp::floor_divide:
        case ArithmeticOp::modulo: return whole_division(op, a, b);
        case ArithmeticOp::power: return whole_power(a, b);
    }
    if (overflow) return integer_overflow();
    return Value::integer(result);
}

Result<Value> real(ArithmeticOp op, double a, double b) {
    switch (op) {
        case ArithmeticOp::add: return Value::real(a + b);
        case ArithmeticOp::subtract: return Value::real(a - b);
        case ArithmeticOp::multiply: return Value::real(a * b);
        case ArithmeticOp::power: return Value::real(std::pow(a, b));
        case ArithmeticOp::divide:
        case ArithmeticOp::floor_divide:
        case ArithmeticOp::modulo: break;
    }
    if (b == 0) return type_error("float division by zero");
    if (op == ArithmeticOp::divide) return Value::real(a / b);
    double rest = std::fmod(a, b);
    if (rest != 0 && (rest < 0) != (b < 0)) rest += b;
    if (op == ArithmeticOp::modulo) return Value::real(rest);
    return Value::real(std::floor((a - rest) / b + 0.5));
}

Result<Value> add_strings(Heap& heap, const Value& left, const Value& right) {
    const bool markup = left.is_markup() || right.is_markup();
    Value a = left;
    Value b = right;
    if (markup && !left.is_markup()) {
        HEFT_TRY(a, escape_html(heap, left.text()));
    }
    if (markup && !right.is_markup()) {
        HEFT_TRY(b, escape_html(heap, right.text()));
    }
    Builder out(heap);
    out.add(a.text());
    out.add(b.text());
    return out.value(markup);
}

Result<Value> add_lists(Heap& heap, const Value& left, const Value& right) {
    const auto& a = left.list().items;
    const auto& b = right.list().items;
    if ((a.size() + b.size()) * sizeof(Value) > heap.room()) return too_large();
    std::vector<Value> items;
    items.reserve(a.size() + b.size());
    items.insert(items.end(), a.begin(), a.end());
    items.insert(items.end(), b.begin(), b.end());
    return heap.list(std::move(items), left.list().flavor);
}

Result<Value> repeat(Heap& heap, const Value& value, std::int64_t times) {
    const std::size_t count = times > 0 ? static_cast<std::size_t>(times) : 0;
    if (value.is_string()) {
        Builder out(heap);
        out.fill(count, value.text());
        return out.value(value.is_markup());
    }
    const auto& source = value.list().items;
    std::vector<Value> items;
    if (!source.empty() && count > 0) {
        if (count > heap.room() / sizeof(Value) / source.size()) return too_large();
        items.reserve(count * source.size());
        for (std::size_t i = 0; i < count; ++i)
            items.insert(items.end(), source.begin(), source.end());
    }
    return heap.list(std::move(items), value.list().flavor);
}

bool is_sequence(const Value& value) {
    return value.is_string() || (value.is(Kind::list) && value.list().flavor <= Flavor::tuple);
}

}  // namespace

Result<Value> arithmetic(Heap& heap, ArithmeticOp op, const Value& left, const Value& right) {
    if (left.is_whole() && right.is_whole()) return whole(op, left.as_int(), right.as_int());
    if (left.is_number() && right.is_number()) return real(op, left.as_real(), right.as_real());
    if (op == ArithmeticOp::add) {
        if (left.is_string() && right.is_string()) return add_strings(heap, left, right);
        if (is_sequence(left) && is_sequence(right) && left.kind() == right.kind()
            && left.list().flavor == right.list().flavor) {
            return add_lists(heap, left, right);
        }
    }
    if (op == ArithmeticOp::multiply) {
        if (is_sequence(left) && right.is_whole()) return repeat(heap, left, right.as_int());
        if (is_sequence(right) && left.is_whole()) return repeat(heap, right, left.as_int());
    }
    if (op == ArithmeticOp::modulo && left.is_string() && !right.is_undefined()) {
        return percent_format(heap, left, right);
    }
    return no_operation(op, left, right);
}

Result<Value> negate(const Value& value) {
    if (value.is(Kind::real)) return Value::real(-value.as_real());
    if (value.is_undefined()) return type_error(std::string(value.complaint()));
    if (!value.is_whole()) {
        return type_error(fmt::format("bad operand type for unary -: '{}'", type_name(value)));
    }
    std::int64_t result = 0;
    if (__builtin_sub_overflow(std::int64_t{0}, value.as_int(), &result)) return integer_overflow();
    return Value::integer(result);
}

}  // namespace heft::text::jinja
