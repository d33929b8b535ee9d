#include "text/unicode.h"

#include <algorithm>
#include <array>

#include <utf8proc.h>

#include "text/utf8.h"

namespace heft::text {

namespace {

using CodePoint = utf8proc_int32_t;

utf8proc_category_t category(char32_t c) {
    return utf8proc_category(static_cast<CodePoint>(c));
}

bool is_mark(utf8proc_category_t kind) {
    return kind == UTF8PROC_CATEGORY_MN || kind == UTF8PROC_CATEGORY_MC
           || kind == UTF8PROC_CATEGORY_ME;
}

struct Range {
    char32_t first, last;
};

template <std::size_t n>
bool in_any(char32_t c, const std::array<Range, n>& ranges) {
    return std::any_of(ranges.begin(), ranges.end(),
                       [c](const Range& r) { return c >= r.first && c <= r.last; });
}

// The ideographs of BERT's tokenizer. U+2B820..2B91F are missing in its common implementation, and
// so are they here.
constexpr std::array<Range, 8> kHan{{{0x4E00, 0x9FFF},
                                     {0x3400, 0x4DBF},
                                     {0x20000, 0x2A6DF},
                                     {0x2A700, 0x2B73F},
                                     {0x2B740, 0x2B81F},
                                     {0x2B920, 0x2CEAF},
                                     {0xF900, 0xFAFF},
                                     {0x2F800, 0x2FA1F}}};
constexpr std::array<Range, 6> kNmtDropped{
    {{0x1, 0x8}, {0xB, 0xB}, {0xE, 0x1F}, {0x7F, 0x7F}, {0x8F, 0x8F}, {0x9F, 0x9F}}};
constexpr std::array<Range, 8> kNmtSpaces{{{0x9, 0xA},
                                           {0xC, 0xD},
                                           {0x1680, 0x1680},
                                           {0x200B, 0x200F},
                                           {0x2028, 0x2029},
                                           {0x2581, 0x2581},
                                           {0xFEFF, 0xFEFF},
                                           {0xFFFD, 0xFFFD}}};

}  // namespace

bool is_white_space(char32_t c) {
    if (c < 0x80) return (c >= 9 && c <= 13) || c == ' ';
    return c == 0x85 || c == 0x2028 || c == 0x2029 || category(c) == UTF8PROC_CATEGORY_ZS;
}

bool is_digit(char32_t c) {
    return category(c) == UTF8PROC_CATEGORY_ND;
}

bool is_number(char32_t c) {
    const auto kind = category(c);
    return kind == UTF8PROC_CATEGORY_ND || kind == UTF8PROC_CATEGORY_NL
           || kind == UTF8PROC_CATEGORY_NO;
}

bool is_printable(char32_t c) {
    switch (category(c)) {
        case UTF8PROC_CATEGORY_CC:
        case UTF8PROC_CATEGORY_CF:
        case UTF8PROC_CATEGORY_CS:
        case UTF8PROC_CATEGORY_CO:
        case UTF8PROC_CATEGORY_CN:
        case UTF8PROC_CATEGORY_ZL:
        case UTF8PROC_CATEGORY_ZP: return false;
        case UTF8PROC_CATEGORY_ZS: return c == ' ';
        default: return true;
    }
}

bool is_word(char32_t c) {
    const auto kind = category(c);
    switch (kind) {
        case UTF8PROC_CATEGORY_LU:
        case UTF8PROC_CATEGORY_LL:
        case UTF8PROC_CATEGORY_LT:
        case UTF8PROC_CATEGORY_LM:
        case UTF8PROC_CATEGORY_LO:
        case UTF8PROC_CATEGORY_ND:
        case UTF8PROC_CATEGORY_PC: return true;
        default: return is_mark(kind);
    }
}

void to_lower(char32_t c, std::string& out) {
    // The one character whose lower case is two, whatever stands around it.
    constexpr char32_t kDottedCapitalI = 0x130;
    if (c == kDottedCapitalI)
        out += "i\xCC\x87";
    else
        append_utf8(out, static_cast<char32_t>(utf8proc_tolower(static_cast<CodePoint>(c))));
}

void drop_marks(char32_t c, std::string& out) {
    if (!is_mark(category(c))) append_utf8(out, c);
}

void drop_nonspacing(char32_t c, std::string& out) {
    if (category(c) != UTF8PROC_CATEGORY_MN) append_utf8(out, c);
}

void clean_for_bert(char32_t c, std::string& out) {
    if (is_white_space(c)) {
        out += ' ';
        return;
    }
    const auto kind = category(c);
    const bool control = kind == UTF8PROC_CATEGORY_CC || kind == UTF8PROC_CATEGORY_CF
                         || kind == UTF8PROC_CATEGORY_CO || kind == UTF8PROC_CATEGORY_CS
                         || c == 0xFFFD;
    if (!control) append_utf8(out, c);
}

void space_around_han(char32_t c, std::string& out) {
    const bool han = in_any(c, kHan);
    if (han) out += ' ';
    append_utf8(out, c);
    if (han) out += ' ';
}

void clean_for_nmt(char32_t c, std::string& out) {
    if (in_any(c, kNmtDropped)) return;
    if (in_any(c, kNmtSpaces))
        out += ' ';
    else
        append_utf8(out, c);
}

}  // namespace heft::text
