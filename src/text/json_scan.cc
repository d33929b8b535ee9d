#include "text/json_scan.h"

#include "text/utf8.h"

namespace heft::text {

namespace {

constexpr std::size_t kMaxDepth = 64;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

int hex_digit(char c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

bool JsonScan::ends_number(At at) {
    return at == At::zero || at == At::digits || at == At::fraction || at == At::exponent_digits;
}

Step JsonScan::end_value() {
    if (open_.empty()) return Step::done;
    at_ = At::after_value;
    return Step::more;
}

Step JsonScan::value(char c) {
    at_ = At::value;
    is_key_ = false;
    if (c == '{' || c == '[') {
        if (open_.size() == kMaxDepth) return Step::bad;
        open_ += c;
        at_ = c == '{' ? At::first_key : At::first_value;
        return Step::more;
    }
    if (c == '"') {
        at_ = At::string;
    } else if (c == '-') {
        at_ = At::minus;
    } else if (is_digit(c)) {
        at_ = c == '0' ? At::zero : At::digits;
    } else if (c == 't' || c == 'f' || c == 'n') {
        at_ = At::literal;
        literal_ = c == 't' ? "rue" : c == 'f' ? "alse" : "ull";
    } else {
        return Step::bad;
    }
    return Step::more;
}

Step JsonScan::structure(char c) {
    if (is_json_space(c)) return Step::more;
    if (at_ == At::colon) {
        at_ = At::value;
        return c == ':' ? Step::more : Step::bad;
    }
    const bool may_close = at_ != At::key && at_ != At::value;
    const char closing = !open_.empty() && open_.back() == '{' ? '}' : ']';
    if (may_close && !open_.empty() && c == closing) {
        open_.pop_back();
        return end_value();
    }
    if (at_ == At::after_value) {
        at_ = closing == '}' ? At::key : At::value;
        return c == ',' ? Step::more : Step::bad;
    }
    if (at_ == At::value || at_ == At::first_value) return value(c);
    is_key_ = true;
    at_ = At::string;
    return c == '"' ? Step::more : Step::bad;
}

Step JsonScan::string(char c) {
    if (c == '\\') {
        at_ = At::escape;
        return Step::more;
    }
    if (wants_low_ || (static_cast<unsigned char>(c) < 0x20)) return Step::bad;
    if (c != '"') return Step::more;
    if (!is_key_) return end_value();
    at_ = At::colon;
    return Step::more;
}

Step JsonScan::escape(char c) {
    if (c == 'u') {
        at_ = At::unicode;
        n_hex_ = 0;
        code_ = 0;
        return Step::more;
    }
    at_ = At::string;
    if (wants_low_) return Step::bad;
    return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos ? Step::more
                                                                            : Step::bad;
}

Step JsonScan::unicode(char c) {
    const int digit = hex_digit(c);
    if (digit < 0) return Step::bad;
    code_ = code_ * 16 + static_cast<unsigned>(digit);
    if (++n_hex_ < 4) return Step::more;
    at_ = At::string;
    const bool low = code_ >= 0xDC00 && code_ <= 0xDFFF;
    if (low != wants_low_) return Step::bad;
    wants_low_ = code_ >= 0xD800 && code_ <= 0xDBFF;
    return Step::more;
}

Step JsonScan::number(char c) {
    const At at = at_;
    if (is_digit(c)) {
        if (at == At::zero) return Step::bad;
        if (at == At::minus) at_ = c == '0' ? At::zero : At::digits;
        if (at == At::point) at_ = At::fraction;
        if (at == At::exponent || at == At::exponent_sign) at_ = At::exponent_digits;
        return Step::more;
    }
    if (c == '.' && (at == At::zero || at == At::digits)) {
        at_ = At::point;
        return Step::more;
    }
    if ((c == 'e' || c == 'E') && (at == At::zero || at == At::digits || at == At::fraction)) {
        at_ = At::exponent;
        return Step::more;
    }
    if ((c == '+' || c == '-') && at == At::exponent) {
        at_ = At::exponent_sign;
        return Step::more;
    }
    if (!ends_number(at)) return Step::bad;
    if (open_.empty()) return Step::over;
    at_ = At::after_value;
    return structure(c);
}

Step JsonScan::feed(char c) {
    switch (at_) {
        case At::value:
        case At::first_value:
        case At::first_key:
        case At::key:
        case At::colon:
        case At::after_value: return structure(c);
        case At::string: return string(c);
        case At::escape: return escape(c);
        case At::unicode: return unicode(c);
        case At::literal:
            if (literal_.empty() || literal_.front() != c) return Step::bad;
            literal_.remove_prefix(1);
            return literal_.empty() ? end_value() : Step::more;
        default: return number(c);
    }
}

bool is_json(std::string_view text) {
    JsonScan scan;
    std::size_t i = 0;
    Step step = Step::more;
    for (; i < text.size() && step == Step::more; ++i) step = scan.feed(text[i]);
    if (step == Step::bad) return false;
    if (step == Step::more) return scan.may_end();
    if (step == Step::over) --i;
    for (; i < text.size(); ++i)
        if (!is_json_space(text[i])) return false;
    return true;
}

void append_json_string(std::string& out, std::string_view text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    const std::string mended = is_utf8(text) ? std::string() : to_valid_utf8(text);
    if (!mended.empty()) text = mended;
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (byte < 0x20) {
            out += "\\u00";
            out += kHex[byte >> 4U];
            out += kHex[byte & 15U];
        } else {
            out += c;
        }
    }
    out += '"';
}

}  // namespace heft::text
