#include "text/reply_values.h"

#include <array>
#include <cstdint>
#include <utility>

#include "base/json.h"
#include "text/json_scan.h"
#include "text/utf8.h"

namespace heft::text {

namespace {

constexpr int kMaxDepth = 64;

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
           || c == '-' || c == '.';
}

// Python's words for JSON's, and JSON's own.
std::string_view json_word(std::string_view word) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kWords = {
        {{"True", "true"}, {"False", "false"}, {"None", "null"}}};
    for (const auto& [python, json] : kWords)
        if (word == python || word == json) return json;
    return {};
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_json_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_json_space(text.back())) text.remove_suffix(1);
    return text;
}

// Reads a literal and writes it as JSON.
class Literals {
  public:
    Literals(std::string_view text, std::string_view quote) : text_(text), quote_(quote) {}

    bool take(char c) {
        skip_space();
        if (at_ == text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    bool at_end() {
        skip_space();
        return at_ == text_.size();
    }
    std::string_view word() {
        skip_space();
        const std::size_t from = at_;
        while (at_ < text_.size() && is_word(text_[at_])) ++at_;
        return text_.substr(from, at_ - from);
    }
    // Named values up to `close`, as the members of an object; the opening bracket has been taken.
    bool members(char colon, char close, std::string& out, int depth);

  private:
    void skip_space() {
        while (at_ < text_.size() && is_json_space(text_[at_])) ++at_;
    }
    bool value(std::string& out, int depth);
    bool elements(char close, std::string& out, int depth);
    bool key(std::string& out);
    bool text(std::string& out);
    bool escape(std::string& text);
    bool code_point(std::string& text, int n_digits);
    bool at_text() const {
        const auto rest = text_.substr(at_);
        if (!quote_.empty() && rest.starts_with(quote_)) return true;
        return rest.starts_with('"') || (quote_.empty() && rest.starts_with('\''));
    }

    std::string_view text_;
    std::string_view quote_;  // empty: Python's
    std::size_t at_ = 0;
};

bool Literals::code_point(std::string& text, int n_digits) {
    char32_t code = 0;
    for (int i = 0; i < n_digits; ++i) {
        const auto digit =
            at_ < text_.size()
                ? std::string_view("0123456789abcdef").find(static_cast<char>(text_[at_] | 0x20))
                : std::string_view::npos;
        if (digit == std::string_view::npos) return false;
        code = code * 16 + static_cast<char32_t>(digit);
        ++at_;
    }
    const bool is_character = code < 0x110000 && (code < 0xD800 || code > 0xDFFF);
    append_utf8(text, is_character ? code : U'\uFFFD');
    return true;
}

bool Literals::escape(std::string& text) {
    if (at_ == text_.size()) return false;
    const char c = text_[at_++];
    constexpr std::string_view kLetters = "nrtbf0";
    constexpr std::string_view kMeant("\n\r\t\b\f\0", 6);
    if (const auto at = kLetters.find(c); at != std::string_view::npos) {
        text += kMeant[at];
        return true;
    }
    if (c == 'x') return code_point(text, 2);
    if (c == 'u') return code_point(text, 4);
    if (c == 'U') return code_point(text, 8);
    if (c == '\n') return true;  // a line goes on
    if (std::string_view("\\'\"/").find(c) == std::string_view::npos) text += '\\';
    text += c;
    return true;
}

bool Literals::text(std::string& out) {
    if (!quote_.empty() && text_.substr(at_).starts_with(quote_)) {
        const auto from = at_ + quote_.size();
        const auto end = text_.find(quote_, from);
        if (end == std::string_view::npos) return false;
        append_json_string(out, text_.substr(from, end - from));
        at_ = end + quote_.size();
        return true;
    }
    const char mark = text_[at_++];
    std::string text;
    while (at_ < text_.size() && text_[at_] != mark) {
        const char c = text_[at_++];
        if (c != '\\') text += c;
        if (c == '\\' && !escape(text)) return false;
    }
    if (at_ == text_.size()) return false;
    ++at_;
    append_json_string(out, text);
    return true;
}

bool Literals::key(std::string& out) {
    skip_space();
    if (at_text()) return text(out);
    const auto name = word();
    if (name.empty()) return false;
    append_json_string(out, name);
    return true;
}

bool Literals::members(char colon, char close, std::string& out, int depth) {
    out += '{';
    for (bool first = true;; first = false) {
        if (take(close)) break;
        if (!first && !take(',')) return false;
        if (!first && take(close)) break;  // a comma may stand at the end
        if (!first) out += ", ";
        if (!key(out) || !take(colon)) return false;
        out += ": ";
        if (!value(out, depth)) return false;
    }
    out += '}';
    return true;
}

bool Literals::elements(char close, std::string& out, int depth) {
    out += '[';
    for (bool first = true;; first = false) {
        if (take(close)) break;
        if (!first && !take(',')) return false;
        if (!first && take(close)) break;
        if (!first) out += ", ";
        if (!value(out, depth)) return false;
    }
    out += ']';
    return true;
}

bool Literals::value(std::string& out, int depth) {
    if (depth == kMaxDepth) return false;
    skip_space();
    if (at_text()) return text(out);
    if (take('{')) return members(':', '}', out, depth + 1);
    if (take('[')) return elements(']', out, depth + 1);
    if (take('(')) return elements(')', out, depth + 1);
    const std::size_t from = at_;
    while (at_ < text_.size() && (is_word(text_[at_]) || text_[at_] == '+')) ++at_;
    const auto word = text_.substr(from, at_ - from);
    const auto constant = json_word(word);
    if (constant.empty() && !is_json(word)) return false;
    out += constant.empty() ? word : constant;
    return true;
}

}  // namespace

ToolIndex::ToolIndex(std::vector<Tool> tools) {
    for (auto& tool : tools) {
        std::string name = tool.name;
        tools_.insert_or_assign(std::move(name), std::move(tool));
    }
}

const Tool* ToolIndex::find(std::string_view name) const {
    const auto found = tools_.find(name);
    return found == tools_.end() ? nullptr : &found->second;
}

std::optional<std::vector<WrittenCall>> read_python(std::string_view text, bool list,
                                                    std::string_view name_suffix) {
    Literals literals(text, {});
    std::vector<WrittenCall> calls;
    if (list && !literals.take('[')) return std::nullopt;
    do {
        if (list && !calls.empty() && literals.take(']')) return calls;  // "[f(),]"
        WrittenCall call;
        auto name = literals.word();
        if (!name_suffix.empty() && name.ends_with(name_suffix))
            name.remove_suffix(name_suffix.size());
        call.name = std::string(name);
        if (name.empty() || !literals.take('(')) return std::nullopt;
        if (!literals.members('=', ')', call.arguments, 1)) return std::nullopt;
        calls.push_back(std::move(call));
    } while (list && literals.take(','));
    if (list && !literals.take(']')) return std::nullopt;
    if (!literals.at_end()) return std::nullopt;
    return calls;
}

std::optional<WrittenCall> read_braces(std::string_view text, std::string_view quote) {
    Literals literals(text, quote);
    WrittenCall call;
    call.name = std::string(literals.word());
    if (call.name.empty() || !literals.take('{')) return std::nullopt;
    if (!literals.members(':', '}', call.arguments, 1) || !literals.at_end()) return std::nullopt;
    return call;
}

ParameterTypes::ParameterTypes(std::string_view schema) {
    const auto doc = JsonDoc::parse(schema.empty() ? "{}" : schema);
    if (!doc) return;
    const auto properties = json_find(doc->root(), "properties");
    JsonObject fields;
    if (!properties || properties->get(fields) != simdjson::SUCCESS) return;
    for (const auto field : fields) {
        const auto type = json_string(field.value, "type");
        const Type kind = !type ? Type::mixed : *type == "string" ? Type::text : Type::value;
        types_.insert_or_assign(std::string(field.key), kind);
    }
}

ParameterTypes::Type ParameterTypes::type_of(std::string_view name) const {
    const auto found = types_.find(name);
    return found == types_.end() ? Type::mixed : found->second;
}

bool ParameterTypes::may_be_json(std::string_view name, char first) const {
    return type_of(name) != Type::text && (first == '{' || first == '[' || first == '"');
}

void ParameterTypes::append_value(std::string& out, std::string_view name,
                                  std::string_view text) const {
    const Type type = type_of(name);
    const auto spelled = trimmed(text);
    const auto word = json_word(spelled);
    if (type == Type::value && !word.empty()) {
        out += word;
    } else if (type != Type::text && is_json(spelled)
               && (type == Type::value || !spelled.starts_with('"'))) {
        out += spelled;
    } else {
        append_json_string(out, text);
    }
}

}  // namespace heft::text
