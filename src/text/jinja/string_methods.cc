// The methods of str: splitting, joining, stripping, replacing, padding and formatting.
#include <algorithm>

#include "text/jinja/format.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/lookup.h"
#include "text/jinja/method_tables.h"
#include "text/jinja/natives.h"
#include "text/jinja/operators.h"
#include "text/jinja/search.h"
#include "text/jinja/string_tools.h"
#include "text/jinja/unicode.h"
#include "text/jinja/words.h"

namespace heft::text::jinja {

namespace {

template <std::string (*map)(std::string_view)>
Result<Value> mapped(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "method", {}));
    HEFT_OK(run.heap().spend_bytes(self.text().size() * 4));
    return run.heap().string(map(self.text()), self.is_markup());
}

template <bool left, bool right>
Result<Value> strip(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "strip", {"chars"}));
    HEFT_TRY(const std::string_view chars, bound.text(0));
    return stripped(run.heap(), self, bound.has(0) ? std::optional(chars) : std::nullopt, left,
                    right);
}

Result<Value> list_of(Heap& heap, const std::vector<std::string_view>& pieces, bool markup) {
    std::vector<Value> items;
    items.reserve(pieces.size());
    for (const std::string_view piece : pieces) {
        HEFT_OK(heap.spend(1));
        HEFT_TRY(Value item, heap.string(std::string(piece), markup));
        items.push_back(std::move(item));
    }
    return heap.list(std::move(items));
}

std::vector<std::string_view> split_space(std::string_view text, std::int64_t most) {
    std::vector<std::string_view> words = split_words(text);
    if (most < 0 || static_cast<std::size_t>(most) >= words.size()) return words;
    const auto kept = static_cast<std::size_t>(most);
    const char* rest = words[kept].data();
    words.resize(kept);
    words.push_back(text.substr(static_cast<std::size_t>(rest - text.data())));
    return words;
}

std::vector<std::string_view> rsplit_space(std::string_view text, std::int64_t most) {
    std::vector<std::string_view> words = split_words(text);
    if (most < 0 || static_cast<std::size_t>(most) >= words.size()) return words;
    const std::size_t merged = words.size() - static_cast<std::size_t>(most);
    const std::string_view last = words[merged - 1];
    const auto end = static_cast<std::size_t>(last.data() + last.size() - text.data());
    std::vector<std::string_view> out{
        text.substr(0, end)};  // with the space before it, as Python does
    out.insert(out.end(), words.begin() + static_cast<std::ptrdiff_t>(merged), words.end());
    return out;
}

std::vector<std::string_view> split_by(std::string_view text, std::string_view separator,
                                       std::int64_t most) {
    std::vector<std::string_view> pieces;
    while (most < 0 || static_cast<std::int64_t>(pieces.size()) < most) {
        const std::size_t at = find_text(text, separator);
        if (at == std::string_view::npos) break;
        pieces.push_back(text.substr(0, at));
        text.remove_prefix(at + separator.size());
    }
    pieces.push_back(text);
    return pieces;
}

std::vector<std::string_view> rsplit_by(std::string_view text, std::string_view separator,
                                        std::int64_t most) {
    std::vector<std::string_view> pieces;
    while (most < 0 || static_cast<std::int64_t>(pieces.size()) < most) {
        const std::size_t at = rfind_text(text, separator);
        if (at == std::string_view::npos) break;
        pieces.push_back(text.substr(at + separator.size()));
        text = text.substr(0, at);
    }
    pieces.push_back(text);
    std::reverse(pieces.begin(), pieces.end());
    return pieces;
}

template <bool from_right>
Result<Value> split(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "split", {"sep", "maxsplit"}));
    HEFT_TRY(const std::string_view separator, bound.text(0));
    HEFT_TRY(const std::int64_t most, bound.whole(1, -1));
    HEFT_OK(run.heap().spend_bytes(self.text().size() * 4));
    if (bound.has(0) && separator.empty()) return type_error("empty separator");
    const std::string_view text = self.text();
    if (!bound.has(0)) {
        return list_of(run.heap(), from_right ? rsplit_space(text, most) : split_space(text, most),
                       self.is_markup());
    }
    return list_of(run.heap(),
                   from_right ? rsplit_by(text, separator, most) : split_by(text, separator, most),
                   self.is_markup());
}

Result<Value> splitlines(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "splitlines", {"keepends"}));
    HEFT_OK(run.heap().spend_bytes(self.text().size() * 4));
    return list_of(run.heap(), split_lines(self.text(), bound.flag(0)), self.is_markup());
}

template <bool from_right>
Result<Value> partition(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "partition", {"sep"}, 1));
    HEFT_TRY(const std::string_view separator, bound.text(0));
    if (separator.empty()) return type_error("empty separator");
    HEFT_OK(run.heap().spend_bytes(self.text().size()));
    const std::string_view text = self.text();
    const std::size_t at = from_right ? rfind_text(text, separator) : find_text(text, separator);
    std::string_view parts[3] = {text, {}, {}};
    if (at != std::string_view::npos) {
        parts[0] = text.substr(0, at);
        parts[1] = separator;
        parts[2] = text.substr(at + separator.size());
    } else if (from_right) {
        std::swap(parts[0], parts[2]);
    }
    std::vector<Value> items;
    for (const std::string_view part : parts) {
        HEFT_TRY(Value item, run.heap().string(part));
        items.push_back(std::move(item));
    }
    return run.heap().list(std::move(items), Flavor::tuple);
}

Result<Value> join(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "join", {"iterable"}, 1));
    HEFT_TRY(const std::vector<Value> items, iterate(run.heap(), bound[0]));
    for (const Value& item : items) HEFT_OK(text_of(item));
    return joined(run.heap(), self.text(), items);
}

Result<Value> replace(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "replace", {"old", "new", "count"}, 2));
    HEFT_TRY(const std::string_view from, bound.text(0));
    HEFT_TRY(const std::string_view to, bound.text(1));
    HEFT_TRY(const std::int64_t count, bound.whole(2, -1));
    HEFT_OK(text_of(bound[0]));
    HEFT_OK(text_of(bound[1]));
    return replaced(run.heap(), self.text(), from, to, count);
}

template <Side side>
Result<Value> pad(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "center", {"width", "fillchar"}, 1));
    HEFT_TRY(const std::int64_t width, bound.whole(0));
    HEFT_TRY(const std::string_view fill, bound.text(1, " "));
    if (count_code_points(fill) != 1)
        return type_error("The fill character must be exactly one character long");
    return padded(run.heap(), self, width, fill, side);
}

Result<Value> zfill(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "zfill", {"width"}, 1));
    HEFT_TRY(const std::int64_t width, bound.whole(0));
    const std::string_view text = self.text();
    const std::size_t sign = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    const auto size = static_cast<std::int64_t>(self.string().length);
    Builder out(run.heap());
    out.add(text.substr(0, sign));
    if (width > size) out.fill(static_cast<std::size_t>(width - size), "0");
    out.add(text.substr(sign));
    return out.value();
}

Result<Value> removeprefix(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "removeprefix", {"prefix"}, 1));
    HEFT_TRY(const std::string_view prefix, bound.text(0));
    if (self.text().substr(0, prefix.size()) != prefix) return self;
    return run.heap().string(self.text().substr(prefix.size()));
}

Result<Value> removesuffix(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "removesuffix", {"suffix"}, 1));
    HEFT_TRY(const std::string_view suffix, bound.text(0));
    const std::string_view text = self.text();
    if (suffix.size() > text.size() || text.substr(text.size() - suffix.size()) != suffix)
        return self;
    return run.heap().string(text.substr(0, text.size() - suffix.size()));
}

Result<Value> expandtabs(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "expandtabs", {"tabsize"}));
    HEFT_TRY(const std::int64_t size, bound.whole(0, 8));
    HEFT_OK(run.heap().spend_bytes(self.text().size() * 8));
    Builder out(run.heap());
    std::int64_t column = 0;
    const std::string_view text = self.text();
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = decode(text, at);
        if (c.value == '\t') {
            const std::int64_t spaces = size > 0 ? size - column % size : 0;
            out.fill(static_cast<std::size_t>(spaces), " ");
            HEFT_OK(out.status());
            column += spaces;
        } else {
            out.add(text.substr(at, c.bytes));
            column = c.value == '\n' || c.value == '\r' ? 0 : column + 1;
        }
        at += c.bytes;
    }
    return out.value();
}

Result<Value> format(Interpreter& run, const Value& self, Args& args) {
    return brace_format(run, self, args);
}

Result<Value> format_map(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "format_map", {"mapping"}, 1));
    if (!bound[0].is(Kind::dict)) return type_error("format_map() wants a mapping");
    Args named;
    for (const auto& [key, value] : bound[0].dict().entries) {
        HEFT_OK(run.heap().spend(1));
        if (key.is_string()) named.named.emplace_back(key.text(), value);
    }
    return brace_format(run, self, named);
}

constexpr NativeEntry kMethods[] = {
    {"upper", mapped<to_upper>},
    {"lower", mapped<to_lower>},
    {"casefold", mapped<to_lower>},
    {"title", mapped<to_title>},
    {"capitalize", mapped<to_capitalized>},
    {"swapcase", mapped<swap_case>},
    {"strip", strip<true, true>},
    {"lstrip", strip<true, false>},
    {"rstrip", strip<false, true>},
    {"split", split<false>},
    {"rsplit", split<true>},
    {"splitlines", splitlines},
    {"partition", partition<false>},
    {"rpartition", partition<true>},
    {"join", join},
    {"replace", replace},
    {"center", pad<Side::both>},
    {"ljust", pad<Side::right>},
    {"rjust", pad<Side::left>},
    {"zfill", zfill},
    {"removeprefix", removeprefix},
    {"removesuffix", removesuffix},
    {"expandtabs", expandtabs},
    {"format", format},
    {"format_map", format_map},
};

}  // namespace

Native find_string_method(std::string_view name) {
    const Native found = find_native(kMethods, name);
    return found != nullptr ? found : find_native(string_questions(), name);
}

}  // namespace heft::text::jinja
