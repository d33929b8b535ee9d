// Values that several dialects spell alike: how they are read.
#pragma once

#include <chrono>

#include "serve/api/parameters.h"

namespace heft::serve {

std::optional<Failure> take_model(const Json& value, Draft& draft);  // of either request
std::optional<Failure> take_stop(const Json& value, Draft& draft);   // a string, or a list
std::optional<Failure> take_logit_bias(const Json& value,
                                       Draft& draft);                  // {id: bias}, [[id, bias]]
std::optional<Failure> take_prompts(const Json& value, Draft& draft);  // text, ids, lists of them
std::optional<Failure> take_keep_alive(const Json& value, Draft& draft);  // seconds, "5m"
std::optional<Failure> take_template_variables(const Json& value, Draft& draft);
std::optional<Failure> take_grammar(const Json& value, Draft& draft);  // GBNF

// As OpenAI has them; Ollama's are alike.
std::optional<Failure> take_messages(const Json& value, Draft& draft);
std::optional<Failure> take_tools(const Json& value, Draft& draft);
std::optional<Failure> take_tool_choice(const Json& value, Draft& draft);
std::optional<Failure> take_response_format(const Json& value, Draft& draft);
std::optional<Failure> take_stream_options(const Json& value, Draft& draft);
std::optional<Failure> take_effort(const Json& value, Draft& draft);  // reasoning_effort

// What an embedding is to be of: texts or ids.
std::optional<Failure> take_inputs(const Json& value, Draft& draft);

// The parts below are shared with dialects that wrap them differently. `where` names the place in
// errors.
std::optional<Failure> add_tool(const std::string& name, const Json& tool, const Json* schema,
                                const std::string& where, Draft& draft);
// The text of a list of parts {"type": …, "text": …}; other types are refused.
std::optional<Failure> join_text(const Json& content, const std::string& where, std::string& text);
std::optional<Failure> set_schema(const Json& holder, const std::string& where, Draft& draft);

// "10s", "1h30m", "-1"; a number is seconds.
std::optional<std::chrono::seconds> parse_duration(const Json& value);

std::string indexed(std::string_view name, std::size_t index);  // "messages[3]"

}  // namespace heft::serve
