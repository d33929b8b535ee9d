// The methods of str that ask: where something is, how often, and what kind of text it is.
#include <algorithm>

#include "text/jinja/interpreter.h"
#include "text/jinja/method_tables.h"
#include "text/jinja/operators.h"
#include "text/jinja/search.h"
#include "text/jinja/unicode.h"

namespace heft::text::jinja {

namespace {

// The part of the text that [start, end) names, and where it starts in code points.
struct Part {
    std::string_view text;
    std::int64_t start = 0;
    bool exists = true;  // an empty part may still be no part: "ab".find("", 3)
};

Result<Part> part(Heap& heap, const Value& self, const Bound& bound) {
    const auto size = static_cast<std::int64_t>(self.string().length);
    HEFT_OK(heap.spend_bytes(self.text().size()));
    HEFT_TRY(std::int64_t start, bound.whole(1, 0));
    HEFT_TRY(std::int64_t end, bound.whole(2, size));
    if (start < 0) start = start < -size ? 0 : start + size;
    if (end < 0) end = end < -size ? 0 : end + size;
    end = std::min(end, size);
    if (start > end) return Part{{}, start, false};
    return Part{
        code_points(self.string(), static_cast<std::size_t>(start), static_cast<std::size_t>(end)),
        start, true};
}

bool has_affix(const Part& where, std::string_view affix, bool at_end) {
    if (!where.exists || affix.size() > where.text.size()) return false;
    return where.text.substr(at_end ? where.text.size() - affix.size() : 0, affix.size()) == affix;
}

template <bool at_end>
Result<Value> has(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound,
             Bound::bind(args, at_end ? "endswith" : "startswith", {"affix", "start", "end"}, 1));
    HEFT_TRY(const Part where, part(run.heap(), self, bound));
    if (!bound[0].is(Kind::list) || bound[0].list().flavor != Flavor::tuple) {
        HEFT_TRY(const std::string_view affix, text_of(bound[0]));
        return Value::boolean(has_affix(where, affix, at_end));
    }
    for (const Value& one : bound[0].list().items) {
        HEFT_OK(run.heap().spend(1));
        HEFT_TRY(const std::string_view affix, text_of(one));
        if (has_affix(where, affix, at_end)) return Value::boolean(true);
    }
    return Value::boolean(false);
}

template <bool from_right, bool must>
Result<Value> find(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "find", {"sub", "start", "end"}, 1));
    HEFT_TRY(const std::string_view wanted, text_of(bound[0]));
    HEFT_TRY(const Part where, part(run.heap(), self, bound));
    const std::size_t at =
        from_right ? rfind_text(where.text, wanted) : find_text(where.text, wanted);
    if (where.exists && at != std::string_view::npos) {
        return Value::integer(
            where.start + static_cast<std::int64_t>(count_code_points(where.text.substr(0, at))));
    }
    if (must) return type_error("substring not found");
    return Value::integer(-1);
}

Result<Value> count(Interpreter& run, const Value& self, Args& args) {
    HEFT_TRY(const Bound bound, Bound::bind(args, "count", {"sub", "start", "end"}, 1));
    HEFT_TRY(const std::string_view wanted, text_of(bound[0]));
    HEFT_TRY(const Part where, part(run.heap(), self, bound));
    if (!where.exists) return Value::integer(0);
    if (wanted.empty())
        return Value::integer(static_cast<std::int64_t>(count_code_points(where.text)) + 1);
    std::int64_t found = 0;
    for (std::size_t at = find_text(where.text, wanted); at != std::string_view::npos;
         at = find_text(where.text, wanted, at + wanted.size())) {
        ++found;
    }
    return Value::integer(found);
}

bool is_alnum(char32_t c) {
    return is_letter(c) || is_digit(c);
}

// Whether the text is not empty and all of one kind.
template <bool (*kind)(char32_t)>
Result<Value> all_are(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "method", {}));
    const std::string_view text = self.text();
    HEFT_OK(run.heap().spend_bytes(text.size() * 4));
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = decode(text, at);
        if (!kind(c.value)) return Value::boolean(false);
        at += c.bytes;
    }
    return Value::boolean(!text.empty());
}

// The tests of the same name ask the same.
template <bool upper>
Result<Value> is_case(Interpreter& run, const Value& self, Args& args) {
    return find_test(upper ? "upper" : "lower")(run, self, args);
}

Result<Value> is_ascii(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "isascii", {}));
    const std::string_view text = self.text();
    HEFT_OK(run.heap().spend_bytes(text.size()));
    return Value::boolean(std::all_of(text.begin(), text.end(),
                                      [](char c) { return static_cast<unsigned char>(c) < 0x80; }));
}

Result<Value> is_title(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "istitle", {}));
    HEFT_OK(run.heap().spend_bytes(self.text().size() * 8));
    const bool cased = to_lower(self.text()) != to_upper(self.text());
    return Value::boolean(cased && to_title(self.text()) == self.text());
}

Result<Value> is_identifier(Interpreter& run, const Value& self, Args& args) {
    HEFT_OK(Bound::bind(args, "isidentifier", {}));
    const std::string_view text = self.text();
    HEFT_OK(run.heap().spend_bytes(text.size() * 4));
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = decode(text, at);
        if (!is_letter(c.value) && c.value != '_' && (at == 0 || !is_digit(c.value)))
            return Value::boolean(false);
        at += c.bytes;
    }
    return Value::boolean(!text.empty());
}

constexpr NativeEntry kMethods[] = {
    {"startswith", has<false>},
    {"endswith", has<true>},
    {"find", find<false, false>},
    {"rfind", find<true, false>},
    {"index", find<false, true>},
    {"rindex", find<true, true>},
    {"count", count},
    {"isalpha", all_are<is_letter>},
    {"isdigit", all_are<is_digit>},
    {"isdecimal", all_are<is_digit>},
    {"isnumeric", all_are<is_digit>},
    {"isalnum", all_are<is_alnum>},
    {"isspace", all_are<is_space>},
    {"isupper", is_case<true>},
    {"islower", is_case<false>},
    {"istitle", is_title},
    {"isascii", is_ascii},
    {"isidentifier", is_identifier},
};

}  // namespace

std::span<const NativeEntry> string_questions() {
    return kMethods;
}

}  // namespace heft::text::jinja
