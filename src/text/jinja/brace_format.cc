#include <fmt/format.h>

#include "text/jinja/format.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/lookup.h"
#include "text/jinja/unicode.h"
#include "text/jinja/words.h"

namespace heft::text::jinja {

namespace {

constexpr int kMaxNesting = 2;  // a field inside a layout, as Python allows

class BraceFormat {
  public:
    BraceFormat(Interpreter& run, Args& args) : run_(run), heap_(run.heap()), args_(args) {}

    Status add(Builder& out, std::string_view format, int depth);

  private:
    Status add_field(Builder& out, std::string_view field, int depth);
    Result<Value> argument(std::string_view name);
    Result<Value> lookup(std::string_view path);
    Result<FormatSpec> spec(std::string_view text);

    Interpreter& run_;
    Heap& heap_;
    Args& args_;
    std::size_t next_ = 0;
};

std::size_t matching_brace(std::string_view format, std::size_t at) {
    int open = 1;
    for (; at < format.size(); ++at) {
        if (format[at] == '{') ++open;
        if (format[at] == '}' && --open == 0) break;
    }
    return at;
}

Status BraceFormat::add(Builder& out, std::string_view format, int depth) {
    if (depth > kMaxNesting) return type_error("Max string recursion exceeded");
    for (std::size_t at = 0; at < format.size();) {
        const std::size_t brace = std::min(format.find_first_of("{}", at), format.size());
        out.add(format.substr(at, brace - at));
        HEFT_OK(out.status());
        HEFT_OK(heap_.spend(1));
        if (brace == format.size()) break;
        if (brace + 1 < format.size() && format[brace + 1] == format[brace]) {
            out.add(format[brace]);
            at = brace + 2;
            continue;
        }
        if (format[brace] == '}') return type_error("Single '}' encountered in format string");
        const std::size_t end = matching_brace(format, brace + 1);
        if (end == format.size()) return type_error("expected '}' before end of string");
        HEFT_OK(add_field(out, format.substr(brace + 1, end - brace - 1), depth));
        at = end + 1;
    }
    return out.status();
}

Result<Value> BraceFormat::argument(std::string_view name) {
    std::size_t index = 0;
    std::size_t at = 0;
    const bool numbered = !name.empty() && name[0] >= '0' && name[0] <= '9';
    if (numbered) {
        HEFT_TRY(index, read_number(name, at));
    }
    if (name.empty()) index = next_++;
    if (name.empty() || numbered) {
        if (index < args_.positional.size()) return args_.positional[index];
        return type_error(
            fmt::format("Replacement index {} out of range for positional args tuple", index));
    }
    for (const auto& [key, value] : args_.named) {
        if (key == name) return value;
    }
    return type_error(fmt::format("the format names '{}', which is not given", name));
}

// name, then .attribute and [key] as often as wanted.
Result<Value> BraceFormat::lookup(std::string_view path) {
    std::size_t at = std::min(path.find_first_of(".["), path.size());
    HEFT_TRY(Value value, argument(path.substr(0, at)));
    while (at < path.size()) {
        HEFT_OK(heap_.spend(1));
        if (path[at] == '.') {
            const std::size_t end = std::min(path.find_first_of(".[", at + 1), path.size());
            HEFT_TRY(value, get_attribute(run_, value, path.substr(at + 1, end - at - 1)));
            at = end;
            continue;
        }
        const std::size_t end = path.find(']', at);
        if (path[at] != '[' || end == std::string_view::npos)
            return type_error("Missing ']' in format string");
        const std::string_view key = path.substr(at + 1, end - at - 1);
        std::size_t read = 0;
        const bool numbered =
            !key.empty() && key.find_first_not_of("0123456789") == std::string_view::npos;
        HEFT_TRY(const std::size_t index,
                 numbered ? read_number(key, read) : Result<std::size_t>(std::size_t{0}));
        HEFT_TRY(const Value name, heap_.string(key));
        HEFT_TRY(value,
                 get_item(run_, value,
                          numbered ? Value::integer(static_cast<std::int64_t>(index)) : name));
        at = end + 1;
    }
    return value;
}

Result<FormatSpec> BraceFormat::spec(std::string_view text) {
    constexpr std::string_view kAligns = "<>^=";
    FormatSpec spec;
    std::size_t at = 0;
    const auto peek = [&] { return at < text.size() ? text[at] : '\0'; };
    if (!text.empty()) {
        const CodePoint fill = decode(text, 0);
        if (fill.bytes < text.size() && kAligns.find(text[fill.bytes]) != std::string_view::npos) {
            spec.fill = fill.value;
            at = fill.bytes;
        }
        if (at < text.size() && kAligns.find(text[at]) != std::string_view::npos)
            spec.align = text[at++];
    }
    if (peek() == '+' || peek() == '-' || peek() == ' ') spec.sign = text[at++];
    if (peek() == '#') {
        spec.alternate = true;
        ++at;
    }
    if (peek() == '0') {
        ++at;
        if (spec.align == '\0') {
            spec.align = '=';
            spec.fill = '0';
        }
    }
    HEFT_TRY(spec.width, read_number(text, at));
    if (peek() == ',') {
        spec.by_thousands = true;
        ++at;
    }
    if (peek() == '.') {
        ++at;
        HEFT_TRY(const std::size_t precision, read_number(text, at));
        spec.precision = static_cast<int>(precision);
    }
    if (peek() != '\0') spec.type = text[at++];
    if (at < text.size()) return type_error(fmt::format("Invalid format specifier '{}'", text));
    return spec;
}

Status BraceFormat::add_field(Builder& out, std::string_view field, int depth) {
    const std::size_t colon = std::min(field.find(':'), field.size());
    std::string_view name = field.substr(0, colon);
    char conversion = '\0';
    if (name.size() >= 2 && name[name.size() - 2] == '!') {
        conversion = name.back();
        name.remove_suffix(2);
    }
    HEFT_TRY(Value value, lookup(name));
    Builder layout(heap_);
    if (colon < field.size()) HEFT_OK(add(layout, field.substr(colon + 1), depth + 1));
    const std::string layout_text = layout.take();
    HEFT_TRY(FormatSpec parsed, spec(layout_text));
    if (conversion == 'r' || conversion == 'a') {
        HEFT_TRY(value, to_repr(heap_, value));
    } else if (conversion == 's') {
        HEFT_TRY(value, to_str(heap_, value));
    }
    return add_formatted(heap_, out, value, parsed);
}

}  // namespace

Result<Value> brace_format(Interpreter& run, const Value& format, Args& args) {
    HEFT_OK(run.heap().spend_bytes(format.text().size()));
    Builder out(run.heap());
    HEFT_OK(BraceFormat(run, args).add(out, format.text(), 0));
    return out.value(format.is_markup());
}

}  // namespace heft::text::jinja
