#include "format/yaml.h"

#include <cstdint>
#include <exception>
#include <sstream>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <simdjson.h>
#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "base/json.h"
#include "format/yaml_scalar.h"

namespace heft::format {

namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t kPointerBytes = 4096;  // longer ones are not noted

std::string at_line(const YAML::Mark& mark) {
    return mark.is_null() ? std::string() : " (line " + std::to_string(mark.line + 1) + ")";
}

// What a tree weighs, counted once where it is built, so that an alias costs one look-up.
struct Weight {
    std::size_t nodes = 0;
    std::size_t text_bytes = 0;

    void add(const Weight& more) {
        nodes += more.nodes;
        text_bytes += more.text_bytes;
    }
};

// Builds the tree from the parser's events. An event handler cannot stop the parser without
// throwing; after the first failure it lets the rest of the (bounded) text pass.
class Builder : public YAML::EventHandler {
  public:
    Builder(const YamlLimits& limits, YamlLines* lines) : limits_(limits), lines_(lines) {}

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        if (wants_key()) return fail(mark, "a key is missing before ':'");
        put(mark, anchor, Json(), {1, 0});
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        if (failed_) return;
        // The text is UTF-8, but what the library makes of "\N" in quotes is not.
        if (!simdjson::validate_utf8(value.data(), value.size()))
            return fail(mark, "an escape that gives no UTF-8");
        if (wants_key()) return take_key(mark, value);
        const bool plain = tag == "?";
        const bool is_text = !plain && (tag == "!" || tag.ends_with(":str"));
        put(mark, anchor, is_text ? Json(value) : yaml_scalar(value), {1, value.size()});
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        if (failed_) return;
        if (wants_key()) return fail(mark, "an alias cannot be a key here; write the key out");
        const auto found = anchored_.find(anchor);
        if (found == anchored_.end()) return fail(mark, "an alias is part of what it stands for");
        const Weight weight = found->second.weight;
        if (!fits(mark, weight)) return;
        put(mark, YAML::NullAnchor, found->second.value, weight);
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(mark, anchor, Json::array());
    }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(mark, anchor, Json::object());
    }
    void OnSequenceEnd() override { close(); }
    void OnMapEnd() override { close(); }

    bool failed() const { return failed_; }
    const std::string& error() const { return error_; }
    Json take() { return std::move(root_); }

  private:
    struct Open {
        Json value;
        YAML::Mark mark;
        YAML::anchor_t anchor = YAML::NullAnchor;
        Weight weight;
        std::optional<std::string> key;        // of a mapping: read, and waiting for its value
        std::unordered_set<std::string> keys;  // look-up in ordered_json is linear
    };
    // NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
    struct Anchored {
        Json value;
        Weight weight;
    };

    void fail(const YAML::Mark& mark, const std::string& what) {
        if (failed_) return;
        failed_ = true;
        error_ = what + at_line(mark);
    }

    bool wants_key() const {
        return !failed_ && !open_.empty() && open_.back().value.is_object() && !open_.back().key;
    }

    void take_key(const YAML::Mark& mark, const std::string& key) {
        if (!fits(mark, {0, key.size()})) return;
        if (!open_.back().keys.insert(key).second)
            return fail(mark, "the key \"" + key.substr(0, 60) + "\" is given twice");
        used_.text_bytes += key.size();
        open_.back().weight.text_bytes += key.size();
        open_.back().key = key;
        note(mark);
    }

    // Of the value that comes next.
    void note(const YAML::Mark& mark) {
        if (lines_ == nullptr || open_.empty()) return;
        std::string pointer;
        for (const Open& one : open_) {
            if (pointer.size() > kPointerBytes) return;
            pointer += "/" + (one.key ? pointer_token(*one.key) : std::to_string(one.value.size()));
        }
        lines_->emplace(std::move(pointer), mark.line + 1);
    }
    void note_item(const YAML::Mark& mark) {
        if (!open_.empty() && open_.back().value.is_array()) note(mark);
    }

    bool fits(const YAML::Mark& mark, const Weight& more) {
        if (failed_) return false;
        if (more.nodes <= limits_.nodes - used_.nodes
            && more.text_bytes <= limits_.text_bytes - used_.text_bytes)
            return true;
        fail(mark, "more than " + std::to_string(limits_.nodes) + " values or "
                       + std::to_string(limits_.text_bytes)
                       + " bytes when aliases are written out");
        return false;
    }

    void open(const YAML::Mark& mark, YAML::anchor_t anchor, Json value) {
        if (wants_key()) return fail(mark, "a key has to be a scalar");
        if (!fits(mark, {1, 0})) return;
        if (open_.size() >= limits_.depth)
            return fail(mark, "nested more than " + std::to_string(limits_.depth) + " levels deep");
        used_.nodes += 1;
        note_item(mark);
        open_.push_back({std::move(value), mark, anchor, {1, 0}, {}, {}});
    }

    void close() {
        if (failed_) return;
        Open done = std::move(open_.back());
        open_.pop_back();
        attach(done.mark, done.anchor, std::move(done.value), done.weight);
    }

    void put(const YAML::Mark& mark, YAML::anchor_t anchor, Json value, const Weight& weight) {
        if (!fits(mark, weight)) return;
        used_.add(weight);
        note_item(mark);
        attach(mark, anchor, std::move(value), weight);
    }

    // The value is counted already. What an anchor keeps is a copy, and counted as such.
    void attach(const YAML::Mark& mark, YAML::anchor_t anchor, Json value, const Weight& weight) {
        if (anchor != YAML::NullAnchor) {
            if (!fits(mark, weight)) return;
            used_.add(weight);
            anchored_[anchor] = {value, weight};
        }
        if (open_.empty()) {
            root_ = std::move(value);
            return;
        }
        Open& parent = open_.back();
        parent.weight.add(weight);
        if (parent.value.is_array()) {
            parent.value.push_back(std::move(value));
            return;
        }
        // Of the vector beneath: that the key is new is known, and asking again would be linear.
        auto& members = parent.value.get_ref<Json::object_t&>();
        static_cast<Json::object_t::Container&>(members).emplace_back(*parent.key,
                                                                      std::move(value));
        parent.key.reset();
    }

    const YamlLimits limits_;
    YamlLines* const lines_;
    std::vector<Open> open_;
    std::unordered_map<YAML::anchor_t, Anchored> anchored_;
    Weight used_;
    Json root_;
    bool failed_ = false;
    std::string error_;
};

// The one place where the library's exceptions end.
Status parse(std::string_view text, Builder& builder, bool& more) {
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        if (!parser.HandleNextDocument(builder) || builder.failed()) return {};
        more = static_cast<bool>(parser);
    } catch (const YAML::DeepRecursion& error) {
        return Error{Code::corrupt, "YAML is nested too deeply" + at_line(error.mark)};
    } catch (const YAML::Exception& error) {
        return Error{Code::corrupt, "not valid YAML: " + error.msg + at_line(error.mark)};
    } catch (const std::bad_alloc&) {
        return Error{Code::exhausted, "no memory to read the YAML"};
    } catch (const std::exception& error) {
        return Error{Code::corrupt, std::string("not valid YAML: ") + error.what()};
    }
    return {};
}

// The first line of `text`, without its end; `text` then begins with the next.
std::string_view take_line(std::string_view& text) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

std::string_view without_trailing_blanks(std::string_view line) {
    const auto last = line.find_last_not_of(" \t");
    return line.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

Result<Json> read(std::string_view text, const YamlLimits& limits, YamlLines* lines) {
    if (text.size() > limits.bytes)
        return Error{Code::exhausted,
                     "YAML of more than " + std::to_string(limits.bytes) + " bytes is not read"};
    if (!simdjson::validate_utf8(text.data(), text.size()))
        return Error{Code::corrupt, "not valid YAML: the text is not UTF-8"};
    // By zero bytes the library would recognise UTF-16 and UTF-32, and not check what it converts.
    if (text.find('\0') != std::string_view::npos)
        return Error{Code::corrupt, "not valid YAML: a zero byte in the text"};
    Builder builder(limits, lines);
    bool more = false;
    HEFT_OK(parse(text, builder, more));
    if (builder.failed()) return Error{Code::corrupt, "not accepted as YAML: " + builder.error()};
    if (more) return Error{Code::corrupt, "more than one YAML document"};
    return builder.take();
}

}  // namespace

Result<Json> read_yaml(std::string_view text, const YamlLimits& limits) {
    return read(text, limits, nullptr);
}

Result<Json> read_yaml(std::string_view text, YamlLines& lines, const YamlLimits& limits) {
    return read(text, limits, &lines);
}

int line_of(const YamlLines& lines, std::string_view pointer) {
    while (!pointer.empty()) {
        if (const auto found = lines.find(std::string(pointer)); found != lines.end())
            return found->second;
        pointer = pointer.substr(0, pointer.rfind('/'));
    }
    return 1;
}

std::string pointer_token(std::string_view key) {
    std::string token;
    for (const char c : key) {
        if (c == '~')
            token += "~0";
        else if (c == '/')
            token += "~1";
        else
            token += c;
    }
    return token;
}

Result<Json> read_yaml_or_json(std::string_view text, const YamlLimits& limits) {
    const auto first = text.find_first_not_of(" \t\r\n");
    const bool looks_like_json =
        first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
    if (!looks_like_json || text.size() > limits.bytes) return read_yaml(text, limits);
    auto json = parse_json_tree(text);
    if (json) return json;
    auto yaml = read_yaml(text, limits);  // flow style, with plain words
    return yaml ? std::move(yaml) : Result<Json>(json.error());
}

Card split_card(std::string_view text) {
    Card card{{}, text};
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    const auto begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return card;
    const auto line_begin = text.rfind('\n', begin);
    text.remove_prefix(line_begin == std::string_view::npos ? 0 : line_begin + 1);
    if (without_trailing_blanks(take_line(text)) != "---") return card;
    const std::string_view matter = text;
    while (!text.empty()) {
        const std::size_t before = text.size();
        if (without_trailing_blanks(take_line(text)) != "---") continue;
        card.front_matter = matter.substr(0, matter.size() - before);
        card.body = text;
        return card;
    }
    return card;
}

}  // namespace heft::format
