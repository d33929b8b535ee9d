#include "serve/constraint.h"

namespace heft::serve {

std::optional<Failure> constrain(const Request& request, const engine::Engine& /*engine*/,
                                 engine::Request& /*job*/) {
    if (request.tool_use == ToolUse::required || request.tool_use == ToolUse::named)
        return invalid("tool_choice",
                       "this heft has no grammars, so a tool call cannot be enforced; use "
                       "\"auto\"",
                       "unsupported_parameter");
    if (request.form.shape != ReplyShape::text)
        return invalid("response_format",
                       "this heft has no grammars, so the form of a reply cannot be enforced; ask "
                       "for text",
                       "unsupported_parameter");
    return {};
}

}  // namespace heft::serve
