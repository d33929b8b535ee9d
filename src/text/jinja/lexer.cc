#include "text/jinja/lexer.h"

#include <algorithm>

#include <fmt/format.h>

#include "text/jinja/literal.h"
#include "text/jinja/unicode.h"

namespace heft::text::jinja {

namespace {

// "\r\n" and "\r" become "\n"; the last line's end is not part of the template.
std::string normalized(std::string_view source) {
    std::string text;
    text.reserve(source.size());
    for (std::size_t i = 0; i < source.size(); ++i) {
        if (source[i] == '\r') {
            if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
            text += '\n';
        } else {
            text += source[i];
        }
    }
    if (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

bool is_name_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
           || static_cast<unsigned char>(c) >= 0x80;
}

class Lexer {
  public:
    explicit Lexer(std::string_view source) : source_(source) {}

    Result<std::vector<Token>> run();

  private:
    bool done() const { return at_ >= source_.size(); }
    bool looking_at(std::string_view what) const {
        return source_.substr(at_, what.size()) == what;
    }
    std::size_t space_from(std::size_t at) const;
    void advance(std::size_t to);
    void emit(TokenKind kind, std::string_view text) {
        tokens_.push_back({kind, line_, std::string(text)});
    }

    std::size_t find_tag() const;
    std::string_view data_before(std::size_t tag, char sign) const;
    Status tag(std::size_t begin);
    Status comment();
    bool raw_begins(std::size_t begin, std::size_t& body) const;
    Status raw(std::size_t body);
    bool raw_ends(std::size_t tag, std::size_t& end) const;
    Status inside(TokenKind end);
    bool closes(TokenKind end);
    Status token();
    Status string_token();
    Status operator_token();

    std::string_view source_;
    std::size_t at_ = 0;
    int line_ = 1;
    bool line_starting_ = true;
    std::string open_;  // brackets that wait for their partner
    std::vector<Token> tokens_;
};

std::size_t Lexer::space_from(std::size_t at) const {
    const std::string_view rest = source_.substr(std::min(at, source_.size()));
    return source_.size() - strip_left(rest).size();
}

void Lexer::advance(std::size_t to) {
    to = std::min(to, source_.size());
    line_ += static_cast<int>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                                         source_.begin() + static_cast<std::ptrdiff_t>(to), '\n'));
    if (to > at_) line_starting_ = source_[to - 1] == '\n';
    at_ = to;
}

std::size_t Lexer::find_tag() const {
    for (std::size_t at = source_.find('{', at_); at != std::string_view::npos;
         at = source_.find('{', at + 1)) {
        if (at + 1 < source_.size()
            && std::string_view("%{#").find(source_[at + 1]) != std::string_view::npos) {
            return at;
        }
    }
    return source_.size();
}

// The text before a tag, less the space that the tag's sign or lstrip_blocks takes away.
std::string_view Lexer::data_before(std::size_t tag, char sign) const {
    const std::string_view data = source_.substr(at_, tag - at_);
    if (sign == '-') return strip_right(data);
    if (sign == '+' || source_.substr(tag, 2) == "{{") return data;
    const std::size_t last_line = data.rfind('\n') + 1;  // npos + 1 is 0
    if (last_line == 0 && !line_starting_) return data;
    const bool blank = strip_left(data.substr(last_line)).empty();
    return blank ? data.substr(0, last_line) : data;
}

Status Lexer::comment() {
    const std::size_t end = source_.find("#}", at_);
    if (end == std::string_view::npos) return syntax_error(line_, "a comment has no end");
    std::size_t next = end + 2;
    if (end > at_ && source_[end - 1] == '-') {
        next = space_from(next);
    } else if (!(end > at_ && source_[end - 1] == '+') && next < source_.size()
               && source_[next] == '\n') {
        ++next;
    }
    advance(next);
    return {};
}

bool Lexer::raw_begins(std::size_t begin, std::size_t& body) const {
    std::size_t at = begin + 2;
    if (at < source_.size() && (source_[at] == '-' || source_[at] == '+')) ++at;
    at = space_from(at);
    if (source_.substr(at, 3) != "raw") return false;
    at = space_from(at + 3);
    if (source_.substr(at, 2) == "%}") {
        body = at + 2;
        return true;
    }
    if (source_.substr(at, 3) != "-%}") return false;
    body = space_from(at + 3);
    return true;
}

bool Lexer::raw_ends(std::size_t tag, std::size_t& end) const {
    std::size_t at = tag + 2;
    if (at < source_.size() && (source_[at] == '-' || source_[at] == '+')) ++at;
    at = space_from(at);
    if (source_.substr(at, 6) != "endraw") return false;
    at = space_from(at + 6);
    const char sign = at < source_.size() ? source_[at] : '\0';
    const bool has_sign = sign == '-' || sign == '+';
    if (has_sign) ++at;
    if (source_.substr(at, 2) != "%}") return false;
    end = at + 2;
    if (sign == '-') {
        end = space_from(end);
    } else if (!has_sign && end < source_.size() && source_[end] == '\n') {
        ++end;
    }
    return true;
}

Status Lexer::raw(std::size_t body) {
    const int opened = line_;
    advance(body);
    for (std::size_t tag = source_.find("{%", at_); tag != std::string_view::npos;
         tag = source_.find("{%", tag + 2)) {
        std::size_t end = 0;
        if (!raw_ends(tag, end)) continue;
        const char sign = tag + 2 < source_.size() ? source_[tag + 2] : '\0';
        const std::string_view data = data_before(tag, sign);
        if (!data.empty()) emit(TokenKind::data, data);
        advance(end);
        return {};
    }
    return syntax_error(opened, "a raw block has no endraw");
}

Status Lexer::tag(std::size_t begin) {
    const char sign = begin + 2 < source_.size() ? source_[begin + 2] : '\0';
    const bool has_sign = sign == '-' || sign == '+';
    const std::string_view data = data_before(begin, sign);
    if (!data.empty()) emit(TokenKind::data, data);
    std::size_t raw_body = 0;
    const char type = source_[begin + 1];
    if (type == '%' && raw_begins(begin, raw_body)) {
        advance(begin);
        return raw(raw_body);
    }
    advance(begin + 2 + (has_sign ? 1 : 0));
    if (type == '#') return comment();
    const bool prints = type == '{';
    emit(prints ? TokenKind::print_begin : TokenKind::block_begin, source_.substr(begin, 2));
    return inside(prints ? TokenKind::print_end : TokenKind::block_end);
}

// Consumes the end of the tag if it is next, with the space that it takes away.
bool Lexer::closes(TokenKind end) {
    if (!open_.empty()) return false;
    const std::string_view mark = end == TokenKind::print_end ? "}}" : "%}";
    const bool minus = looking_at("-") && source_.substr(at_ + 1, 2) == mark;
    const bool plus =
        end == TokenKind::block_end && looking_at("+") && source_.substr(at_ + 1, 2) == mark;
    if (!minus && !plus && !looking_at(mark)) return false;
    emit(end, mark);
    std::size_t next = at_ + mark.size() + (minus || plus ? 1 : 0);
    if (minus) {
        next = space_from(next);
    } else if (end == TokenKind::block_end && !plus && next < source_.size()
               && source_[next] == '\n') {
        ++next;
    }
    advance(next);
    return true;
}

Status Lexer::inside(TokenKind end) {
    open_.clear();
    while (!done()) {
        const std::size_t next = space_from(at_);
        if (next > at_) {
            advance(next);
        } else if (closes(end)) {
            return {};
        } else {
            HEFT_OK(token());
        }
    }
    return syntax_error(line_, "the template ends inside a tag");
}

Status Lexer::token() {
    const char c = source_[at_];
    if (c >= '0' && c <= '9') {
        const bool after_dot = at_ > 0 && source_[at_ - 1] == '.';
        const NumberToken number = number_token(source_.substr(at_), !after_dot);
        emit(number.real ? TokenKind::real : TokenKind::integer, source_.substr(at_, number.size));
        advance(at_ + number.size);
        return {};
    }
    if (is_name_byte(c)) {
        std::size_t end = at_;
        while (end < source_.size() && is_name_byte(source_[end])) ++end;
        emit(TokenKind::name, source_.substr(at_, end - at_));
        advance(end);
        return {};
    }
    if (c == '\'' || c == '"') return string_token();
    return operator_token();
}

Status Lexer::string_token() {
    const char quote = source_[at_];
    std::size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
    if (end >= source_.size()) return syntax_error(line_, "a string has no end");
    std::string value;
    if (!unescape(source_.substr(at_ + 1, end - at_ - 1), value)) {
        return syntax_error(line_, "a string has a malformed escape");
    }
    emit(TokenKind::string, value);
    advance(end + 1);
    return {};
}

Status Lexer::operator_token() {
    constexpr std::string_view kTwo[] = {"//", "**", "==", "!=", ">=", "<="};
    constexpr std::string_view kOne = "+-/*%~[](){}<>=.:|,;";
    std::string_view found;
    for (const std::string_view op : kTwo) {
        if (looking_at(op)) found = op;
    }
    if (found.empty() && kOne.find(source_[at_]) != std::string_view::npos)
        found = source_.substr(at_, 1);
    if (found.empty())
        return syntax_error(line_, fmt::format("unexpected character '{}'",
                                               source_.substr(at_, decode(source_, at_).bytes)));
    constexpr std::string_view kOpening = "([{";
    constexpr std::string_view kClosing = ")]}";
    const std::size_t opens = kOpening.find(found);
    const std::size_t shuts = kClosing.find(found);
    if (opens != std::string_view::npos) open_ += kClosing[opens];
    if (shuts != std::string_view::npos) {
        if (open_.empty()) return syntax_error(line_, fmt::format("unexpected '{}'", found));
        if (open_.back() != found[0]) {
            return syntax_error(line_,
                                fmt::format("unexpected '{}', expected '{}'", found, open_.back()));
        }
        open_.pop_back();
    }
    emit(TokenKind::op, found);
    advance(at_ + found.size());
    return {};
}

Result<std::vector<Token>> Lexer::run() {
    while (!done()) {
        const std::size_t begin = find_tag();
        if (begin == source_.size()) {
            emit(TokenKind::data, source_.substr(at_));
            break;
        }
        HEFT_OK(tag(begin));
    }
    emit(TokenKind::end, "");
    return std::move(tokens_);
}

}  // namespace

Error syntax_error(int line, const std::string& what) {
    return Error{Code::invalid, fmt::format("line {}: {}", line, what)};
}

Result<std::vector<Token>> tokenize(std::string_view source) {
    const std::string text = normalized(source);
    return Lexer(text).run();
}

}  // namespace heft::text::jinja
