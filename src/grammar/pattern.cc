#include "grammar/pattern.h"

#include <algorithm>
#include <string>

#include "grammar/characters.h"
#include "text/utf8.h"

namespace heft::grammar {

namespace {

constexpr int kMaxGroups = 100;  // within one another

using Ranges = std::vector<CodeRange>;

const Ranges kEverything = {{0, 0x10FFFF}};
const Ranges kDigits = {{'0', '9'}};
const Ranges kWordCharacters = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
const Ranges kLineEnds = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};
const Ranges kWhiteSpace = {{'\t', '\r'},     {' ', ' '},       {0xA0, 0xA0},     {0x1680, 0x1680},
                            {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F},
                            {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};

struct Escape {
    char32_t letter;
    char32_t meaning;
};
constexpr Escape kEscapes[] = {
    {'t', '\t'}, {'n', '\n'}, {'r', '\r'}, {'v', '\v'}, {'f', '\f'}, {'0', 0},
};

std::int64_t sum(std::int64_t a, std::int64_t b) {
    return a == kUnbounded || b == kUnbounded ? kUnbounded : a + b;
}

std::int64_t larger(std::int64_t a, std::int64_t b) {
    return a == kUnbounded || b == kUnbounded ? kUnbounded : std::max(a, b);
}

// Far more than any automaton holds, and far from overflowing.
std::int64_t product(std::int64_t a, std::int64_t b) {
    constexpr std::int64_t kMany = std::int64_t{1} << 40;
    if (a == 0 || b == 0) return 0;
    if (a == kUnbounded || b == kUnbounded) return kUnbounded;
    return a > kMany / b ? kMany : a * b;
}

class PatternParser {
  public:
    PatternParser(Characters source, PatternMode mode, const SpellChars& spell, Draft& draft)
        : in_(std::move(source)), mode_(mode), spell_(spell), draft_(draft) {}

    Result<Pattern> parse();

  private:
    Error error(const std::string& what) const {
        return Error{Code::invalid,
                     "at character " + std::to_string(in_.place() + 1) + ": " + what};
    }
    Pattern of_chars(const Ranges& ranges);
    Pattern anything();
    Result<Pattern> choice(int depth);
    Result<Pattern> alternative(int depth);
    Result<Pattern> term(int depth);
    Result<Pattern> atom(int depth);
    Result<Pattern> group(int depth);
    Result<Ranges> char_class();
    Result<Ranges> class_item();
    Result<Ranges> escape(bool in_class);
    Result<char32_t> unicode_escape();
    Status quantify(Pattern& part);
    bool braces(int& min, int& max);

    Characters in_;
    PatternMode mode_;
    const SpellChars& spell_;
    Draft& draft_;
};

Pattern PatternParser::of_chars(const Ranges& ranges) {
    const ExprId expr = spell_(ranges);
    return {expr, 1, 1, expr};
}

Pattern PatternParser::anything() {
    return {draft_.repeat(spell_(kEverything), 0), 0, kUnbounded, {}};
}

Result<Pattern> PatternParser::parse() {
    HEFT_TRY(Pattern whole, choice(0));
    if (!in_.at_end()) return error("there is a ')' without its '('");
    return whole;
}

Result<Pattern> PatternParser::choice(int depth) {
    if (depth > kMaxGroups) return error("groups are nested too deeply");
    HEFT_TRY(Pattern first, alternative(depth));
    if (in_.peek() != '|') return first;
    std::vector<ExprId> parts = {first.expr};
    while (in_.take_if('|')) {
        HEFT_TRY(const Pattern next, alternative(depth));
        parts.push_back(next.expr);
        first.min_chars = std::min(first.min_chars, next.min_chars);
        first.max_chars = larger(first.max_chars, next.max_chars);
    }
    first.expr = draft_.choice(parts);
    first.unit.reset();
    return first;
}

Result<Pattern> PatternParser::alternative(int depth) {
    const bool open = depth == 0 && mode_ == PatternMode::search;
    const bool from_start = depth == 0 && in_.take_if('^');
    std::vector<Pattern> parts;
    if (open && !from_start) parts.push_back(anything());
    bool to_end = false;
    while (!in_.at_end() && in_.peek() != '|' && in_.peek() != ')') {
        if (depth == 0 && in_.take_if('$')) {
            if (!in_.at_end() && in_.peek() != '|') return error("$ is understood only at the end");
            to_end = true;
            break;
        }
        HEFT_TRY(Pattern part, term(depth));
        parts.push_back(part);
    }
    if (open && !to_end) parts.push_back(anything());
    if (parts.size() == 1) return parts[0];
    Pattern out;
    std::vector<ExprId> exprs;
    for (const Pattern& part : parts) {
        exprs.push_back(part.expr);
        out.min_chars += part.min_chars;
        out.max_chars = sum(out.max_chars, part.max_chars);
    }
    out.expr = draft_.sequence(exprs);
    return out;
}

Result<Pattern> PatternParser::term(int depth) {
    HEFT_TRY(Pattern part, atom(depth));
    HEFT_OK(quantify(part));
    return part;
}

bool PatternParser::braces(int& min, int& max) {
    const std::size_t start = in_.place();
    in_.take();
    const auto low = in_.number();
    if (low) {
        min = max = *low;
        if (in_.take_if(',')) {
            const bool open = in_.peek() == '}';
            const auto high = open ? std::nullopt : in_.number();
            max = open ? kUnbounded : high.value_or(-2);
        }
        if (max != -2 && in_.take_if('}')) return true;
    }
    in_.go_to(start);
    return false;
}

Status PatternParser::quantify(Pattern& part) {
    int min = 1;
    int max = 1;
    switch (in_.peek()) {
        case '*': min = 0, max = kUnbounded, in_.take(); break;
        case '+': min = 1, max = kUnbounded, in_.take(); break;
        case '?': min = 0, max = 1, in_.take(); break;
        case '{':
            if (!braces(min, max)) return error("this is no repetition; write \\{ for a brace");
            break;
        default: return {};
    }
    if (max != kUnbounded && max < min) return error("a repetition ends below its start");
    in_.take_if('?');  // which of several readings is preferred does not matter here
    const char32_t next = in_.peek();
    if (next == '*' || next == '+' || next == '?' || next == '{')
        return error("there is nothing to repeat");
    part.expr = draft_.repeat(part.expr, min, max);
    part.min_chars = product(part.min_chars, min);
    part.max_chars = product(part.max_chars, max);
    return {};
}

Result<Pattern> PatternParser::atom(int depth) {
    const char32_t c = in_.take();
    switch (c) {
        case '(': return group(depth);
        case '[': {
            HEFT_TRY(const Ranges ranges, char_class());
            return of_chars(ranges);
        }
        case '.': return of_chars(complement(normalised(kLineEnds)));
        case '\\': {
            HEFT_TRY(const Ranges ranges, escape(false));
            return of_chars(ranges);
        }
        case '^':
        case '$': return error("^ and $ are understood only at the ends of the whole pattern");
        case '*':
        case '+':
        case '?':
        case '{': return error("there is nothing to repeat");
        default: return of_chars({{c, c}});
    }
}

Result<Pattern> PatternParser::group(int depth) {
    if (in_.take_if('?')) {
        const bool named = in_.peek() == '<' && in_.peek(1) != '=' && in_.peek(1) != '!';
        if (named) {
            while (!in_.at_end() && in_.take() != '>') {}
        } else if (!in_.take_if(':')) {
            return error("look-around and group flags are not supported");
        }
    }
    HEFT_TRY(Pattern inner, choice(depth + 1));
    if (!in_.take_if(')')) return error("a group is not closed");
    inner.unit.reset();
    return inner;
}

Result<Ranges> PatternParser::char_class() {
    const bool negated = in_.take_if('^');
    Ranges all;
    while (in_.peek() != ']') {
        if (in_.at_end()) return error("a class is not closed");
        HEFT_TRY(Ranges item, class_item());
        const bool single = item.size() == 1 && item[0].first == item[0].last;
        if (single && in_.peek() == '-' && in_.peek(1) != ']' && in_.peek(1) != 0) {
            in_.take();
            HEFT_TRY(const Ranges end, class_item());
            if (end.size() != 1 || end[0].first != end[0].last || end[0].first < item[0].first)
                return error("a range in a class has no proper end");
            item[0].last = end[0].last;
        }
        all.insert(all.end(), item.begin(), item.end());
    }
    in_.take();
    all = normalised(std::move(all));
    return negated ? complement(all) : all;
}

Result<Ranges> PatternParser::class_item() {
    const char32_t c = in_.take();
    if (c == '\\') return escape(true);
    return Ranges{{c, c}};
}

Result<Ranges> PatternParser::escape(bool in_class) {
    const char32_t c = in_.take();
    switch (c) {
        case 'd': return kDigits;
        case 'D': return complement(normalised(kDigits));
        case 'w': return kWordCharacters;
        case 'W': return complement(normalised(kWordCharacters));
        case 's': return kWhiteSpace;
        case 'S': return complement(normalised(kWhiteSpace));
        case 'b':
            if (in_class) return Ranges{{'\b', '\b'}};
            [[fallthrough]];
        case 'B': return error("word boundaries are not supported");
        case 'k': return error("back references are not supported");
        case 'p':
        case 'P': return error("Unicode properties are not supported; write out the ranges");
        case 'c': {
            const char32_t letter = in_.take();
            const bool is_letter = (letter | 0x20) >= 'a' && (letter | 0x20) <= 'z';
            if (!is_letter) return error("\\c needs a letter");
            return Ranges{{letter & 0x1F, letter & 0x1F}};
        }
        case 'x': {
            const auto code = in_.hex(2);
            if (!code) return error("\\x needs two hexadecimal digits");
            return Ranges{{*code, *code}};
        }
        case 'u': {
            HEFT_TRY(const char32_t code, unicode_escape());
            return Ranges{{code, code}};
        }
        default: break;
    }
    for (const Escape& known : kEscapes)
        if (c == known.letter) return Ranges{{known.meaning, known.meaning}};
    if (c >= '1' && c <= '9') return error("back references are not supported");
    const bool is_letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    if (is_letter || c == 0) return error("an escape is not known");
    return Ranges{{c, c}};
}

Result<char32_t> PatternParser::unicode_escape() {
    if (in_.take_if('{')) {
        char32_t code = 0;
        while (in_.peek() != '}') {
            const auto digit = in_.hex(1);
            if (!digit || code > 0x10FFFF) return error("\\u{…} needs the number of a character");
            code = (code << 4) | *digit;
        }
        in_.take();
        if (code > 0x10FFFF) return error("\\u{…} needs the number of a character");
        return code;
    }
    const auto high = in_.hex(4);
    if (!high) return error("\\u needs four hexadecimal digits");
    if (*high < 0xD800 || *high > 0xDBFF || !in_.take_word("\\u")) return *high;
    const auto low = in_.hex(4);
    if (!low || *low < 0xDC00 || *low > 0xDFFF) return error("half of a surrogate pair is missing");
    return 0x10000 + ((*high - 0xD800) << 10) + (*low - 0xDC00);
}

}  // namespace

Result<Pattern> write_pattern(std::string_view pattern, PatternMode mode, const SpellChars& spell,
                              Draft& draft) {
    const auto told = [&pattern](const Error& error) {
        return within("the pattern '" + text::to_valid_utf8(pattern.substr(0, 200)) + "'", error);
    };
    auto source = Characters::of(pattern);
    if (!source) return told(source.error());
    auto parsed = PatternParser(std::move(*source), mode, spell, draft).parse();
    if (!parsed) return told(parsed.error());
    return parsed;
}

}  // namespace heft::grammar
