#include "serve/api/stored_response.h"

#include <array>

#include "serve/api/body.h"
#include "serve/api/endpoint.h"
#include "serve/api/parameters.h"

namespace heft::serve {

namespace {

constexpr std::string_view kSchema = "heft.response/1";
constexpr std::array kRoles = {Role::system, Role::user, Role::assistant, Role::tool};

Json written(const Message& message) {
    Json out = {{"role", std::string(to_string(message.role))}, {"text", message.text}};
    const auto add = [&out](const char* name, const std::string& value) {
        if (!value.empty()) out[name] = value;
    };
    add("reasoning", message.reasoning);
    add("call_id", message.call_id);
    add("name", message.name);
    for (const ToolCall& call : message.calls)
        out["calls"].push_back(
            {{"id", call.id}, {"name", call.name}, {"arguments", call.arguments}});
    return out;
}

Result<Message> read_message(const Json& from) {
    Message message;
    const std::string name = string_member(from, "role");
    bool known = false;
    for (const Role role : kRoles)
        if (name == to_string(role)) {
            message.role = role;
            known = true;
        }
    if (!known) return Error{Code::corrupt, "a message has no role that is known"};
    message.text = string_member(from, "text");
    message.reasoning = string_member(from, "reasoning");
    message.call_id = string_member(from, "call_id");
    message.name = string_member(from, "name");
    if (const Json* calls = member(from, "calls"); calls != nullptr && calls->is_array())
        for (const Json& call : *calls)
            message.calls.push_back({string_member(call, "id"), string_member(call, "name"),
                                     string_member(call, "arguments")});
    return message;
}

Json said(const Message& message, const std::string& id) {
    const char* const kind = message.role == Role::assistant ? "output_text" : "input_text";
    Json content = Json::array();
    content.push_back({{"type", kind}, {"text", message.text}});
    return {{"type", "message"},
            {"id", "msg_" + id},
            {"status", "completed"},
            {"role", std::string(to_string(message.role))},
            {"content", std::move(content)}};
}

}  // namespace

std::string write_stored(const StoredResponse& response) {
    Json messages = Json::array();
    for (const Message& message : response.messages) messages.push_back(written(message));
    return dumped({{"schema", kSchema},
                   {"id", response.id},
                   {"owner", response.owner},
                   {"messages", std::move(messages)},
                   {"body", response.body}});
}

Result<StoredResponse> read_stored(std::string_view text) {
    HEFT_TRY(const Json tree, body_json(text));
    if (string_member(tree, "schema") != kSchema)
        return Error{Code::corrupt, "it is no stored response of this version"};
    StoredResponse response;
    response.id = string_member(tree, "id");
    response.owner = string_member(tree, "owner");
    response.body = string_member(tree, "body");
    const Json* messages = member(tree, "messages");
    if (response.id.empty() || response.body.empty() || messages == nullptr || !messages->is_array()
        || messages->empty() || messages->size() > kMostMessages)
        return Error{Code::corrupt, "it lacks an id, a body or messages"};
    for (const Json& each : *messages) {
        HEFT_TRY(Message message, read_message(each));
        response.messages.push_back(std::move(message));
    }
    return response;
}

Json input_items(const StoredResponse& response) {
    Json items = Json::array();
    for (std::size_t i = 0; i + 1 < response.messages.size(); ++i) {
        const Message& message = response.messages[i];
        const std::string id = std::to_string(i);
        if (message.role == Role::tool) {
            items.push_back({{"type", "function_call_output"},
                             {"id", "fco_" + id},
                             {"call_id", message.call_id},
                             {"output", message.text}});
            continue;
        }
        if (!message.text.empty() || message.calls.empty()) items.push_back(said(message, id));
        for (const ToolCall& call : message.calls)
            items.push_back({{"type", "function_call"},
                             {"id", "fc_" + call.id},
                             {"call_id", call.id},
                             {"name", call.name},
                             {"arguments", call.arguments},
                             {"status", "completed"}});
    }
    return items;
}

}  // namespace heft::serve
