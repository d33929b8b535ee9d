// Filters on text.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "text/jinja/format.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/natives.h"
#include "text/jinja/operators.h"
#include "text/jinja/string_tools.h"
#include "text/jinja/unicode.h"
#include "text/jinja/words.h"

namespace heft::text::jinja {

namespace {

// A filter without arguments that maps text to text.
template <std::string (*map)(std::string_view)>
Result<Value> mapped(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "filter", {}));
    HEFT_TRY(const Value text, soft_str(run.heap(), self));
    HEFT_OK(run.heap().spend_bytes(text.text().size() * 4));
    return run.heap().string(map(text.text()), text.is_markup());
}

// Jinja's title: words start after space, - ( { [ <.
std::string title(std::string_view text) {
    std::string out;
    const auto splits = [](char c) {
        return std::string_view("-({[<").find(c) != std::string_view::npos
               || is_space(static_cast<unsigned char>(c));
    };
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        const bool gap = splits(text[at]);
        while (end < text.size() && splits(text[end]) == gap) ++end;
        out += gap ? std::string(text.substr(at, end - at))
                   : to_capitalized(text.substr(at, end - at));
        at = end;
    }
    return out;
}

std::string without_tags(std::string_view text) {
    std::string plain;
    for (std::size_t at = 0; at < text.size();) {
        const bool comment = text.substr(at, 4) == "<!--";
        const std::size_t end =
            text[at] == '<' ? text.find(comment ? "-->" : ">", at) : std::string_view::npos;
        if (end == std::string_view::npos) {
            plain += text[at++];
        } else {
            at = end + (comment ? 3 : 1);
        }
    }
    std::string out;
    for (const std::string_view word : split_words(plain)) {
        if (!out.empty()) out += ' ';
        out += word;
    }
    return out;
}

Result<Value> trim(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "trim", {"chars"}));
    HEFT_TRY(const Value text, soft_str(run.heap(), self));
    HEFT_TRY(const std::string_view chars, bound.text(0));
    return stripped(run.heap(), text, bound.has(0) ? std::optional(chars) : std::nullopt, true,
                    true);
}

Result<Value> replace(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "replace", {"old", "new", "count"}, 2));
    HEFT_TRY(const Value text, soft_str(run.heap(), self));
    HEFT_TRY(const Value from, to_str(run.heap(), bound[0]));
    HEFT_TRY(const Value to, to_str(run.heap(), bound[1]));
    HEFT_TRY(const std::int64_t count, bound.whole(2, -1));
    return replaced(run.heap(), text.text(), from.text(), to.text(), count);
}

Result<Value> to_string(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "string", {}));
    return soft_str(run.heap(), self);
}

Result<Value> indent(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "indent", {"width", "first", "blank"}));
    HEFT_TRY(const std::string_view source, text_of(self));
    HEFT_OK(run.heap().spend_bytes(source.size() * 4));
    std::string by;
    if (bound[0].is_string()) {
        by = bound[0].text();
    } else {
        HEFT_TRY(const std::int64_t width, bound.whole(0, 4));
        if (width > static_cast<std::int64_t>(run.heap().room())) return too_large();
        by.assign(static_cast<std::size_t>(std::max<std::int64_t>(width, 0)), ' ');
    }
    const bool first = bound.flag(1);
    const bool blank = bound.flag(2);
    Builder out(run.heap());
    bool at_first = true;
    const std::string text =
        std::string(source) + "\n";  // so that a last line end counts as a line
    for (const std::string_view line : split_lines(text)) {
        if (!at_first) out.add('\n');
        if (at_first ? first : (blank || !line.empty())) out.add(by);
        out.add(line);
        at_first = false;
    }
    return out.value(self.is_markup());
}

Result<Value> truncate(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound,
             Bound::bind(args, "truncate", {"length", "killwords", "end", "leeway"}));
    HEFT_TRY(const std::int64_t most, bound.whole(0, 255));
    HEFT_TRY(const std::string_view end, bound.text(2, "..."));
    HEFT_TRY(const std::int64_t leeway, bound.whole(3, 5));
    HEFT_TRY(const std::int64_t size, length(self));
    const auto tail = static_cast<std::int64_t>(count_code_points(end));
    if (most < tail || leeway < 0)
        return type_error("truncate() wants a length of at least its end's");
    if (size - leeway <= most) return self;
    HEFT_OK(text_of(self));
    std::string_view kept = code_points(self.string(), 0, static_cast<std::size_t>(most - tail));
    if (!bound.flag(1)) kept = kept.substr(0, kept.rfind(' '));
    return run.heap().string(std::string(kept) + std::string(end));
}

Result<Value> center(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "center", {"width"}));
    HEFT_TRY(const Value text, soft_str(run.heap(), self));
    HEFT_TRY(const std::int64_t width, bound.whole(0, 80));
    return padded(run.heap(), text, width, " ", Side::both);
}

Result<Value> wordcount(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "wordcount", {}));
    HEFT_TRY(const Value text, soft_str(run.heap(), self));
    HEFT_OK(run.heap().spend_bytes(text.text().size() * 4));
    std::int64_t count = 0;
    bool inside = false;
    for (std::size_t at = 0; at < text.text().size();) {
        const CodePoint c = decode(text.text(), at);
        const bool word = is_letter(c.value) || is_digit(c.value) || c.value == '_';
        if (word && !inside) ++count;
        inside = word;
        at += c.bytes;
    }
    return Value::integer(count);
}

Result<Value> escape(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "escape", {}));
    if (self.is_markup()) return self;
    HEFT_TRY(const Value text, to_str(run.heap(), self));
    return escape_html(run.heap(), text.text());
}

Result<Value> force_escape(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "forceescape", {}));
    HEFT_TRY(const Value text, to_str(run.heap(), self));
    return escape_html(run.heap(), text.text());
}

Result<Value> safe(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "safe", {}));
    HEFT_TRY(const Value text, to_str(run.heap(), self));
    return run.heap().string(std::string(text.text()), true);
}

void add_quoted(Builder& out, std::string_view text, bool query) {
    constexpr std::string_view kPlain = "_.-~";
    for (const char c : text) {
        const bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter || kPlain.find(c) != std::string_view::npos || (c == '/' && !query)) {
            out.add(c);
        } else if (c == ' ' && query) {
            out.add('+');
        } else {
            out.add(fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c))));
        }
    }
}

Result<Value> urlencode(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "urlencode", {}));
    Heap& heap = run.heap();
    Builder out(heap);
    if (!self.is(Kind::dict) && !self.is(Kind::list)) {
        HEFT_TRY(const Value text, to_str(heap, self));
        HEFT_OK(heap.spend_bytes(text.text().size() * 8));
        add_quoted(out, text.text(), false);
        return out.value();
    }
    std::vector<std::pair<Value, Value>> pairs;
    if (self.is(Kind::dict)) {
        pairs = self.dict().entries;
    } else {
        HEFT_TRY(const std::vector<Value> items, iterate(heap, self));
        for (const Value& item : items) {
            HEFT_TRY(const std::vector<Value> pair, iterate(heap, item));
            if (pair.size() != 2) return type_error("urlencode wants pairs");
            pairs.emplace_back(pair[0], pair[1]);
        }
    }
    bool first = true;
    for (const auto& [key, value] : pairs) {
        HEFT_TRY(const Value name, to_str(heap, key));
        HEFT_TRY(const Value text, to_str(heap, value));
        HEFT_OK(heap.spend_bytes((name.text().size() + text.text().size()) * 8));
        if (!first) out.add('&');
        first = false;
        add_quoted(out, name.text(), true);
        out.add('=');
        add_quoted(out, text.text(), true);
    }
    return out.value();
}

Result<Value> format(Interpreter& run, const Value& self, Args& args) {
    if (!args.named.empty() && !args.positional.empty()) {
        return type_error("can't handle positional and keyword arguments at the same time");
    }
    HEFT_TRY(const Value text, soft_str(run.heap(), self));
    if (args.named.empty()) {
        HEFT_TRY(const Value values, run.heap().list(std::move(args.positional), Flavor::tuple));
        return percent_format(run.heap(), text, values);
    }
    HEFT_TRY(Dict * values, run.heap().dict());
    for (const auto& [name, value] : args.named) HEFT_OK(values->set(run.heap(), name, value));
    return percent_format(run.heap(), text, Value(values));
}

Result<Value> tojson(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound,
             Bound::bind(args, "tojson", {"ensure_ascii", "indent", "separators", "sort_keys"}));
    JsonStyle style;
    style.ensure_ascii = bound.flag(0);
    style.sort_keys = bound.flag(3);
    style.indented = bound.has(1);
    if (bound[1].is_string()) {
        style.indent = bound[1].text();
    } else if (style.indented) {
        HEFT_TRY(const std::int64_t width, bound.whole(1));
        if (width > static_cast<std::int64_t>(run.heap().room())) return too_large();
        style.indent.assign(static_cast<std::size_t>(std::max<std::int64_t>(width, 0)), ' ');
    }
    if (style.indented) style.item_separator = ",";
    if (bound.has(2)) {
        HEFT_TRY(const std::vector<Value> separators, iterate(run.heap(), bound[2]));
        if (separators.size() != 2 || !separators[0].is_string() || !separators[1].is_string()) {
            return type_error("tojson wants two separators");
        }
        style.item_separator = separators[0].text();
        style.key_separator = separators[1].text();
    }
    return to_json(run.heap(), self, style);
}

// Not in transformers, but some published templates ask for it.
Result<Value> from_json(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "from_json", {}));
    HEFT_TRY(const std::string_view text, text_of(self));
    HEFT_OK(run.heap().spend_bytes(text.size() * 16));
    HEFT_TRY(const nlohmann::ordered_json json, parse_json_tree(text));
    return run.heap().from_json(json);
}

constexpr NativeEntry kFilters[] = {
    {"upper", mapped<to_upper>},
    {"lower", mapped<to_lower>},
    {"title", mapped<title>},
    {"capitalize", mapped<to_capitalized>},
    {"striptags", mapped<without_tags>},
    {"trim", trim},
    {"replace", replace},
    {"string", to_string},
    {"indent", indent},
    {"truncate", truncate},
    {"center", center},
    {"wordcount", wordcount},
    {"escape", escape},
    {"e", escape},
    {"forceescape", force_escape},
    {"safe", safe},
    {"urlencode", urlencode},
    {"format", format},
    {"tojson", tojson},
    {"from_json", from_json},
};

}  // namespace

std::span<const NativeEntry> text_filters() {
    return kFilters;
}

}  // namespace heft::text::jinja
