// Bodies that are not JSON: nothing of them is shown before they are whole.
#include <algorithm>
#include <utility>

#include "text/reply_body.h"

namespace heft::text {

namespace {

// A name and parameters between tags.
class TaggedCall : public CallScan {
  public:
    TaggedCall(const CallSyntax& syntax, const ToolIndex& tools)
        : syntax_(&syntax),
          tools_(&tools),
          param_open_(bare(syntax.param_open)),
          end_(bare(syntax.call_close.empty() ? syntax.close : syntax.call_close)) {
        found_.closed_section = syntax.call_close.empty();
    }

    Step feed(char c) override {
        if (text_.empty() && (at_ == At::between || at_ == At::value_open) && is_json_space(c))
            return Step::more;
        text_ += c;
        switch (at_) {
            case At::name: return name();
            case At::between: return between();
            case At::key: return key();
            case At::hint: return hint();
            case At::value_open: return value_open();
            case At::value: return value(c);
        }
        return Step::bad;
    }

  private:
    enum class At : std::uint8_t { name, between, key, hint, value_open, value };

    bool take(std::string_view marker) {
        if (!text_.ends_with(marker)) return false;
        text_.resize(text_.size() - marker.size());
        return true;
    }

    // The name ends with its marker; where that may be missing, with what comes next.
    Step name() {
        const auto close = bare(syntax_->name_close);
        if (text_.size() > kMaxCallName + end_.size() + close.size()) return Step::bad;
        if (!close.empty()) {
            if (!take(close)) return Step::more;
            return named(At::between);
        }
        if (take(param_open_)) return named(At::key);
        if (!take(end_)) return Step::more;
        const Step step = named(At::between);
        return step == Step::more ? finish() : step;
    }

    Step named(At next) {
        const auto name = bare(text_);
        if (name.empty() || name.find('\n') != std::string_view::npos) return Step::bad;
        found_.name = std::string(name);
        const Tool* tool = tools_->find(name);
        types_.emplace(tool ? std::string_view(tool->parameters) : std::string_view());
        return go(next);
    }

    Step go(At next) {
        text_.clear();
        at_ = next;
        return Step::more;
    }

    Step between() {
        if (text_ == param_open_) return go(At::key);
        if (text_ == end_) return finish();
        return param_open_.starts_with(text_) || end_.starts_with(text_) ? Step::more : Step::bad;
    }

    Step key() {
        if (text_.size() > kMaxCallName) return Step::bad;
        if (!take(bare(syntax_->key_close))) return Step::more;
        key_ = std::string(bare(text_));
        if (!syntax_->hint_close.empty()) return go(At::hint);
        return go(syntax_->value_open.empty() ? At::value : At::value_open);
    }

    Step hint() {
        if (text_.size() > kMaxCallName) return Step::bad;
        if (!take(bare(syntax_->hint_close))) return Step::more;
        is_text_ = text_ == "true";
        return go(At::value);
    }

    Step value_open() {
        if (text_ == bare(syntax_->value_open)) return go(At::value);
        return syntax_->value_open.starts_with(text_) ? Step::more : Step::bad;
    }

    // What stands in a string of JSON is no end of the value, as long as it is JSON.
    Step value(char c) {
        const auto close = bare(syntax_->param_close);
        if (!is_text_ && !was_no_json_ && !is_json_space(c) && is_first_of_value()
            && types_->may_be_json(key_, c))
            json_.emplace();
        const bool in_string = json_ && json_->in_string();
        if (json_) {
            const Step step = json_->feed(c);
            if (step == Step::bad && close_in_string_ > 0) return value_ended_before();
            if (step != Step::more) json_.reset();
        }
        if (!text_.ends_with(close)) return Step::more;
        if (in_string && json_) {
            if (close_in_string_ == 0) close_in_string_ = text_.size();
            return Step::more;
        }
        text_.resize(text_.size() - close.size());
        return take_value();
    }

    bool is_first_of_value() const {
        return text_.find_first_not_of(" \t\r\n") == text_.size() - 1;
    }

    // It was no JSON after all: the first end that came up counts, as it would have without a look
    // at strings; and that is the last such look in this call, so that the time stays linear.
    Step value_ended_before() {
        was_no_json_ = true;
        const std::string rest = text_.substr(close_in_string_);
        text_.resize(close_in_string_ - bare(syntax_->param_close).size());
        Step step = take_value();
        for (std::size_t i = 0; i < rest.size(); ++i) {
            if (step != Step::more) return Step::bad;  // something follows the end of the call
            step = feed(rest[i]);
        }
        return step;
    }

    Step take_value() {
        json_.reset();
        close_in_string_ = 0;
        std::string_view text = text_;
        // Line breaks that the format puts around a value are not part of it.
        if (syntax_->param_close.starts_with('\n')) {
            if (text.starts_with('\n')) text.remove_prefix(1);
            if (text.ends_with('\n')) text.remove_suffix(1);
        }
        arguments_ += arguments_.empty() ? "{" : ", ";
        append_json_string(arguments_, key_);
        arguments_ += ": ";
        if (is_text_) {
            append_json_string(arguments_, text);
        } else {
            types_->append_value(arguments_, key_, text);
        }
        is_text_ = false;
        return go(At::between);
    }

    Step finish() {
        arguments_ += arguments_.empty() ? "{}" : "}";
        found_.whole.push_back({*found_.name, std::move(arguments_)});
        return Step::done;
    }

    const CallSyntax* syntax_;
    const ToolIndex* tools_;
    std::string_view param_open_, end_;
    At at_ = At::name;
    std::string text_, key_, arguments_;
    std::optional<ParameterTypes> types_;
    bool is_text_ = false;
    std::optional<JsonScan> json_;     // while the value is JSON so far
    std::size_t close_in_string_ = 0;  // behind the first end of a value within a string of it
    bool was_no_json_ = false;
};

// Python's and Gemma's calls: kept until the brackets are closed, then read as a whole.
class BracketCall : public CallScan {
  public:
    explicit BracketCall(const CallSyntax& syntax)
        : syntax_(&syntax),
          quote_(syntax.quote),
          before_mark_(quote_.substr(0, std::min(quote_.find('"'), quote_.size()))) {}

    Step feed(char c) override {
        if (text_.empty() && is_json_space(c)) return Step::more;
        text_ += c;
        if (!found_.name) return name(c);
        return within(c);
    }

  private:
    bool python() const { return syntax_->body == CallBody::python; }

    Step name(char c) {
        if (c == (python() ? '(' : '{')) {
            auto name = bare(std::string_view(text_).substr(0, text_.size() - 1));
            if (syntax_->list) name = bare(name.substr(std::min<std::size_t>(1, name.size())));
            const auto suffix = syntax_->name_suffix;
            if (!suffix.empty() && name.ends_with(suffix)) name.remove_suffix(suffix.size());
            if (name.empty()) return Step::bad;
            found_.name = std::string(name);
            depth_ = syntax_->list ? 2 : 1;
            return Step::more;
        }
        if (text_.size() > kMaxCallName) return Step::bad;
        if (text_.size() == 1 && syntax_->list) return c == '[' ? Step::more : Step::bad;
        const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
                          || c == '_' || c == '.' || c == '-' || is_json_space(c);
        return fits ? Step::more : Step::bad;
    }

    Step within(char c) {
        if (in_quote_) {
            in_quote_ = text_.size() - quote_from_ < quote_.size() || !text_.ends_with(quote_);
            return Step::more;
        }
        if (mark_ != '\0') {
            const bool ends = c == mark_ && !escaped_;
            escaped_ = c == '\\' && !escaped_;
            if (ends) mark_ = '\0';
            return Step::more;
        }
        if (!quote_.empty() && text_.ends_with(quote_)) {
            in_quote_ = true;
            quote_from_ = text_.size();
            return Step::more;
        }
        if (opens_text(c)) {
            mark_ = c;
            return Step::more;
        }
        if (c == '(' || c == '[' || c == '{') ++depth_;
        if (c == ')' || c == ']' || c == '}') --depth_;
        return depth_ == 0 ? finish() : Step::more;
    }

    // The row's quotes may have a mark in them that would be one by itself.
    bool opens_text(char c) const {
        if (c == '\'') return python();
        if (c != '"') return false;
        const auto before = std::string_view(text_).substr(0, text_.size() - 1);
        return before_mark_.empty() || before_mark_ == quote_ || !before.ends_with(before_mark_);
    }

    Step finish() {
        if (python()) {
            auto calls = read_python(text_, syntax_->list, syntax_->name_suffix);
            if (!calls) return Step::bad;
            found_.whole = std::move(*calls);
        } else {
            auto call = read_braces(text_, quote_);
            if (!call) return Step::bad;
            found_.whole.push_back(std::move(*call));
        }
        return Step::done;
    }

    const CallSyntax* syntax_;
    std::string_view quote_, before_mark_;
    std::string text_;
    int depth_ = 0;
    char mark_ = '\0';  // the mark that ends the text we are in
    bool escaped_ = false, in_quote_ = false;
    std::size_t quote_from_ = 0;
};

}  // namespace

std::unique_ptr<CallScan> make_tagged_call(const CallSyntax& syntax, const ToolIndex& tools) {
    return std::make_unique<TaggedCall>(syntax, tools);
}

std::unique_ptr<CallScan> make_bracket_call(const CallSyntax& syntax) {
    return std::make_unique<BracketCall>(syntax);
}

}  // namespace heft::text
