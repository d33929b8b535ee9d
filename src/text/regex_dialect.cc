#include "text/regex_dialect.h"

namespace heft::text {

namespace {

// Unicode's White_Space. PCRE2's \s has U+180E besides, which other engines and so the models'
// training do not count as a space.
constexpr std::string_view kSpaces =
    R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
// PCRE2's \w lacks marks and most connectors.
constexpr std::string_view kWord = R"(\p{L}\p{M}\p{Nl}\p{Nd}\p{Pc})";

Error unsupported(std::string why) {
    return {Code::unsupported, std::move(why)};
}

// Reads a pattern from left to right, writing the translation.
class Translator {
  public:
    explicit Translator(std::string_view pattern) : in_(pattern) {}

    Result<std::string> run() {
        while (at_ < in_.size()) {
            if (in_[at_] == '\\') {
                HEFT_TRY(const std::string one, escape(false));
                out_ += one;
            } else if (in_[at_] == '[') {
                HEFT_TRY(const std::string set, whole_set());
                out_ += set;
            } else {
                out_ += in_[at_++];
            }
        }
        return std::move(out_);
    }

  private:
    char ahead(std::size_t by) const { return at_ + by < in_.size() ? in_[at_ + by] : '\0'; }

    std::string take(std::size_t bytes) {
        std::string text(in_.substr(at_, bytes));
        at_ += text.size();
        return text;
    }

    static std::string set_of(std::string_view items, bool negated) {
        return std::string(negated ? "[^" : "[").append(items).append("]");
    }

    Result<std::string> escape(bool in_set) {
        const char kind = ahead(1);
        const bool negated = kind == 'S' || kind == 'W';
        const bool space = kind == 's' || kind == 'S';
        if (space || kind == 'w' || kind == 'W') {
            at_ += 2;
            const std::string_view items = space ? kSpaces : kWord;
            if (!in_set) return set_of(items, negated);
            if (!negated) return std::string(items);
            return unsupported("a \\S or \\W within a set is not supported");
        }
        if ((kind == 'b' || kind == 'B') && !in_set) {
            at_ += 2;
            const std::string word = set_of(kWord, false);
            const std::string edge =
                "(?:(?<=" + word + ")(?!" + word + ")|(?<!" + word + ")(?=" + word + "))";
            return kind == 'b' ? edge : "(?!" + edge + ")";
        }
        if (kind == 'h') {
            at_ += 2;
            return std::string(in_set ? "0-9A-Fa-f" : "[0-9A-Fa-f]");
        }
        if ((kind == 'p' || kind == 'P') && ahead(2) == '{') return property();
        return take(2);
    }

    // A bare script name means the script itself, which PCRE2 takes for its wider extensions.
    Result<std::string> property() {
        const std::size_t end = in_.find('}', at_);
        if (end == std::string_view::npos) return unsupported("a \\p{ has no }");
        std::string text = take(end + 1 - at_);
        if (text == "\\p{Han}") return std::string("\\p{sc:Han}");
        if (text == "\\P{Han}") return std::string("\\P{sc:Han}");
        return text;
    }

    // One set without the sets that are intersected with it; stops at "&&" or the closing bracket.
    Result<std::string> set_items() {
        std::string items;
        const std::size_t first = at_;
        while (at_ < in_.size()) {
            const char c = in_[at_];
            if ((c == ']' && at_ > first) || (c == '&' && ahead(1) == '&')) return items;
            if (c == '\\') {
                HEFT_TRY(const std::string one, escape(true));
                items += one;
            } else if (c == '[' && ahead(1) == ':') {
                const std::size_t end = in_.find(":]", at_);
                if (end == std::string_view::npos) return unsupported("a [: has no :]");
                items += take(end + 2 - at_);
            } else if (c == '[') {
                return unsupported("a set within a set is not supported");
            } else {
                items += take(1);
            }
        }
        return unsupported("a [ has no ]");
    }

    // [A&&[^B]] becomes a look-ahead for each condition, and then the set.
    Result<std::string> whole_set() {
        ++at_;
        const bool negated = ahead(0) == '^';
        if (negated) ++at_;
        HEFT_TRY(const std::string items, set_items());
        std::string conditions;
        while (ahead(0) == '&') {
            at_ += 2;
            const bool nested = ahead(0) == '[';
            if (negated || !nested)
                return unsupported("this intersection of sets is not supported");
            ++at_;
            const bool without = ahead(0) == '^';
            if (without) ++at_;
            HEFT_TRY(const std::string other, set_items());
            if (ahead(0) != ']') return unsupported("this intersection of sets is not supported");
            ++at_;
            conditions += (without ? "(?!" : "(?=") + set_of(other, false) + ")";
        }
        if (ahead(0) != ']') return unsupported("this intersection of sets is not supported");
        ++at_;
        const std::string set = set_of(items, negated);
        return conditions.empty() ? set : "(?:" + conditions + set + ")";
    }

    std::string_view in_;
    std::size_t at_ = 0;
    std::string out_;
};

}  // namespace

Result<std::string> translate_pattern(std::string_view pattern) {
    return Translator(pattern).run();
}

}  // namespace heft::text
