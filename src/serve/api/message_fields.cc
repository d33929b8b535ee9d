// Messages, tools and forms of replies, as OpenAI's API spells them; others differ by wrappings.
#include <algorithm>

#include <fmt/format.h>

#include "serve/api/fields.h"
#include "text/utf8.h"

namespace heft::serve {

namespace {

constexpr std::size_t kLongestName = 64;

bool is_name(const std::string& name) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
               || c == '_' || c == '-' || c == '.';
    };
    return !name.empty() && name.size() <= kLongestName
           && std::all_of(name.begin(), name.end(), plain);
}

struct RoleName {
    std::string_view name;
    Role role;
};
constexpr RoleName kRoles[] = {
    {"system", Role::system},       {"developer", Role::system}, {"user", Role::user},
    {"assistant", Role::assistant}, {"tool", Role::tool},
};

// {"id": …, "type": "function", "function": {"name": …, "arguments": text or object}}
std::optional<Failure> add_call(const Json& call, const std::string& where, Message& message) {
    const Json* function = member(call, "function");
    if (function == nullptr)
        return invalid(where, where + " has no function; only function calls are understood");
    ToolCall out;
    out.id = string_member(call, "id");
    out.name = string_member(*function, "name");
    if (out.name.empty()) return invalid(where, where + ".function has no name");
    if (const Json* arguments = member(*function, "arguments"))
        out.arguments = arguments->is_string() ? arguments->get<std::string>() : arguments->dump();
    message.calls.push_back(std::move(out));
    return {};
}

std::optional<Failure> add_calls(const Json& calls, const std::string& where, Message& message) {
    if (!calls.is_array()) return invalid(where, where + " has to be a list");
    for (std::size_t i = 0; i < calls.size(); ++i)
        if (auto failure = add_call(calls[i], indexed(where, i), message)) return failure;
    return {};
}

// Members that say something; others are told to be unused.
constexpr std::string_view kKnown[] = {"role",      "content",           "name",
                                       "reasoning", "reasoning_content", "tool_calls",
                                       "thinking",  "tool_call_id",      "tool_name"};
// What replies hold and clients send back: it says nothing to the model.
constexpr std::string_view kEchoed[] = {"refusal", "annotations", "audio", "index", "id", "parsed"};

std::optional<Failure> note_members(const Json& message, const std::string& where, Draft& draft) {
    const auto in = [](const auto& list, const std::string& name) {
        return std::find(std::begin(list), std::end(list), name) != std::end(list);
    };
    for (const auto& [key, value] : message.items()) {
        const std::string& name = key;
        if (value.is_null() || in(kKnown, name) || in(kEchoed, name)) continue;
        if (name == "images" && value.is_array() && value.empty()) continue;
        if (name == "images" || name == "function_call")
            return invalid(fmt::format("{}.{}", where, name),
                           name + " in a message is not understood", "unsupported_parameter");
        draft.degrade(fmt::format("messages[].{}: unknown, and not used",
                                  text::to_valid_utf8(name.substr(0, 40))));
    }
    return {};
}

std::optional<Failure> add_message(const Json& value, const std::string& where, Draft& draft) {
    if (!value.is_object()) return invalid(where, where + " has to be an object");
    if (auto failure = note_members(value, where, draft)) return failure;
    const std::string role = string_member(value, "role");
    const auto known = std::find_if(std::begin(kRoles), std::end(kRoles),
                                    [&role](const RoleName& row) { return row.name == role; });
    if (known == std::end(kRoles))
        return invalid(where + ".role", where
                                            + ".role has to be system, developer, user, assistant "
                                              "or tool",
                       "invalid_value");
    Message message;
    message.role = known->role;
    if (const Json* content = member(value, "content"))
        if (auto failure = join_text(*content, where + ".content", message.text)) return failure;
    for (const char* name : {"reasoning_content", "reasoning", "thinking"})
        if (message.reasoning.empty()) message.reasoning = string_member(value, name);
    message.name = string_member(value, "name");
    if (message.name.empty()) message.name = string_member(value, "tool_name");
    message.call_id = string_member(value, "tool_call_id");
    if (const Json* calls = member(value, "tool_calls"))
        if (auto failure = add_calls(*calls, where + ".tool_calls", message)) return failure;
    if (message.role != Role::assistant && member(value, "content") == nullptr)
        return invalid(where + ".content", where + " has no content");
    draft.request.messages.push_back(std::move(message));
    return {};
}

}  // namespace

std::optional<Failure> join_text(const Json& content, const std::string& where, std::string& text) {
    if (content.is_string()) {
        text = content.get<std::string>();
        return {};
    }
    if (!content.is_array()) return invalid(where, where + " has to be a text, or a list of parts");
    for (std::size_t i = 0; i < content.size(); ++i) {
        const std::string type = string_member(content[i], "type");
        const char* key = type == "refusal" ? "refusal" : "text";
        const Json* said = member(content[i], key);
        const bool is_text =
            type == "text" || type == "refusal" || type == "input_text" || type == "output_text";
        if (!is_text)
            return invalid(indexed(where, i),
                           fmt::format("{} is of the type \"{}\"; the model reads text alone",
                                       indexed(where, i), text::to_valid_utf8(type.substr(0, 40))),
                           "unsupported_content");
        if (said == nullptr || !said->is_string())
            return invalid(indexed(where, i), indexed(where, i) + " has no text");
        text += said->get_ref<const std::string&>();
    }
    return {};
}

std::optional<Failure> take_messages(const Json& value, Draft& draft) {
    if (value.size() > kMostMessages)
        return invalid("messages", fmt::format("there are {} messages; {} are allowed",
                                               value.size(), kMostMessages));
    for (std::size_t i = 0; i < value.size(); ++i)
        if (auto failure = add_message(value[i], indexed("messages", i), draft)) return failure;
    return {};
}

std::optional<Failure> add_tool(const std::string& name, const Json& tool, const Json* schema,
                                const std::string& where, Draft& draft) {
    if (!is_name(name))
        return invalid(where + ".name",
                       fmt::format("{}.name has to be 1 to {} letters, digits, dots, underscores "
                                   "or hyphens",
                                   where, kLongestName));
    if (schema != nullptr && !schema->is_object())
        return invalid(where, where + ": the parameters have to be a JSON schema, an object");
    Tool out;
    out.name = name;
    out.description = string_member(tool, "description");
    if (schema != nullptr) out.parameters = *schema;
    const Json* strict = member(tool, "strict");
    out.strict = strict != nullptr && strict->is_boolean() && strict->get<bool>();
    draft.request.tools.push_back(std::move(out));
    return {};
}

std::optional<Failure> take_tools(const Json& value, Draft& draft) {
    for (std::size_t i = 0; i < value.size(); ++i) {
        const std::string where = indexed("tools", i);
        const Json* function = member(value[i], "function");
        const std::string type = string_member(value[i], "type");
        if (function == nullptr || (!type.empty() && type != "function"))
            return invalid(where, where + " has to be {\"type\": \"function\", \"function\": {…}}",
                           "unsupported_tool");
        if (auto failure = add_tool(string_member(*function, "name"), *function,
                                    member(*function, "parameters"), where + ".function", draft))
            return failure;
    }
    return {};
}

std::optional<Failure> take_tool_choice(const Json& value, Draft& draft) {
    constexpr std::pair<std::string_view, ToolUse> kWords[] = {{"auto", ToolUse::automatic},
                                                               {"none", ToolUse::none},
                                                               {"required", ToolUse::required},
                                                               {"any", ToolUse::required}};
    for (const auto& [word, use] : kWords) {
        if (!value.is_string() || value != word) continue;
        draft.request.tool_use = use;
        return {};
    }
    const Json* function = member(value, "function");
    const std::string name = string_member(function != nullptr ? *function : value, "name");
    if (value.is_string() || string_member(value, "type") != "function" || name.empty())
        return invalid("tool_choice",
                       "tool_choice has to be \"auto\", \"none\", \"required\", or name a function",
                       "invalid_value");
    draft.request.tool_use = ToolUse::named;
    draft.request.tool_name = name;
    return {};
}

std::optional<Failure> set_schema(const Json& holder, const std::string& where, Draft& draft) {
    const Json* schema = member(holder, "schema");
    if (schema == nullptr || !(schema->is_object() || schema->is_boolean()))
        return invalid(where, where + " has no schema");
    draft.request.form.shape = ReplyShape::schema;
    draft.request.form.schema = *schema;
    return {};
}

std::optional<Failure> take_response_format(const Json& value, Draft& draft) {
    const std::string type = string_member(value, "type");
    if (type == "text") return {};
    if (type == "json_object") {
        // llama.cpp's servers take a schema here.
        if (member(value, "schema") != nullptr) return set_schema(value, "response_format", draft);
        draft.request.form.shape = ReplyShape::json;
        return {};
    }
    if (type == "json_schema") {
        const Json* holder = member(value, "json_schema");
        return set_schema(holder != nullptr ? *holder : value, "response_format.json_schema",
                          draft);
    }
    return invalid("response_format",
                   "response_format.type has to be text, json_object or "
                   "json_schema",
                   "invalid_value");
}

}  // namespace heft::serve
