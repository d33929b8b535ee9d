// How values read as text: Python's str(), repr(), and json.dumps().
#pragma once

#include <string>
#include <string_view>

#include "text/jinja/heap.h"

namespace heft::text::jinja {

// Nesting that str(), repr(), json, equality and order follow; beyond it they refuse.
inline constexpr int kMaxValueDepth = 100;

std::string real_repr(double value);
void add_string_repr(Builder& out, std::string_view text);

Status add_str(Heap& heap, Builder& out, const Value& value);
Status add_repr(Heap& heap, Builder& out, const Value& value, int depth = 0);
Result<Value> to_str(Heap& heap, const Value& value);  // a plain string, markup or not
Result<Value> to_repr(Heap& heap, const Value& value);

// The text of an escaped string: & < > ' " as entities.
Result<Value> escape_html(Heap& heap, std::string_view text);

struct JsonStyle {
    bool indented = false;
    std::string indent;
    std::string item_separator = ", ";
    std::string key_separator = ": ";
    bool ensure_ascii = false;
    bool sort_keys = false;
};

Result<Value> to_json(Heap& heap, const Value& value, const JsonStyle& style);

}  // namespace heft::text::jinja
