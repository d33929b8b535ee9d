#include "text/jinja/words.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "text/jinja/unicode.h"

namespace heft::text::jinja {

namespace {

void add_escaped_code_point(Builder& out, char32_t c) {
    if (c < 0x100) {
        out.add(fmt::format("\\x{:02x}", static_cast<unsigned>(c)));
    } else if (c < 0x10000) {
        out.add(fmt::format("\\u{:04x}", static_cast<unsigned>(c)));
    } else {
        out.add(fmt::format("\\U{:08x}", static_cast<unsigned>(c)));
    }
}

Status add_items(Heap& heap, Builder& out, const std::vector<Value>& items, int depth) {
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) out.add(", ");
        HEFT_OK(add_repr(heap, out, items[i], depth + 1));
    }
    return {};
}

Status add_list(Heap& heap, Builder& out, const List& list, int depth) {
    switch (list.flavor) {
        case Flavor::iterator: out.add("<generator object>"); return {};
        case Flavor::range: {
            const auto& items = list.items;
            const std::int64_t first = items.empty() ? 0 : items.front().as_int();
            const std::int64_t step = items.size() < 2 ? 1 : items[1].as_int() - first;
            const std::int64_t end = items.empty() ? 0 : items.back().as_int() + step;
            out.add(fmt::format("range({}, {}", first, end));
            out.add(step == 1 ? ")" : fmt::format(", {})", step));
            return {};
        }
        case Flavor::tuple:
            out.add('(');
            HEFT_OK(add_items(heap, out, list.items, depth));
            out.add(list.items.size() == 1 ? ",)" : ")");
            return {};
        case Flavor::list:
        case Flavor::keys:
        case Flavor::values:
        case Flavor::items: break;
    }
    const bool view = list.flavor != Flavor::list;
    if (view) out.add(fmt::format("{}(", type_name(Value(const_cast<List*>(&list)))));
    out.add('[');
    HEFT_OK(add_items(heap, out, list.items, depth));
    out.add(view ? "])" : "]");
    return {};
}

Status add_dict(Heap& heap, Builder& out, const Dict& dict, int depth) {
    out.add('{');
    bool first = true;
    for (const auto& [key, value] : dict.entries) {
        if (!first) out.add(", ");
        first = false;
        HEFT_OK(add_repr(heap, out, key, depth + 1));
        out.add(": ");
        HEFT_OK(add_repr(heap, out, value, depth + 1));
    }
    out.add('}');
    return {};
}

}  // namespace

// Python's shortest form that reads back equal: exponents below 1e-4 and from 1e16 on.
std::string real_repr(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
    char buffer[64];
    const auto sci =
        std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific);
    std::string_view digits(buffer, static_cast<std::size_t>(sci.ptr - buffer));
    const std::size_t e = digits.find('e');
    int exponent = 0;
    const std::size_t sign = digits[e + 1] == '+' ? 2 : 1;
    std::from_chars(digits.data() + e + sign, digits.data() + digits.size(), exponent);
    if (exponent < -4 || exponent >= 16) return std::string(digits);
    const auto plain =
        std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::fixed);
    std::string text(buffer, plain.ptr);
    if (text.find('.') == std::string::npos) text += ".0";
    return text;
}

void add_string_repr(Builder& out, std::string_view text) {
    const bool has_single = text.find('\'') != std::string_view::npos;
    const bool has_double = text.find('"') != std::string_view::npos;
    const char quote = has_single && !has_double ? '"' : '\'';
    out.add(quote);
    for (std::size_t at = 0; at < text.size() && !out.full();) {
        const CodePoint c = decode(text, at);
        const std::string_view raw = text.substr(at, c.bytes);
        at += c.bytes;
        switch (c.value) {
            case '\n': out.add("\\n"); break;
            case '\r': out.add("\\r"); break;
            case '\t': out.add("\\t"); break;
            case '\\': out.add("\\\\"); break;
            default:
                if (c.value == static_cast<char32_t>(quote)) {
                    out.add('\\');
                    out.add(quote);
                } else if (is_printable(c.value)) {
                    out.add(raw);
                } else {
                    add_escaped_code_point(out, c.value);
                }
        }
    }
    out.add(quote);
}

Status add_repr(Heap& heap, Builder& out, const Value& value, int depth) {
    HEFT_OK(heap.spend(1));
    HEFT_OK(out.status());
    if (depth > kMaxValueDepth)
        return Error{Code::exhausted, "a value is nested too deeply to be shown"};
    switch (value.kind()) {
        case Kind::absent:
        case Kind::undefined: out.add("Undefined"); break;
        case Kind::none: out.add("None"); break;
        case Kind::boolean: out.add(value.as_bool() ? "True" : "False"); break;
        case Kind::integer: out.add(fmt::format("{}", value.as_int())); break;
        case Kind::real: out.add(real_repr(value.as_real())); break;
        case Kind::string: {
            HEFT_OK(heap.spend_bytes(value.text().size()));
            if (value.is_markup()) out.add("Markup(");
            add_string_repr(out, value.text());
            if (value.is_markup()) out.add(')');
            break;
        }
        case Kind::list: return add_list(heap, out, value.list(), depth);
        case Kind::dict: return add_dict(heap, out, value.dict(), depth);
        case Kind::object:
            if (value.object().sequence() != nullptr)
                return add_repr(heap, out, *value.object().sequence(), depth + 1);
            out.add(value.object().repr());
            break;
    }
    return {};
}

Status add_str(Heap& heap, Builder& out, const Value& value) {
    if (value.is_undefined()) return {};
    if (!value.is_string()) return add_repr(heap, out, value);
    HEFT_OK(heap.spend_copy(value.text().size()));
    out.add(value.text());
    return out.status();
}

Result<Value> to_str(Heap& heap, const Value& value) {
    if (value.is_string() && !value.is_markup()) return value;
    Builder out(heap);
    HEFT_OK(add_str(heap, out, value));
    return out.value();
}

Result<Value> to_repr(Heap& heap, const Value& value) {
    Builder out(heap);
    HEFT_OK(add_repr(heap, out, value));
    return out.value();
}

Result<Value> escape_html(Heap& heap, std::string_view text) {
    HEFT_OK(heap.spend_bytes(text.size() * 4));
    Builder out(heap);
    for (const char c : text) {
        switch (c) {
            case '&': out.add("&amp;"); break;
            case '<': out.add("&lt;"); break;
            case '>': out.add("&gt;"); break;
            case '\'': out.add("&#39;"); break;
            case '"': out.add("&#34;"); break;
            default: out.add(c);
        }
    }
    return out.value(true);
}

}  // namespace heft::text::jinja
