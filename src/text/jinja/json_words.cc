// json.dumps() as the tojson filter of transformers calls it.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "text/jinja/unicode.h"
#include "text/jinja/words.h"

namespace heft::text::jinja {

namespace {

class JsonWriter {
  public:
    JsonWriter(Heap& heap, const JsonStyle& style) : heap_(heap), style_(style), out_(heap) {}

    Status add(const Value& value, int depth);
    Result<Value> value() { return out_.value(); }

  private:
    void add_text(std::string_view text);
    void add_code_point(char32_t c, std::string_view raw);
    void add_real(double value);
    void new_line(int depth);
    Status add_list(const List& list, int depth);
    Status add_dict(const Dict& dict, int depth);
    Status add_key(const Value& key);

    Heap& heap_;
    const JsonStyle& style_;
    Builder out_;
};

void JsonWriter::add_code_point(char32_t c, std::string_view raw) {
    switch (c) {
        case '"': out_.add("\\\""); return;
        case '\\': out_.add("\\\\"); return;
        case '\n': out_.add("\\n"); return;
        case '\r': out_.add("\\r"); return;
        case '\t': out_.add("\\t"); return;
        case '\f': out_.add("\\f"); return;
        case '\b': out_.add("\\b"); return;
        default: break;
    }
    const auto escape = [&](char32_t unit) {
        out_.add(fmt::format("\\u{:04x}", static_cast<unsigned>(unit)));
    };
    if (c < 0x20 || (style_.ensure_ascii && c >= 0x7F && c < 0x10000 && c != 0x7F)) {
        escape(c);
    } else if (style_.ensure_ascii && c >= 0x10000) {
        escape(0xD800 + ((c - 0x10000) >> 10U));
        escape(0xDC00 + ((c - 0x10000) & 0x3FFU));
    } else {
        out_.add(raw);
    }
}

void JsonWriter::add_text(std::string_view text) {
    out_.add('"');
    std::size_t start = 0;  // of a run that needs no escape
    for (std::size_t at = 0; at < text.size() && !out_.full();) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte >= 0x20 && byte != '"' && byte != '\\' && (byte < 0x80 || !style_.ensure_ascii)) {
            ++at;
            continue;
        }
        out_.add(text.substr(start, at - start));
        const CodePoint c = decode(text, at);
        add_code_point(c.value, text.substr(at, c.bytes));
        at += c.bytes;
        start = at;
    }
    out_.add(text.substr(start));
    out_.add('"');
}

void JsonWriter::add_real(double value) {
    if (std::isnan(value)) {
        out_.add("NaN");
    } else if (std::isinf(value)) {
        out_.add(value < 0 ? "-Infinity" : "Infinity");
    } else {
        out_.add(real_repr(value));
    }
}

void JsonWriter::new_line(int depth) {
    if (!style_.indented) return;
    out_.add('\n');
    out_.fill(static_cast<std::size_t>(depth), style_.indent);
}

Status JsonWriter::add_list(const List& list, int depth) {
    if (list.items.empty()) {
        out_.add("[]");
        return {};
    }
    out_.add('[');
    bool first = true;
    for (const Value& item : list.items) {
        if (!first) out_.add(style_.item_separator);
        first = false;
        new_line(depth + 1);
        HEFT_OK(add(item, depth + 1));
    }
    new_line(depth);
    out_.add(']');
    return {};
}

Status JsonWriter::add_key(const Value& key) {
    if (key.is_string()) {
        add_text(key.text());
        return {};
    }
    if (!key.is_number() && !key.is(Kind::none)) {
        return type_error(
            fmt::format("keys must be str, int, float, bool or None, not {}", type_name(key)));
    }
    out_.add('"');
    HEFT_OK(add(key, 0));
    out_.add('"');
    return {};
}

Status JsonWriter::add_dict(const Dict& dict, int depth) {
    if (dict.entries.empty()) {
        out_.add("{}");
        return {};
    }
    std::vector<const std::pair<Value, Value>*> entries;
    for (const auto& entry : dict.entries) entries.push_back(&entry);
    if (style_.sort_keys) {
        for (const auto* entry : entries) {
            if (!entry->first.is_string()) return type_error("only text keys can be sorted");
        }
        std::stable_sort(entries.begin(), entries.end(), [](const auto* a, const auto* b) {
            return a->first.text() < b->first.text();
        });
    }
    out_.add('{');
    bool first = true;
    for (const auto* entry : entries) {
        if (!first) out_.add(style_.item_separator);
        first = false;
        new_line(depth + 1);
        HEFT_OK(add_key(entry->first));
        out_.add(style_.key_separator);
        HEFT_OK(add(entry->second, depth + 1));
    }
    new_line(depth);
    out_.add('}');
    return {};
}

Status JsonWriter::add(const Value& value, int depth) {
    HEFT_OK(heap_.spend(1));
    HEFT_OK(out_.status());
    if (depth > kMaxValueDepth)
        return Error{Code::exhausted, "a value is nested too deeply for JSON"};
    switch (value.kind()) {
        case Kind::none: out_.add("null"); return {};
        case Kind::boolean: out_.add(value.as_bool() ? "true" : "false"); return {};
        case Kind::integer: out_.add(fmt::format("{}", value.as_int())); return {};
        case Kind::real: add_real(value.as_real()); return {};
        case Kind::string: {
            HEFT_OK(heap_.spend_bytes(value.text().size()));
            add_text(value.text());
            return {};
        }
        case Kind::dict: return add_dict(value.dict(), depth);
        case Kind::list:
            if (value.list().flavor <= Flavor::tuple) return add_list(value.list(), depth);
            break;
        case Kind::absent:
        case Kind::undefined:
        case Kind::object: break;
    }
    return type_error(fmt::format("Object of type {} is not JSON serializable", type_name(value)));
}

}  // namespace

Result<Value> to_json(Heap& heap, const Value& value, const JsonStyle& style) {
    JsonWriter writer(heap, style);
    HEFT_OK(writer.add(value, 0));
    return writer.value();
}

}  // namespace heft::text::jinja
