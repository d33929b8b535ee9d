#include "grammar/gbnf.h"

#include <map>
#include <string>

#include "grammar/characters.h"
#include "text/utf8.h"

namespace heft::grammar {

namespace {

constexpr int kMaxGroups = 100;  // within one another

struct Escape {
    char32_t letter;
    char32_t meaning;
    int digits;  // of a hexadecimal number that is the meaning; 0: none
};
constexpr Escape kEscapes[] = {
    {'n', '\n', 0}, {'r', '\r', 0}, {'t', '\t', 0}, {'\\', '\\', 0}, {'"', '"', 0}, {'[', '[', 0},
    {']', ']', 0},  {'-', '-', 0},  {'^', '^', 0},  {'x', 0, 2},     {'u', 0, 4},   {'U', 0, 8},
};

bool is_name(char32_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'
           || c == '_';
}

class GbnfParser {
  public:
    GbnfParser(Characters source, Draft& draft) : in_(std::move(source)), draft_(draft) {}

    Result<RuleId> parse();

  private:
    Error error(const std::string& what) const {
        return Error{Code::invalid, "line " + std::to_string(in_.line()) + ": " + what};
    }
    void skip(bool across_lines);
    std::string name();
    RuleId rule(const std::string& name);
    Status definition();
    Result<ExprId> choice(int depth);
    Result<ExprId> sequence(int depth);
    Result<ExprId> item(int depth);
    Result<ExprId> literal();
    Result<ExprId> char_class();
    Result<char32_t> character();
    Status repetition(int& min, int& max);
    Result<ExprId> repeated(ExprId part);
    bool another_alternative(int depth);

    Characters in_;
    Draft& draft_;
    std::map<std::string, RuleId> rules_;
};

void GbnfParser::skip(bool across_lines) {
    for (;;) {
        const char32_t c = in_.peek();
        if (c == '#') {
            while (!in_.at_end() && in_.peek() != '\n' && in_.peek() != '\r') in_.take();
        } else if (c == ' ' || c == '\t' || (across_lines && (c == '\n' || c == '\r'))) {
            in_.take();
        } else {
            return;
        }
    }
}

std::string GbnfParser::name() {
    std::string out;
    while (is_name(in_.peek())) out += static_cast<char>(in_.take());
    return out;
}

RuleId GbnfParser::rule(const std::string& name) {
    const auto known = rules_.find(name);
    if (known != rules_.end()) return known->second;
    return rules_[name] = draft_.declare(name);
}

Result<RuleId> GbnfParser::parse() {
    for (skip(true); !in_.at_end(); skip(true)) HEFT_OK(definition());
    const auto root = rules_.find("root");
    if (root == rules_.end()) return Error{Code::invalid, "there is no rule called 'root'"};
    return root->second;
}

Status GbnfParser::definition() {
    const std::string id = name();
    if (id.empty()) return error("a rule must begin with its name");
    skip(true);
    if (!in_.take_word("::=")) return error("'::=' must follow the name '" + id + "'");
    const RuleId defined = rule(id);
    if (draft_.rules()[static_cast<std::size_t>(defined)].body >= 0)
        return error("the rule '" + id + "' is defined twice");
    skip(true);
    HEFT_TRY(const ExprId body, choice(0));
    draft_.define(defined, body);
    if (!in_.at_end() && in_.peek() != '\n' && in_.peek() != '\r')
        return error("a rule ends with its line, and this does not belong to the rule '" + id
                     + "'");
    return {};
}

// Whether a '|' comes next, on this line or at the beginning of a later one. If not, the line's end
// stays where it is.
bool GbnfParser::another_alternative(int depth) {
    const std::size_t here = in_.place();
    skip(true);
    if (in_.take_if('|')) return true;
    if (depth == 0) in_.go_to(here);
    return false;
}

Result<ExprId> GbnfParser::choice(int depth) {
    if (depth > kMaxGroups) return error("groups are nested too deeply");
    HEFT_TRY(const ExprId first, sequence(depth));
    std::vector<ExprId> parts = {first};
    while (another_alternative(depth)) {
        skip(true);
        HEFT_TRY(const ExprId next, sequence(depth));
        parts.push_back(next);
    }
    return draft_.choice(parts);
}

Result<ExprId> GbnfParser::sequence(int depth) {
    std::vector<ExprId> parts;
    for (;;) {
        skip(depth > 0);
        const char32_t c = in_.peek();
        const bool begins = c == '"' || c == '[' || c == '(' || c == '.' || is_name(c);
        if (!begins) break;
        // In a rule that goes on in the next line, a name may be the next rule's.
        HEFT_TRY(const ExprId part, item(depth));
        HEFT_TRY(const ExprId whole, repeated(part));
        parts.push_back(whole);
    }
    return draft_.sequence(parts);
}

Result<ExprId> GbnfParser::item(int depth) {
    if (in_.take_if('"')) return literal();
    if (in_.take_if('[')) return char_class();
    if (in_.take_if('.')) return draft_.chars({{0, 0x10FFFF}});
    if (in_.take_if('(')) {
        HEFT_TRY(const ExprId inner, choice(depth + 1));
        skip(true);
        if (!in_.take_if(')')) return error("a group is not closed");
        return inner;
    }
    return draft_.call(rule(name()));
}

Result<char32_t> GbnfParser::character() {
    const char32_t c = in_.take();
    if (c != '\\') return c;
    const char32_t letter = in_.take();
    for (const Escape& known : kEscapes) {
        if (letter != known.letter) continue;
        if (known.digits == 0) return known.meaning;
        const auto code = in_.hex(known.digits);
        const bool is_character = code && *code <= 0x10FFFF && (*code < 0xD800 || *code > 0xDFFF);
        if (!is_character) return error("an escape is not the number of a character");
        return *code;
    }
    return error("an escape is not known");
}

Result<ExprId> GbnfParser::literal() {
    std::string bytes;
    while (!in_.take_if('"')) {
        if (in_.at_end()) return error("a literal is not closed");
        HEFT_TRY(const char32_t code, character());
        text::append_utf8(bytes, code);
    }
    return draft_.bytes(bytes);
}

Result<ExprId> GbnfParser::char_class() {
    const bool negated = in_.take_if('^');
    std::vector<CodeRange> ranges;
    while (!in_.take_if(']')) {
        if (in_.at_end()) return error("a class is not closed");
        HEFT_TRY(const char32_t first, character());
        char32_t last = first;
        if (in_.peek() == '-' && in_.peek(1) != ']') {
            in_.take();
            if (in_.at_end()) return error("a class is not closed");
            HEFT_TRY(last, character());
            if (last < first) return error("a range in a class ends before its start");
        }
        ranges.push_back({first, last});
    }
    ranges = normalised(std::move(ranges));
    return draft_.chars(negated ? complement(ranges) : ranges);
}

Status GbnfParser::repetition(int& min, int& max) {
    skip(false);
    const bool from_none = in_.peek() == ',';
    const auto low = from_none ? std::optional<int>(0) : in_.number();
    if (!low) return error("a repetition needs a number, at most a million");
    min = max = *low;
    skip(false);
    if (in_.take_if(',')) {
        skip(false);
        if (in_.peek() == '}') {
            max = kUnbounded;
        } else {
            const auto high = in_.number();
            if (!high || *high < min) return error("a repetition has no proper end");
            max = *high;
        }
        skip(false);
    }
    if (!in_.take_if('}')) return error("a repetition is not closed");
    return {};
}

Result<ExprId> GbnfParser::repeated(ExprId part) {
    for (;;) {
        int min = 0;
        int max = kUnbounded;
        if (in_.take_if('*')) {
        } else if (in_.take_if('+')) {
            min = 1;
        } else if (in_.take_if('?')) {
            max = 1;
        } else if (in_.take_if('{')) {
            HEFT_OK(repetition(min, max));
        } else {
            return part;
        }
        part = draft_.repeat(part, min, max);
    }
}

}  // namespace

Result<RuleId> write_gbnf(std::string_view source, Draft& draft) {
    auto characters = Characters::of(source);
    if (!characters) return within("the grammar", characters.error());
    auto root = GbnfParser(std::move(*characters), draft).parse();
    if (!root) return within("the grammar", root.error());
    return root;
}

}  // namespace heft::grammar
