// What each keyword of JSON Schema is to heft. docs/structured-output.md lists the same; a test
// holds them together. Private to this module.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace heft::grammar {

enum class KeywordUse : std::uint8_t {
    annotation,  // constrains nothing
    general,     // of any value
    of_object,
    of_array,
    of_string,
    of_number,
    refused,  // constrains, and cannot be honoured
};

struct Keyword {
    std::string_view name;
    KeywordUse use;
    std::string_view note = {};  // of refused ones: why
};

std::span<const Keyword> schema_keywords();
// nullptr if it is not known. Names that begin with "x-" are annotations.
const Keyword* find_keyword(std::string_view name);

}  // namespace heft::grammar
