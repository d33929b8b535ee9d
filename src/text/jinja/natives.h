// Functions that templates call by name, and how their arguments are taken apart.
#pragma once

#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

#include "text/jinja/value.h"

namespace heft::text::jinja {

struct NativeEntry {
    std::string_view name;
    Native native;
};

// Null when there is none of that name.
Native find_filter(std::string_view name);
Native find_test(std::string_view name);

std::span<const NativeEntry> text_filters();
std::span<const NativeEntry> number_filters();
std::span<const NativeEntry> sequence_filters();
std::span<const NativeEntry> selection_filters();
std::span<const NativeEntry> all_tests();

// Arguments by parameter, as a Python signature binds them.
class Bound {
  public:
    // The first `required` names must be given.
    static Result<Bound> bind(const Args& args, std::string_view function,
                              std::initializer_list<std::string_view> names,
                              std::size_t required = 0);

    const Value& operator[](std::size_t i) const { return values_[i]; }
    // Given, and not none.
    bool has(std::size_t i) const { return !values_[i].is_absent() && !values_[i].is(Kind::none); }
    bool flag(std::size_t i, bool otherwise = false) const;
    Result<std::int64_t> whole(std::size_t i, std::int64_t otherwise = 0) const;
    Result<std::string_view> text(std::size_t i, std::string_view otherwise = {}) const;

  private:
    std::string_view function_;
    std::vector<Value> values_;
};

// The text of a string; refuses everything else.
Result<std::string_view> text_of(const Value& value);

// A string value as it is, other values as str(): what filters on text do first.
Result<Value> soft_str(Heap& heap, const Value& value);

// dict(mapping or pairs, name=value…) into a dictionary.
Status merge_into(Heap& heap, Dict& dict, const Args& args);

}  // namespace heft::text::jinja
