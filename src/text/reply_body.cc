#include "text/reply_body.h"

#include <utility>

#include "base/json.h"

namespace heft::text {

namespace {

// The text that a JSON string spells.
std::optional<std::string> unquoted(std::string_view json) {
    const auto doc = JsonDoc::parse(json);
    std::string_view text;
    if (!doc || doc->root().get(text) != simdjson::SUCCESS) return std::nullopt;
    return std::string(text);
}

bool is_arguments_key(std::string_view key) {
    return key == "arguments" || key == "parameters";
}

// {"name": "f", "arguments": {…}} and {"f": {…}}
class ObjectCall : public CallScan {
  public:
    explicit ObjectCall(const CallSyntax& syntax) : syntax_(&syntax) {}

    Step feed(char c) override {
        switch (at_) {
            case At::open:
                if (is_json_space(c)) return Step::more;
                at_ = At::key;
                return c == '{' ? Step::more : Step::bad;
            case At::key:
            case At::after: return between(c);
            case At::in_key: return in_key(c);
            case At::colon:
                if (is_json_space(c)) return Step::more;
                at_ = At::value;
                return c == ':' ? Step::more : Step::bad;
            case At::value: return is_json_space(c) ? Step::more : open_value(c);
            case At::in_value: return in_value(c);
        }
        return Step::bad;
    }

  private:
    enum class At : std::uint8_t { open, key, in_key, colon, value, in_value, after };
    enum class Role : std::uint8_t { name, arguments, other };

    bool keyed() const { return syntax_->body == CallBody::keyed; }

    // Before a key, or after a value.
    Step between(char c) {
        if (is_json_space(c)) return Step::more;
        if (c == '}' && (at_ == At::after || !comma_)) return finish();
        if (at_ == At::after) {
            at_ = At::key;
            comma_ = true;
            return c == ',' ? Step::more : Step::bad;
        }
        scan_ = JsonScan();
        text_ = c;
        at_ = At::in_key;
        return c == '"' ? scan_.feed(c) : Step::bad;
    }

    Step in_key(char c) {
        text_ += c;
        const Step step = scan_.feed(c);
        if (step == Step::bad || text_.size() > kMaxCallName) return Step::bad;
        if (step == Step::more) return step;
        at_ = At::colon;
        return role_of_key();
    }

    Step role_of_key() {
        const auto key = unquoted(text_);
        if (!key) return Step::bad;
        if (keyed() && found_.name) return Step::bad;
        if (keyed()) found_.name = *key;
        const bool is_name =
            !keyed() && (*key == syntax_->name_key || *key == "name" || *key == "function");
        const bool is_arguments = keyed() || is_arguments_key(*key);
        const bool is_known = is_name || is_arguments || *key == "type" || *key == "id";
        // With no marker before it, this is some JSON, not a call.
        if (syntax_->open.empty() && first_ && !is_known) return Step::bad;
        role_ = is_name ? Role::name : is_arguments ? Role::arguments : Role::other;
        first_ = false;
        const bool again = role_ == Role::arguments && has_arguments_;
        return again ? Step::bad : Step::more;
    }

    Step open_value(char c) {
        scan_ = JsonScan();
        text_.clear();
        at_ = At::in_value;
        streams_ = role_ == Role::arguments && c == '{';
        if (role_ == Role::arguments && c != '{' && c != '"' && c != 'n') return Step::bad;
        if (role_ == Role::name && (c != '"' || found_.name)) return Step::bad;
        has_arguments_ = has_arguments_ || streams_;
        return in_value(c);
    }

    Step in_value(char c) {
        const Step step = scan_.feed(c);
        if (step == Step::bad) return step;
        if (step == Step::over) {
            at_ = At::after;
            return between(c);
        }
        if (streams_) found_.arguments += c;
        if (!streams_ && role_ != Role::other) text_ += c;
        if (role_ == Role::name && text_.size() > kMaxCallName) return Step::bad;
        if (text_.size() > kMaxHeldCall) return Step::bad;
        if (step == Step::more) return step;
        at_ = At::after;
        return role_ == Role::other || streams_ ? Step::more : take_text();
    }

    // A name; or arguments within a string, or null.
    Step take_text() {
        if (role_ == Role::arguments && text_ == "null") return Step::more;
        auto text = unquoted(text_);
        if (!text) return Step::bad;
        if (role_ == Role::name) {
            found_.name = std::move(*text);
            return Step::more;
        }
        has_arguments_ = true;
        const auto first = text->find_first_not_of(" \t\r\n");
        if (first == std::string::npos || (*text)[first] != '{' || !is_json(*text))
            return Step::bad;
        found_.arguments += *text;
        return Step::more;
    }

    Step finish() {
        if (!found_.name) return Step::bad;
        if (!has_arguments_) found_.arguments += "{}";
        return Step::done;
    }

    const CallSyntax* syntax_;
    At at_ = At::open;
    Role role_ = Role::other;
    JsonScan scan_;
    std::string text_;  // of the key or value, if it matters
    bool first_ = true, comma_ = false, streams_ = false, has_arguments_ = false;
};

// A name up to a marker, then a JSON object.
class NamedCall : public CallScan {
  public:
    NamedCall(const CallSyntax& syntax, std::optional<std::string> name)
        : close_(bare(syntax.name_close)), tail_(syntax.name_tail), in_name_(!name) {
        found_.name = std::move(name);
    }

    Step feed(char c) override {
        if (in_name_) return name(c);
        if (!started_ && is_json_space(c)) return Step::more;
        if (!started_ && c != '{') return Step::bad;
        started_ = true;
        const Step step = scan_.feed(c);
        if (step != Step::bad) found_.arguments += c;
        return step;
    }

  private:
    Step name(char c) {
        text_ += c;
        if (text_.size() > kMaxCallName + close_.size()) return Step::bad;
        if (!text_.ends_with(close_)) return Step::more;
        const auto before = std::string_view(text_).substr(0, text_.size() - close_.size());
        const auto known =
            bare(before.substr(0, tail_.empty() ? before.size() : before.find(tail_)));
        found_.name = std::string(known);
        in_name_ = false;
        return known.empty() ? Step::bad : Step::more;
    }

    std::string_view close_, tail_;
    std::string text_;
    JsonScan scan_;
    bool in_name_, started_ = false;
};

}  // namespace

std::unique_ptr<CallScan> make_call_scan(const CallSyntax& syntax, const ToolIndex& tools,
                                         std::optional<std::string> name) {
    if (name) return std::make_unique<NamedCall>(syntax, std::move(name));
    switch (syntax.body) {
        case CallBody::object:
        case CallBody::keyed: return std::make_unique<ObjectCall>(syntax);
        case CallBody::named: return std::make_unique<NamedCall>(syntax, std::nullopt);
        case CallBody::tagged: return make_tagged_call(syntax, tools);
        case CallBody::python:
        case CallBody::braces: return make_bracket_call(syntax);
    }
    return nullptr;
}

}  // namespace heft::text
