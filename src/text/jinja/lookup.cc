#include "text/jinja/lookup.h"

#include <fmt/format.h>

#include "text/jinja/interpreter.h"
#include "text/jinja/operators.h"
#include "text/jinja/words.h"

namespace heft::text::jinja {

namespace {

// "text".upper, not called yet.
class BoundMethod : public Object {
  public:
    BoundMethod(Native native, Value self) : native_(native), self_(std::move(self)) {}

    std::string_view type_name() const override { return "builtin_function_or_method"; }
    bool callable() const override { return true; }
    Result<Value> call(Interpreter& run, Args& args) override { return native_(run, self_, args); }

  private:
    Native native_;
    Value self_;
};

// A method or attribute; absent if there is none.
Result<Value> own_attribute(Interpreter& run, const Value& value, std::string_view name) {
    if (value.is(Kind::object)) return value.object().attribute(run, name);
    const Native method = find_method(value, name);
    if (method == nullptr) return Value();
    HEFT_TRY(BoundMethod * bound, run.heap().make<BoundMethod>(method, value));
    return Value(bound);
}

Result<Value> no_such(Interpreter& run, const Value& value, std::string_view name) {
    if (value.is(Kind::none))
        return run.heap().undefined(fmt::format("'None' has no attribute '{}'", name));
    return run.heap().undefined(
        fmt::format("'{} object' has no attribute '{}'", type_name(value), name));
}

}  // namespace

Native find_method(const Value& value, std::string_view name) {
    switch (value.kind()) {
        case Kind::string: return find_string_method(name);
        case Kind::list: return find_list_method(value.list(), name);
        case Kind::dict: return find_dict_method(name);
        case Kind::absent:
        case Kind::undefined:
        case Kind::none:
        case Kind::boolean:
        case Kind::integer:
        case Kind::real:
        case Kind::object: break;
    }
    return nullptr;
}

Result<Value> get_attribute(Interpreter& run, const Value& value, std::string_view name) {
    if (value.is_undefined()) return type_error(std::string(value.complaint()));
    HEFT_TRY(Value found, own_attribute(run, value, name));
    if (!found.is_absent()) return found;
    if (value.is(Kind::dict)) {
        const Value* item = value.dict().find(name);
        if (item != nullptr) return *item;
    }
    return no_such(run, value, name);
}

Result<Value> get_item(Interpreter& run, const Value& value, const Value& key) {
    if (value.is_undefined()) return type_error(std::string(value.complaint()));
    HEFT_TRY(Value found, item(run.heap(), value, key));
    if (!found.is_absent()) return found;
    if (key.is_string()) {
        HEFT_TRY(Value attribute, own_attribute(run, value, key.text()));
        if (!attribute.is_absent()) return attribute;
    }
    if (key.is_string() && key.text().size() < 200) return no_such(run, value, key.text());
    if (value.is(Kind::list) || value.is_string()) {
        return run.heap().undefined(fmt::format("{} object has no such element", type_name(value)));
    }
    return run.heap().undefined(fmt::format("'{} object' has no such item", type_name(value)));
}

}  // namespace heft::text::jinja
