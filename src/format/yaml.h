// YAML 1.2 documents (licence catalogue, model cards, descriptions of uses, recipes) as a JSON
// tree: nlohmann::ordered_json, so that whoever reads settings takes YAML and JSON alike. Plain
// scalars follow the core schema (`no` is text, as in a list of languages); .inf and .nan stay
// text, for JSON has none. A `<<` is an ordinary key. Hostile input costs time in proportion to its
// length and memory in proportion to the limits. Errors name the line. Thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"

namespace heft::format {

struct YamlLimits {
    std::size_t bytes = 1U << 20;       // of the text
    std::size_t nodes = 200'000;        // of the tree, aliases written out
    std::size_t text_bytes = 4U << 20;  // of all scalars in the tree, aliases written out
    std::size_t depth = 64;
};

// One document; an empty text is null. Refuses text that is not UTF-8, a key that is not a scalar,
// a key given twice, and a second document.
Result<nlohmann::ordered_json> read_yaml(std::string_view text, const YamlLimits& limits = {});

// Where members and items stand: JSON pointers (RFC 6901) such as "/models/0/path" to lines,
// from 1. What an alias stands for has the line of the alias alone.
using YamlLines = std::unordered_map<std::string, int>;
Result<nlohmann::ordered_json> read_yaml(std::string_view text, YamlLines& lines,
                                         const YamlLimits& limits = {});
// Of the innermost known part of the pointer; 1 if nothing of it is known.
int line_of(const YamlLines& lines, std::string_view pointer);
std::string pointer_token(std::string_view key);  // RFC 6901: "/" is "~1", "~" is "~0"

// A text that begins like a JSON object or array is read as JSON first: its error is the clearer
// one.
Result<nlohmann::ordered_json> read_yaml_or_json(std::string_view text,
                                                 const YamlLimits& limits = {});

// A model card: YAML between two lines of "---" at the very beginning (a byte order mark and blank
// lines aside), then Markdown. Views into the text.
struct Card {
    std::optional<std::string_view> front_matter;  // absent: there is none, or it never ends
    std::string_view body;
};
Card split_card(std::string_view text);

}  // namespace heft::format
