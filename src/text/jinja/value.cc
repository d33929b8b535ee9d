#include "text/jinja/value.h"

#include <bit>
#include <cmath>

#include <fmt/format.h>

#include "text/jinja/heap.h"
#include "text/jinja/unicode.h"

namespace heft::text::jinja {

namespace {

constexpr std::size_t kSearchedEntries = 8;
constexpr std::size_t kEntryBytes = 2 * sizeof(std::pair<Value, Value>) + 64;  // with its index
constexpr int kMaxKeyDepth = 16;

// Equal keys have equal names: numbers by value whatever their type.
void key_name(const Value& key, std::string& out) {
    if (key.is_number()) {
        const double real = key.as_real();
        constexpr double kTwo63 = 9223372036854775808.0;
        if (key.is_whole() || (real == std::floor(real) && real >= -kTwo63 && real < kTwo63)) {
            const auto whole = key.is_whole() ? key.as_int() : static_cast<std::int64_t>(real);
            out += fmt::format("i{};", whole);
        } else {
            out += fmt::format("r{};", std::bit_cast<std::uint64_t>(real));
        }
    } else if (key.is_string()) {
        out += fmt::format("s{}:{}", key.text().size(), key.text());
    } else if (key.is(Kind::list)) {
        out += '(';
        for (const Value& item : key.list().items) key_name(item, out);
        out += ')';
    } else if (key.is(Kind::object)) {
        out += fmt::format("o{};", static_cast<const void*>(&key.object()));
    } else {
        out += key.is(Kind::none) ? 'N' : 'U';
    }
}

std::string key_name(const Value& key) {
    std::string out;
    key_name(key, out);
    return out;
}

bool hashable(const Value& key, int depth) {
    if (depth > kMaxKeyDepth || key.is(Kind::dict)) return false;
    if (!key.is(Kind::list)) return true;
    if (key.list().flavor != Flavor::tuple) return false;
    for (const Value& item : key.list().items) {
        if (!hashable(item, depth + 1)) return false;
    }
    return true;
}

}  // namespace

Str::Str(std::string words) : text(std::move(words)), length(count_code_points(text)) {}

Value Value::undefined() {
    Payload as{};
    as.string = nullptr;
    return {Kind::undefined, as};
}

Value Value::undefined(const Value& complaint) {
    return {Kind::undefined, complaint.as_};
}

Value Value::none() {
    return {Kind::none, Payload{}};
}

Value Value::boolean(bool value) {
    Payload as{};
    as.boolean = value;
    return {Kind::boolean, as};
}

Value Value::integer(std::int64_t value) {
    Payload as{};
    as.integer = value;
    return {Kind::integer, as};
}

Value Value::real(double value) {
    Payload as{};
    as.real = value;
    return {Kind::real, as};
}

Value::Value(Str* string) : kind_(Kind::string) {
    as_.string = string;
    hold();
}

Value::Value(List* list) : kind_(Kind::list) {
    as_.list = list;
}

Value::Value(Dict* dict) : kind_(Kind::dict) {
    as_.dict = dict;
}

Value::Value(Object* object) : kind_(Kind::object) {
    as_.object = object;
}

void Value::release() const {
    if (!counted() || as_.string->heap == nullptr) return;
    if (--as_.string->refs == 0) as_.string->heap->release(as_.string);
}

std::string_view Value::complaint() const {
    if (as_.string == nullptr) return "the value is undefined";
    return as_.string->text;
}

bool Value::same(const Value& other) const {
    if (kind_ != other.kind_) return false;
    switch (kind_) {
        case Kind::absent:
        case Kind::none: return true;
        case Kind::boolean: return as_.boolean == other.as_.boolean;
        case Kind::integer: return as_.integer == other.as_.integer;
        case Kind::real: return as_.real == other.as_.real;
        case Kind::undefined:
        case Kind::string:
            return as_.string == other.as_.string || (is_string() && text() == other.text());
        case Kind::list: return as_.list == other.as_.list;
        case Kind::dict: return as_.dict == other.as_.dict;
        case Kind::object: return as_.object == other.as_.object;
    }
    return false;
}

bool hashable(const Value& key) {
    return hashable(key, 0);
}

std::optional<std::size_t> Dict::position(std::string_view key) const {
    if (!by_text_.empty()) {
        const auto at = by_text_.find(key);
        if (at == by_text_.end()) return std::nullopt;
        return at->second;
    }
    if (!by_other_.empty()) return std::nullopt;  // indexed, and no text among the keys
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (entries[i].first.is_string() && entries[i].first.text() == key) return i;
    }
    return std::nullopt;
}

std::optional<std::size_t> Dict::position(const Value& key) const {
    if (key.is_string()) return position(key.text());
    const std::string name = key_name(key);
    if (!by_text_.empty() || !by_other_.empty()) {
        const auto at = by_other_.find(name);
        if (at == by_other_.end()) return std::nullopt;
        return at->second;
    }
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (!entries[i].first.is_string() && key_name(entries[i].first) == name) return i;
    }
    return std::nullopt;
}

const Value* Dict::find(std::string_view key) const {
    const auto at = position(key);
    return at ? &entries[*at].second : nullptr;
}

const Value* Dict::find(const Value& key) const {
    const auto at = position(key);
    return at ? &entries[*at].second : nullptr;
}

Status Dict::set(Heap& heap, const Value& key, Value value) {
    if (const auto at = position(key)) {
        entries[*at].second = std::move(value);
        return {};
    }
    HEFT_OK(heap.take(kEntryBytes));
    entries.emplace_back(key, std::move(value));
    if (entries.size() == kSearchedEntries + 1) {
        index_all();
    } else if (entries.size() > kSearchedEntries) {
        index_entry(entries.size() - 1);
    }
    return {};
}

Status Dict::set(Heap& heap, std::string_view key, Value value) {
    HEFT_TRY(const Value name, heap.string(key));
    return set(heap, name, std::move(value));
}

Result<bool> Dict::erase(Heap& heap, const Value& key) {
    const auto at = position(key);
    if (!at) return false;
    HEFT_OK(heap.spend(entries.size() * 8));  // the index is made anew
    entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(*at));
    index_all();
    return true;
}

void Dict::clear() {
    entries.clear();
    index_all();
}

void Dict::index_all() {
    by_text_.clear();
    by_other_.clear();
    if (entries.size() <= kSearchedEntries) return;
    for (std::size_t i = 0; i < entries.size(); ++i) index_entry(i);
}

void Dict::index_entry(std::size_t at) {
    const Value& key = entries[at].first;
    if (key.is_string()) {
        by_text_.emplace(key.text(), at);
    } else {
        by_other_.emplace(key_name(key), at);
    }
}

std::string Object::repr() const {
    return fmt::format("<{}>", type_name());
}

Result<Value> Object::attribute(Interpreter& /*run*/, std::string_view /*name*/) {
    return Value();
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): overriders keep it
Status Object::set_attribute(Heap& /*heap*/, std::string_view /*name*/, Value /*value*/) {
    return type_error("cannot assign attribute on non-namespace object");
}

Result<Value> Object::call(Interpreter& /*run*/, Args& /*args*/) {
    return type_error(fmt::format("'{}' object is not callable", type_name()));
}

std::string_view type_name(const Value& value) {
    switch (value.kind()) {
        case Kind::absent:
        case Kind::undefined: return "Undefined";
        case Kind::none: return "NoneType";
        case Kind::boolean: return "bool";
        case Kind::integer: return "int";
        case Kind::real: return "float";
        case Kind::string: return "str";
        case Kind::dict: return "dict";
        case Kind::object: return value.object().type_name();
        case Kind::list: break;
    }
    constexpr std::string_view kNames[] = {"list",      "tuple",       "range",     "generator",
                                           "dict_keys", "dict_values", "dict_items"};
    return kNames[static_cast<std::size_t>(value.list().flavor)];
}

Error type_error(std::string what) {
    return Error{Code::invalid, std::move(what)};
}

}  // namespace heft::text::jinja
