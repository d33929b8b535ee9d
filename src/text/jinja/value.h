// The values of a template: Python's, as far as templates can see them. Strings are reference
// counted; lists, dictionaries and objects live in a Heap until the render ends, so that cycles and
// deep nesting cost nothing to take down. One render, one thread, one Heap; strings that belong to
// the parsed template have no heap and may be shared between threads.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"

namespace heft::text::jinja {

class Heap;
class Interpreter;
class Object;
struct Dict;
struct List;

struct Str {
    explicit Str(std::string words);

    std::string text;
    std::size_t length;    // in code points
    bool markup = false;   // already escaped, as markupsafe.Markup
    Heap* heap = nullptr;  // null: part of the template, never released by a Value
    std::size_t refs = 0;
};

enum class Kind : std::uint8_t {
    absent,
    undefined,
    none,
    boolean,
    integer,
    real,
    string,
    list,
    dict,
    object
};

class Value {
  public:
    Value() : kind_(Kind::absent), as_{} {}  // no argument given
    static Value undefined();
    static Value none();
    static Value boolean(bool value);
    static Value integer(std::int64_t value);
    static Value real(double value);
    explicit Value(Str* string);
    explicit Value(List* list);
    explicit Value(Dict* dict);
    explicit Value(Object* object);
    // Undefined, with the words that an attempt to use it is refused with.
    static Value undefined(const Value& complaint);

    Value(const Value& other) : kind_(other.kind_), as_(other.as_) { hold(); }
    Value(Value&& other) noexcept : kind_(other.kind_), as_(other.as_) {
        other.kind_ = Kind::absent;
        other.as_.integer = 0;
    }
    Value& operator=(Value other) noexcept {
        std::swap(kind_, other.kind_);
        std::swap(as_, other.as_);
        return *this;
    }
    ~Value() { release(); }

    Kind kind() const { return kind_; }
    bool is(Kind kind) const { return kind_ == kind; }
    bool is_absent() const { return kind_ == Kind::absent; }
    bool is_undefined() const { return kind_ == Kind::undefined; }
    bool is_string() const { return kind_ == Kind::string; }
    bool is_whole() const { return kind_ == Kind::integer || kind_ == Kind::boolean; }
    bool is_number() const { return is_whole() || kind_ == Kind::real; }
    bool is_markup() const { return is_string() && as_.string->markup; }

    bool as_bool() const { return as_.boolean; }
    std::int64_t as_int() const { return is(Kind::boolean) ? (as_.boolean ? 1 : 0) : as_.integer; }
    double as_real() const { return is(Kind::real) ? as_.real : static_cast<double>(as_int()); }
    std::string_view text() const { return as_.string->text; }  // of a string
    const Str& string() const { return *as_.string; }
    List& list() const { return *as_.list; }
    Dict& dict() const { return *as_.dict; }
    Object& object() const { return *as_.object; }
    std::string_view complaint() const;  // of an undefined value

    // The same thing, as Python's `is`.
    bool same(const Value& other) const;

  private:
    union Payload {
        bool boolean;
        std::int64_t integer;
        double real;
        Str* string;
        List* list;
        Dict* dict;
        Object* object;
    };

    Value(Kind kind, Payload as) : kind_(kind), as_(as) { hold(); }
    bool counted() const {
        return (kind_ == Kind::string || kind_ == Kind::undefined) && as_.string != nullptr;
    }
    void hold() const {
        if (counted() && as_.string->heap != nullptr) ++as_.string->refs;
    }
    void release() const;

    Kind kind_;
    Payload as_;
};

// Anything the heap keeps until the end.
struct Cell {
    Cell() = default;
    Cell(const Cell&) = delete;
    Cell& operator=(const Cell&) = delete;
    virtual ~Cell() = default;
};

// What Python type a sequence is. `iterator` can be walked once: map(), select() and their like.
enum class Flavor : std::uint8_t { list, tuple, range, iterator, keys, values, items };

struct List : Cell {
    Flavor flavor = Flavor::list;
    std::size_t next = 0;  // of an iterator
    std::vector<Value> items;

    bool sized() const { return flavor != Flavor::iterator; }
    bool indexable() const { return flavor <= Flavor::range; }
};

// Insertion-ordered. 1, 1.0 and true are one key. Look-ups do not degrade under chosen keys.
struct Dict : Cell {
    std::vector<std::pair<Value, Value>> entries;

    const Value* find(std::string_view key) const;
    const Value* find(const Value& key) const;
    // The key must be hashable (see `hashable`).
    Status set(Heap& heap, const Value& key, Value value);
    Status set(Heap& heap, std::string_view key, Value value);
    Result<bool> erase(Heap& heap, const Value& key);
    void clear();

  private:
    std::optional<std::size_t> position(const Value& key) const;
    std::optional<std::size_t> position(std::string_view key) const;
    void index_all();
    void index_entry(std::size_t at);

    // Empty while the dictionary is small enough to search.
    std::map<std::string_view, std::size_t> by_text_;
    std::map<std::string, std::size_t> by_other_;
};

bool hashable(const Value& key);

struct Args {
    std::vector<Value> positional;
    std::vector<std::pair<std::string, Value>> named;
};

// Macros, namespaces, `loop` and everything else with behaviour of its own.
class Object : public Cell {
  public:
    virtual std::string_view type_name() const = 0;
    virtual std::string repr() const;
    virtual Result<Value> attribute(Interpreter& run, std::string_view name);  // absent: no such
    virtual Status set_attribute(Heap& heap, std::string_view name, Value value);
    virtual bool callable() const { return false; }
    virtual std::optional<std::int64_t> size() const { return std::nullopt; }  // len()
    virtual const Value* sequence() const { return nullptr; }  // the list it is read as
    virtual Result<Value> call(Interpreter& run, Args& args);
};

// Everything that can be called with a value: filters and tests (the value filtered), methods (the
// value they belong to) and global functions (nothing).
using Native = Result<Value> (*)(Interpreter& run, const Value& self, Args& args);

std::string_view type_name(const Value& value);  // Python's

Error type_error(std::string what);

}  // namespace heft::text::jinja
