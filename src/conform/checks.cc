#include "conform/checks.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/json.h"

namespace heft::conform {

namespace {

constexpr std::size_t kShown = 120;
const Json kNull;

bool is_one_of(std::string_view words, std::string_view word) {
    while (!words.empty()) {
        const std::size_t end = std::min(words.find(' '), words.size());
        if (words.substr(0, end) == word) return true;
        words.remove_prefix(std::min(end + 1, words.size()));
    }
    return false;
}

bool meets(const Expect& expect, const Json& value) {
    switch (expect.is) {
        case Is::text: return value.is_string();
        case Is::full_text:
            return value.is_string() && !value.get_ref<const std::string&>().empty();
        case Is::number: return value.is_number();
        case Is::boolean: return value.is_boolean();
        case Is::array: return value.is_array();
        case Is::full_array: return value.is_array() && !value.empty();
        case Is::object: return value.is_object();
        case Is::equal: {
            const auto wanted = parse_json_tree(expect.value);
            return wanted && *wanted == value;
        }
        case Is::one_of:
            return value.is_string()
                   && is_one_of(expect.value, value.get_ref<const std::string&>());
        case Is::absent: return value.is_null();
    }
    return false;
}

std::string wanted(const Expect& expect) {
    switch (expect.is) {
        case Is::text: return "a text";
        case Is::full_text: return "a text that is not empty";
        case Is::number: return "a number";
        case Is::boolean: return "true or false";
        case Is::array: return "a list";
        case Is::full_array: return "a list that is not empty";
        case Is::object: return "an object";
        case Is::equal: return std::string(expect.value);
        case Is::one_of: return "one of " + std::string(expect.value);
        case Is::absent: return "nothing";
    }
    return {};
}

}  // namespace

const Json& at(const Json& tree, std::string_view pointer) {
    const Json* here = &tree;
    while (!pointer.empty()) {
        pointer.remove_prefix(1);  // the slash
        const std::string part(pointer.substr(0, pointer.find('/')));
        pointer.remove_prefix(part.size());
        if (here->is_object()) {
            const auto found = here->find(part);
            if (found == here->end()) return kNull;
            here = &*found;
        } else if (here->is_array() && !part.empty() && part.size() < 4
                   && part.find_first_not_of("0123456789") == std::string::npos
                   && std::stoul(part) < here->size()) {
            here = &(*here)[std::stoul(part)];
        } else {
            return kNull;
        }
    }
    return *here;
}

std::string text_at(const Json& tree, std::string_view pointer) {
    const Json& value = at(tree, pointer);
    return value.is_string() ? value.get<std::string>() : std::string();
}

std::string shown(std::string_view text) {
    std::string line(text.substr(0, kShown));
    for (char& c : line)
        if (static_cast<unsigned char>(c) < ' ') c = ' ';
    return text.size() > kShown ? line + "…" : line;
}

std::string unmet(const Expect& expect, const Json& tree) {
    const Json& value = at(tree, expect.pointer);
    if (meets(expect, value)) return {};
    return fmt::format("{} is {}, not {}", expect.pointer,
                       value.is_null()
                           ? "missing"
                           : shown(value.dump(-1, ' ', false, Json::error_handler_t::replace)),
                       wanted(expect));
}

std::string judge_colour(const std::string& text) {
    const auto tree = parse_json_tree(text);
    if (!tree) return fmt::format("no JSON: {}", shown(text));
    return unmet({"/color", Is::one_of, "red green blue"}, *tree);
}

std::string joined(const Reply& reply, std::string_view pointer) {
    std::string all;
    for (const Event& event : reply.events) all += text_at(event.json, pointer);
    return all;
}

}  // namespace heft::conform
