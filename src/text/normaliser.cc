#include "text/normaliser.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <utf8proc.h>

#include "text/byte_level.h"
#include "text/utf8.h"

namespace heft::text {

namespace {

using CodePoint = utf8proc_int32_t;

bool composes(UnicodeForm form) {
    return form == UnicodeForm::nfc || form == UnicodeForm::nfkc;
}
bool is_compatible(UnicodeForm form) {
    return form == UnicodeForm::nfkc || form == UnicodeForm::nfkd;
}

int combining_class(CodePoint c) {
    return utf8proc_get_property(c)->combining_class;
}

// One stretch of valid text. The reordering of marks is ours: the library's is quadratic in the
// number of marks.
void append_form(std::string& out, std::string_view text, UnicodeForm form) {
    constexpr std::size_t kLongestDecomposition = 18;  // of one character, in Unicode
    const auto options = static_cast<utf8proc_option_t>(
        UTF8PROC_STABLE | (composes(form) ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE)
        | (is_compatible(form) ? UTF8PROC_COMPAT : 0));
    std::vector<CodePoint> codes;
    codes.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Char c = utf8_at(text, at);
        at += c.bytes;
        std::array<CodePoint, kLongestDecomposition> parts{};
        int boundary = 0;
        const auto count = utf8proc_decompose_char(static_cast<CodePoint>(c.code), parts.data(),
                                                   parts.size(), options, &boundary);
        if (count < 0 || count > static_cast<utf8proc_ssize_t>(parts.size()))
            codes.push_back(static_cast<CodePoint>(c.code));
        else
            codes.insert(codes.end(), parts.begin(), parts.begin() + count);
    }
    for (auto run = codes.begin(); run != codes.end();) {
        const auto is_mark = [](CodePoint c) { return combining_class(c) != 0; };
        const auto first = std::find_if(run, codes.end(), is_mark);
        run = std::find_if_not(first, codes.end(), is_mark);
        std::stable_sort(first, run, [](CodePoint a, CodePoint b) {
            return combining_class(a) < combining_class(b);
        });
    }
    auto length = static_cast<utf8proc_ssize_t>(codes.size());
    if (composes(form)) length = utf8proc_normalize_utf32(codes.data(), length, options);
    for (utf8proc_ssize_t i = 0; i < length; ++i)
        append_utf8(out, static_cast<char32_t>(codes[static_cast<std::size_t>(i)]));
}

std::string map_characters(std::string_view text, CharMap map) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Char c = utf8_at(text, at);
        if (c.valid)
            map(c.code, out);
        else
            out += text.substr(at, c.bytes);
        at += c.bytes;
    }
    return out;
}

std::string strip(std::string_view text, const Strip& step) {
    std::size_t begin = 0;
    while (step.left && begin < text.size()) {
        const Utf8Char c = utf8_at(text, begin);
        if (!c.valid || !is_white_space(c.code)) break;
        begin += c.bytes;
    }
    std::size_t end = text.size();
    while (step.right && end > begin) {
        const std::size_t before = char_before(text, end);
        const Utf8Char c = utf8_at(text, before);
        if (before < begin || !c.valid || !is_white_space(c.code)) break;
        end = before;
    }
    return std::string(text.substr(begin, end - begin));
}

// A chain of replacements can double a text over and over. A step that passes this is left out; no
// published normaliser comes near.
constexpr std::size_t kGrowth = 24;
constexpr std::size_t kGrowthFree = 4096;

struct Apply {
    const std::string& text;
    RegexScratch& scratch;
    std::size_t limit;

    std::string operator()(UnicodeForm form) const { return to_form(text, form); }
    std::string operator()(const Replace& step) const {
        return replace_pattern(text, step, scratch, limit);
    }
    std::string operator()(const ReplaceText& step) const {
        return replace_text(text, step, limit);
    }
    std::string operator()(CharMap map) const { return map_characters(text, map); }
    std::string operator()(const Strip& step) const { return strip(text, step); }
    std::string operator()(const Prepend& step) const {
        return text.empty() ? text : step.text + text;
    }
    std::string operator()(const SpellBytes& /*step*/) const { return byte_level_spell(text); }
    std::string operator()(const SharedCharsmap& map) const { return map->apply(text, limit); }
};

}  // namespace

std::string replace_text(std::string_view text, const ReplaceText& step, std::size_t limit) {
    std::string out;
    out.reserve(text.size() + text.size() / 2);
    std::size_t done = 0;
    for (std::size_t at = text.find(step.what); at != std::string_view::npos && out.size() <= limit;
         at = text.find(step.what, done)) {
        out.append(text.substr(done, at - done)).append(step.with);
        done = at + step.what.size();
    }
    return out.append(text.substr(done));
}

std::string replace_pattern(const std::string& text, const Replace& step, RegexScratch& scratch,
                            std::size_t limit) {
    std::string valid;
    if (!is_utf8(text)) valid = with_placeholders(text);
    const std::string& seen = valid.empty() ? text : valid;
    std::string out;
    std::size_t done = 0;
    while (out.size() <= limit) {
        const auto found = step.pattern.search(seen, done, scratch);
        if (!found) break;
        out.append(text, done, found->begin - done).append(step.with);
        done = found->end;
    }
    return out.append(text, done);
}

std::string to_form(std::string_view text, UnicodeForm form) {
    std::string out;
    out.reserve(text.size());
    const auto is_ascii = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]) < 0x80; };
    for (std::size_t at = 0; at < text.size();) {
        // ASCII that ASCII follows is in every form already, and nothing composes across it.
        std::size_t end = at;
        while (end < text.size() && is_ascii(end) && (end + 1 == text.size() || is_ascii(end + 1)))
            ++end;
        out += text.substr(at, end - at);
        at = end;
        if (at == text.size()) break;
        const bool broken = !utf8_at(text, at).valid;
        while (end < text.size() && !(is_ascii(end) && end > at)) {
            const Utf8Char c = utf8_at(text, end);
            if (c.valid == broken) break;
            end += c.bytes;
        }
        if (broken)
            out += text.substr(at, end - at);
        else
            append_form(out, text.substr(at, end - at), form);
        at = end;
    }
    return out;
}

std::string Normaliser::apply(std::string text, RegexScratch& scratch) const {
    const std::size_t limit = text.size() * kGrowth + kGrowthFree;
    for (const NormaliserStep& step : steps_) {
        std::string next = std::visit(Apply{text, scratch, limit}, step);
        if (next.size() <= limit) text = std::move(next);
    }
    return text;
}

}  // namespace heft::text
