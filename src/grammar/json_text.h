// The parts of JSON texts, as expressions. Private to this module. White space is bounded: at most
// one space in each place where JSON allows any. Numbers have at most 16 digits before the point
// and 16 behind it, exponents two, so that each is a number wherever it is read.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "grammar/draft.h"
#include "grammar/grammar.h"

namespace heft::grammar {

class JsonText {
  public:
    JsonText(Draft& draft, Spacing spacing) : draft_(draft), spacing_(spacing) {}

    ExprId space();
    ExprId any_value();
    ExprId any_object();
    ExprId any_array();
    ExprId any_string();
    ExprId number();
    ExprId integer();

    // A string of what `content` matches; that is made of the two below.
    ExprId quoted(ExprId content);
    // One character in every spelling; escapes stand for whole characters, never for half of one.
    ExprId any_char();
    // One of these characters, each in its usual spelling alone.
    ExprId char_of(const std::vector<CodeRange>& ranges);
    // A string's content in its usual spelling that is none of these.
    ExprId content_except(std::vector<std::string> names);

    // One value and no other. Strings in their usual spelling.
    ExprId literal(const nlohmann::ordered_json& value);

    ExprId comma();
    ExprId member(ExprId name, ExprId value);
    ExprId object(const Draft::Members& members);
    ExprId array(ExprId items);

  private:
    using Make = ExprId (JsonText::*)();
    ExprId once(std::optional<RuleId>& rule, const char* name, Make make);
    ExprId make_value();
    ExprId make_object();
    ExprId make_array();
    ExprId make_string();
    ExprId make_number();
    ExprId make_integer();
    ExprId positive_integer();
    ExprId make_char();
    ExprId except(const std::vector<std::u32string>& names, std::size_t from, std::size_t to,
                  std::size_t depth);

    Draft& draft_;
    Spacing spacing_;
    std::optional<RuleId> value_, object_, array_, string_, number_, integer_, char_;
    std::optional<ExprId> usual_rest_;
};

// In quotes, as it would be written; invalid UTF-8 mended.
std::string quoted_text(std::string_view text);

}  // namespace heft::grammar
