#include "grammar/json_text.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "text/utf8.h"

namespace heft::grammar {

using Json = nlohmann::ordered_json;

namespace {

constexpr char32_t kFirstPlain = 0x20;  // control characters below are written as escapes

const std::vector<CodeRange> kEverything = {{0, 0x10FFFF}};

// A character that must be escaped, other than by its number.
struct ShortEscape {
    char32_t code;
    std::string_view text;
};
constexpr ShortEscape kShortEscapes[] = {
    {'"', "\\\""}, {'\\', "\\\\"}, {'\b', "\\b"}, {'\f', "\\f"},
    {'\n', "\\n"}, {'\r', "\\r"},  {'\t', "\\t"},
};

std::string escaped(char32_t code) {
    for (const ShortEscape& known : kShortEscapes)
        if (known.code == code) return std::string(known.text);
    return fmt::format("\\u{:04x}", static_cast<unsigned>(code));
}

bool is_plain(char32_t code) {
    return code >= kFirstPlain && code != '"' && code != '\\';
}

std::u32string characters_of(std::string_view text) {
    std::u32string out;
    for (std::size_t at = 0; at < text.size();) {
        const text::Utf8Char next = text::utf8_at(text, at);
        out += next.code;
        at += next.bytes;
    }
    return out;
}

}  // namespace

std::string quoted_text(std::string_view text) {
    std::string out = "\"";
    for (const char32_t code : characters_of(text)) {
        if (is_plain(code)) {
            text::append_utf8(out, code);
        } else {
            out += escaped(code);
        }
    }
    return out + '"';
}

ExprId JsonText::once(std::optional<RuleId>& rule, const char* name, Make make) {
    if (!rule) {
        rule = draft_.declare(name);
        draft_.define(*rule, (this->*make)());
    }
    return draft_.call(*rule);
}

ExprId JsonText::any_value() {
    return once(value_, "value", &JsonText::make_value);
}
ExprId JsonText::any_object() {
    return once(object_, "object", &JsonText::make_object);
}
ExprId JsonText::any_array() {
    return once(array_, "array", &JsonText::make_array);
}
ExprId JsonText::any_string() {
    return once(string_, "string", &JsonText::make_string);
}
ExprId JsonText::number() {
    return once(number_, "number", &JsonText::make_number);
}
ExprId JsonText::integer() {
    return once(integer_, "integer", &JsonText::make_integer);
}
ExprId JsonText::any_char() {
    return once(char_, "char", &JsonText::make_char);
}

ExprId JsonText::space() {
    switch (spacing_) {
        case Spacing::none: return draft_.empty();
        case Spacing::single: return draft_.optional(draft_.bytes(" "));
    }
    return draft_.empty();
}

ExprId JsonText::comma() {
    return draft_.sequence({draft_.bytes(","), space()});
}

ExprId JsonText::member(ExprId name, ExprId value) {
    return draft_.sequence({name, draft_.bytes(":"), space(), value});
}

ExprId JsonText::object(const Draft::Members& members) {
    const ExprId inside = draft_.members(comma(), members);
    return draft_.sequence({draft_.bytes("{"), space(), inside, space(), draft_.bytes("}")});
}

ExprId JsonText::array(ExprId items) {
    return draft_.sequence({draft_.bytes("["), space(), items, space(), draft_.bytes("]")});
}

ExprId JsonText::make_value() {
    return draft_.choice({any_object(), any_array(), any_string(), number(), draft_.bytes("true"),
                          draft_.bytes("false"), draft_.bytes("null")});
}

ExprId JsonText::make_object() {
    Draft::Members members;
    members.further = {member(any_string(), any_value())};
    return object(members);
}

ExprId JsonText::make_array() {
    Draft::Members items;
    items.further = {any_value()};
    return array(draft_.members(comma(), items));
}

// Not made of any_char(): a rule within the loop would only cost time.
ExprId JsonText::make_string() {
    return quoted(draft_.repeat(make_char(), 0));
}

// Zero has no sign.
ExprId JsonText::make_integer() {
    return draft_.choice({draft_.bytes("0"), draft_.sequence({draft_.optional(draft_.bytes("-")),
                                                              positive_integer()})});
}

ExprId JsonText::positive_integer() {
    const ExprId digit = draft_.chars({{'0', '9'}});
    return draft_.sequence({draft_.chars({{'1', '9'}}), draft_.repeat(digit, 0, 15)});
}

ExprId JsonText::make_number() {
    const ExprId digit = draft_.chars({{'0', '9'}});
    const ExprId fraction = draft_.sequence({draft_.bytes("."), draft_.repeat(digit, 1, 16)});
    const ExprId exponent = draft_.sequence(
        {draft_.chars({{'e', 'e'}, {'E', 'E'}}),
         draft_.optional(draft_.chars({{'+', '+'}, {'-', '-'}})), draft_.repeat(digit, 1, 2)});
    return draft_.sequence({draft_.optional(draft_.bytes("-")),
                            draft_.choice({draft_.bytes("0"), positive_integer()}),
                            draft_.optional(fraction), draft_.optional(exponent)});
}

ExprId JsonText::quoted(ExprId content) {
    return draft_.sequence({draft_.bytes("\""), content, draft_.bytes("\"")});
}

ExprId JsonText::make_char() {
    const ExprId hex = draft_.chars({{'0', '9'}, {'a', 'f'}, {'A', 'F'}});
    const ExprId d = draft_.chars({{'d', 'd'}, {'D', 'D'}});
    const ExprId two = draft_.repeat(hex, 2, 2);
    const ExprId not_d = draft_.chars({{'0', '9'}, {'a', 'c'}, {'A', 'C'}, {'e', 'f'}, {'E', 'F'}});
    const ExprId high = draft_.chars({{'8', '9'}, {'a', 'b'}, {'A', 'B'}});
    const ExprId low = draft_.chars({{'c', 'f'}, {'C', 'F'}});
    const ExprId number = draft_.choice(
        {draft_.sequence({not_d, hex, two}), draft_.sequence({d, draft_.chars({{'0', '7'}}), two}),
         draft_.sequence({d, high, two, draft_.bytes("\\u"), d, low, two})});
    const ExprId escape = draft_.choice({draft_.chars({{'"', '"'},
                                                       {'\\', '\\'},
                                                       {'/', '/'},
                                                       {'b', 'b'},
                                                       {'f', 'f'},
                                                       {'n', 'n'},
                                                       {'r', 'r'},
                                                       {'t', 't'}}),
                                         draft_.sequence({draft_.bytes("u"), number})});
    const ExprId plain = draft_.chars({{kFirstPlain, '!'}, {'#', '['}, {']', 0x10FFFF}});
    return draft_.choice({plain, draft_.sequence({draft_.bytes("\\"), escape})});
}

ExprId JsonText::char_of(const std::vector<CodeRange>& ranges) {
    std::vector<CodeRange> plain;
    std::vector<ExprId> parts;
    for (const CodeRange& range : normalised(ranges)) {
        for (char32_t code = range.first; code <= std::min<char32_t>(range.last, '\\'); ++code)
            if (!is_plain(code)) parts.push_back(draft_.bytes(escaped(code)));
        for (const CodeRange& whole :
             {CodeRange{kFirstPlain, '!'}, CodeRange{'#', '['}, CodeRange{']', 0x10FFFF}}) {
            const CodeRange part{std::max(range.first, whole.first),
                                 std::min(range.last, whole.last)};
            if (part.first <= part.last) plain.push_back(part);
        }
    }
    parts.push_back(draft_.chars(std::move(plain)));
    return draft_.choice(parts);
}

ExprId JsonText::content_except(std::vector<std::string> names) {
    std::vector<std::u32string> sorted;
    sorted.reserve(names.size());
    for (const std::string& name : names) sorted.push_back(characters_of(name));
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    if (!usual_rest_) usual_rest_ = draft_.repeat(char_of(kEverything), 0);
    return except(sorted, 0, sorted.size(), 0);
}

// What may follow the `depth` characters that the names from one index up to the other share.
ExprId JsonText::except(const std::vector<std::u32string>& names, std::size_t from, std::size_t to,
                        std::size_t depth) {
    std::vector<ExprId> parts;
    std::vector<CodeRange> taken;
    if (from < to && names[from].size() == depth) {
        ++from;  // a name itself
    } else {
        parts.push_back(draft_.empty());
    }
    while (from < to) {
        const char32_t code = names[from][depth];
        std::size_t end = from;
        while (end < to && names[end][depth] == code) ++end;
        taken.push_back({code, code});
        parts.push_back(
            draft_.sequence({char_of({{code, code}}), except(names, from, end, depth + 1)}));
        from = end;
    }
    parts.push_back(
        draft_.sequence({char_of(complement(normalised(std::move(taken)))), *usual_rest_}));
    return draft_.choice(parts);
}

ExprId JsonText::literal(const Json& value) {
    if (value.is_string()) return draft_.bytes(quoted_text(value.get_ref<const std::string&>()));
    if (value.is_array()) {
        Draft::Members items;
        for (const Json& item : value) items.parts.push_back(literal(item));
        items.required.assign(items.parts.size(), true);
        return array(draft_.members(comma(), items));
    }
    if (value.is_object()) {
        Draft::Members members;
        for (const auto& item : value.items())
            members.parts.push_back(
                member(draft_.bytes(quoted_text(item.key())), literal(item.value())));
        members.required.assign(members.parts.size(), true);
        return object(members);
    }
    return draft_.bytes(value.dump());
}

}  // namespace heft::grammar
