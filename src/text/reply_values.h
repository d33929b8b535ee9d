// Tool calls that are not written as JSON, and the values in them, made JSON. All of it is total:
// text that is no call is "nothing". Time is linear in the text.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/reply_format.h"

namespace heft::text {

struct Tool {
    std::string name;
    std::string parameters;  // the JSON schema of its arguments; may be empty
};

// The tools of one request, by name. The last of several with one name counts.
class ToolIndex {
  public:
    explicit ToolIndex(std::vector<Tool> tools);
    const Tool* find(std::string_view name) const;
    bool empty() const { return tools_.empty(); }

  private:
    std::map<std::string, Tool, std::less<>> tools_;
};

struct WrittenCall {
    std::string name;
    std::string arguments;  // a JSON object
};

// [f(a=1), g(b='x')] with `list`, f(a=1) without; True, None and single quotes as in Python. A
// name's suffix, as in f.call(a=1), is left out.
std::optional<std::vector<WrittenCall>> read_python(std::string_view text, bool list,
                                                    std::string_view name_suffix);
// f{a:1,b:<quote>x<quote>}
std::optional<WrittenCall> read_braces(std::string_view text, std::string_view quote);

// What a tool's schema says of its parameters, as far as it tells text from other values.
class ParameterTypes {
  public:
    explicit ParameterTypes(std::string_view schema);

    // The bare text between two tags as a JSON value. A parameter of type string is text; of
    // another type, the value that the text spells (text, if it spells none); of unknown or mixed
    // type, a value other than a string if the text spells one.
    void append_value(std::string& out, std::string_view name, std::string_view text) const;

    // Whether a parameter's text may be JSON, if this is its first character that is no space: so
    // that what stands in a string of it is no end of it.
    bool may_be_json(std::string_view name, char first) const;

  private:
    enum class Type : std::uint8_t { text, value, mixed };
    Type type_of(std::string_view name) const;
    std::map<std::string, Type, std::less<>> types_;
};

}  // namespace heft::text
