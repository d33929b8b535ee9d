// What may follow `is`.
#include <fmt/format.h>

#include "text/jinja/interpreter.h"
#include "text/jinja/natives.h"
#include "text/jinja/operators.h"
#include "text/jinja/unicode.h"
#include "text/jinja/words.h"

namespace heft::text::jinja {

namespace {

// A test without arguments that only looks.
template <bool (*holds)(const Value&)>
Result<Value> looks(Interpreter& /*run*/, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "test", {}));
    return Value::boolean(holds(self));
}

template <CompareOp op>
Result<Value> compares(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "test", {"other"}, 1));
    HEFT_TRY(const bool holds, compare(run.heap(), op, self, bound[0]));
    return Value::boolean(holds);
}

bool is_defined(const Value& v) {
    return !v.is_undefined();
}
bool is_undefined(const Value& v) {
    return v.is_undefined();
}
bool is_none(const Value& v) {
    return v.is(Kind::none);
}
bool is_boolean(const Value& v) {
    return v.is(Kind::boolean);
}
bool is_true(const Value& v) {
    return v.is(Kind::boolean) && v.as_bool();
}
bool is_false(const Value& v) {
    return v.is(Kind::boolean) && !v.as_bool();
}
bool is_integer(const Value& v) {
    return v.is(Kind::integer);
}
bool is_float(const Value& v) {
    return v.is(Kind::real);
}
bool is_number(const Value& v) {
    return v.is_number();
}
bool is_string(const Value& v) {
    return v.is_string();
}
bool is_mapping(const Value& v) {
    return v.is(Kind::dict);
}
bool is_escaped(const Value& v) {
    return v.is_markup();
}

bool is_sequence(const Value& v) {
    if (v.is(Kind::list)) return v.list().indexable();
    if (v.is(Kind::object)) return v.object().sequence() != nullptr;
    return v.is_string() || v.is(Kind::dict) || v.is_undefined();
}

bool is_iterable(const Value& v) {
    return v.is(Kind::list) || is_sequence(v);
}

bool is_callable(const Value& v) {
    return v.is_undefined() || (v.is(Kind::object) && v.object().callable());
}

Result<Value> remainder_is(Interpreter& run, const Value& self, std::int64_t divisor,
                           std::int64_t wanted) {
    HEFT_TRY(const Value rest,
             arithmetic(run.heap(), ArithmeticOp::modulo, self, Value::integer(divisor)));
    return Value::boolean(rest.is_number() && rest.as_real() == static_cast<double>(wanted));
}

Result<Value> odd(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "odd", {}));
    return remainder_is(run, self, 2, 1);
}

Result<Value> even(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "even", {}));
    return remainder_is(run, self, 2, 0);
}

Result<Value> divisibleby(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "divisibleby", {"num"}, 1));
    HEFT_TRY(const Value rest, arithmetic(run.heap(), ArithmeticOp::modulo, self, bound[0]));
    return Value::boolean(rest.is_number() && rest.as_real() == 0);
}

Result<Value> sameas(Interpreter& /*run*/, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "sameas", {"other"}, 1));
    return Value::boolean(self.same(bound[0]));
}

Result<Value> in(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "in", {"seq"}, 1));
    HEFT_TRY(const bool holds, contains(run.heap(), bound[0], self));
    return Value::boolean(holds);
}

// All letters with case are of the one case, and there is one.
Result<Value> in_case(Interpreter& run, const Value& self, bool upper) {
    HEFT_TRY(const Value text, to_str(run.heap(), self));
    HEFT_OK(run.heap().spend_bytes(text.text().size() * 4));
    bool any = false;
    for (std::size_t at = 0; at < text.text().size();) {
        const CodePoint c = decode(text.text(), at);
        if (upper ? is_lower(c.value) : is_upper(c.value)) return Value::boolean(false);
        any = any || (upper ? is_upper(c.value) : is_lower(c.value));
        at += c.bytes;
    }
    return Value::boolean(any);
}

Result<Value> lower(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "lower", {}));
    return in_case(run, self, false);
}

Result<Value> upper(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "upper", {}));
    return in_case(run, self, true);
}

Result<Value> is_filter(Interpreter& /*run*/, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "filter", {}));
    return Value::boolean(self.is_string() && find_filter(self.text()) != nullptr);
}

Result<Value> is_test(Interpreter& /*run*/, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "test", {}));
    return Value::boolean(self.is_string() && find_test(self.text()) != nullptr);
}

constexpr NativeEntry kTests[] = {
    {"defined", looks<is_defined>},
    {"undefined", looks<is_undefined>},
    {"none", looks<is_none>},
    {"boolean", looks<is_boolean>},
    {"true", looks<is_true>},
    {"false", looks<is_false>},
    {"integer", looks<is_integer>},
    {"float", looks<is_float>},
    {"number", looks<is_number>},
    {"string", looks<is_string>},
    {"mapping", looks<is_mapping>},
    {"sequence", looks<is_sequence>},
    {"iterable", looks<is_iterable>},
    {"callable", looks<is_callable>},
    {"escaped", looks<is_escaped>},
    {"eq", compares<CompareOp::eq>},
    {"==", compares<CompareOp::eq>},
    {"equalto", compares<CompareOp::eq>},
    {"ne", compares<CompareOp::ne>},
    {"!=", compares<CompareOp::ne>},
    {"lt", compares<CompareOp::lt>},
    {"<", compares<CompareOp::lt>},
    {"lessthan", compares<CompareOp::lt>},
    {"le", compares<CompareOp::le>},
    {"<=", compares<CompareOp::le>},
    {"gt", compares<CompareOp::gt>},
    {">", compares<CompareOp::gt>},
    {"greaterthan", compares<CompareOp::gt>},
    {"ge", compares<CompareOp::ge>},
    {">=", compares<CompareOp::ge>},
    {"in", in},
    {"sameas", sameas},
    {"odd", odd},
    {"even", even},
    {"divisibleby", divisibleby},
    {"lower", lower},
    {"upper", upper},
    {"filter", is_filter},
    {"test", is_test},
};

}  // namespace

std::span<const NativeEntry> all_tests() {
    return kTests;
}

}  // namespace heft::text::jinja
