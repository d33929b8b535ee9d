// Renders a template with the variables that the tests of this folder share.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "text/chat_template.h"

namespace heft::text::jinja {

struct Example {
    const char* source;
    const char* expected;
};

inline const nlohmann::ordered_json& test_variables() {
    static const auto all = nlohmann::ordered_json::parse(R"({
        "s": "Hello, World", "u": "Grüße", "e": "", "l": [3, 1, 2], "d": {"b": 1, "a": 2, "items": 9},
        "n": 7, "m": -7, "f": 2.5, "t": true, "no": null, "big": 12345678901234,
        "users": [{"name": "bob", "age": 30, "tags": ["x", "y"]}, {"name": "Al", "age": 5, "tags": []},
                  {"name": "cy", "age": 30, "tags": ["z"]}],
        "tree": [{"v": 1, "c": [{"v": 2, "c": []}, {"v": 3, "c": [{"v": 4, "c": []}]}]}],
        "nest": {"a": {"b": [1, {"c": "d"}]}},
        "heft_now": 1700000000
    })");
    return all;
}

inline Result<std::string> try_render(std::string_view source, const RenderLimits& limits = {}) {
    auto parsed = ChatTemplate::parse(source);
    if (!parsed) return std::move(parsed.error());
    return parsed->render(test_variables(), limits);
}

// The text, or the error's sentence after a mark that no template makes.
inline std::string rendered(std::string_view source) {
    auto text = try_render(source);
    return text ? *text : "\x01" + text.error().what;
}

inline std::string rendered_expression(std::string_view expression) {
    return rendered("{{ " + std::string(expression) + " }}");
}

}  // namespace heft::text::jinja
