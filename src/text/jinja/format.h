// Python's two ways to format: "%-5s" % value and "{:>5}".format(value).
#pragma once

#include "text/jinja/heap.h"

namespace heft::text::jinja {

// One field's layout, in the terms of str.format.
struct FormatSpec {
    char32_t fill = ' ';
    char align = '\0';  // < > ^ =, or none: left for text, right for numbers
    char sign = '-';
    bool alternate = false;
    bool by_thousands = false;
    std::size_t width = 0;
    int precision = -1;
    char type = '\0';
};

// Appends the value in the layout; refuses a type that the value has not.
Status add_formatted(Heap& heap, Builder& out, const Value& value, const FormatSpec& spec);

// The number at text[at], which it moves on; refuses absurd ones.
Result<std::size_t> read_number(std::string_view text, std::size_t& at);

Result<Value> percent_format(Heap& heap, const Value& format, const Value& args);
Result<Value> brace_format(Interpreter& run, const Value& format, Args& args);

}  // namespace heft::text::jinja
