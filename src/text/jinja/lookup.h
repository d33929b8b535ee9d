// value.name and value[key] as templates mean them.
#pragma once

#include <string_view>

#include "text/jinja/value.h"

namespace heft::text::jinja {

// value.name: a method or attribute first, then an item; undefined when there is neither.
Result<Value> get_attribute(Interpreter& run, const Value& value, std::string_view name);
// value[key]: an item first, then a method or attribute.
Result<Value> get_item(Interpreter& run, const Value& value, const Value& key);

// The method of a built-in type, or null.
Native find_method(const Value& value, std::string_view name);
Native find_string_method(std::string_view name);
Native find_list_method(const List& list, std::string_view name);
Native find_dict_method(std::string_view name);

}  // namespace heft::text::jinja
