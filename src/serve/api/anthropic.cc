// Anthropic's /v1/messages and /v1/messages/count_tokens.
#include <fmt/format.h>

#include "base/json.h"
#include "serve/answer.h"
#include "serve/api/endpoint.h"
#include "serve/api/fields.h"
#include "serve/api/routes.h"
#include "serve/prompt.h"

namespace heft::serve {

namespace {

using enum JsonType;

// A content block of the type "text", "tool_use" … of one message, which it is added to. Results of
// tools are messages of their own.
struct Turn {
    Message message;
    std::vector<Message> results;
};

std::optional<Failure> add_block(const Json& block, const std::string& where, Turn& turn) {
    const std::string type = string_member(block, "type");
    if (type == "text") {
        turn.message.text += string_member(block, "text");
        return {};
    }
    if (type == "thinking") {
        turn.message.reasoning += string_member(block, "thinking");
        return {};
    }
    if (type == "redacted_thinking") return {};
    if (type == "tool_use" && turn.message.role == Role::assistant) {
        const Json* input = member(block, "input");
        turn.message.calls.push_back({string_member(block, "id"), string_member(block, "name"),
                                      input != nullptr ? dumped(*input) : "{}"});
        return {};
    }
    if (type == "tool_result" && turn.message.role == Role::user) {
        Message result;
        result.role = Role::tool;
        result.call_id = string_member(block, "tool_use_id");
        if (const Json* content = member(block, "content"))
            if (auto failure = join_text(*content, where + ".content", result.text)) return failure;
        turn.results.push_back(std::move(result));
        return {};
    }
    return invalid(where, where + ": only text, thinking, tool_use (of the assistant) and "
                                  "tool_result (of the user) are understood",
                   "unsupported_content");
}

std::optional<Failure> add_turn(const Json& value, const std::string& where, Draft& draft) {
    const std::string role = string_member(value, "role");
    const Json* content = member(value, "content");
    if (role != "user" && role != "assistant")
        return invalid(where + ".role", where + ".role has to be user or assistant");
    if (content == nullptr || !(content->is_string() || content->is_array()))
        return invalid(where + ".content", where + ".content has to be a text or a list of blocks");
    Turn turn;
    turn.message.role = role == "user" ? Role::user : Role::assistant;
    if (content->is_string()) {
        turn.message.text = content->get<std::string>();
    } else {
        for (std::size_t i = 0; i < content->size(); ++i)
            if (auto failure = add_block((*content)[i], indexed(where + ".content", i), turn))
                return failure;
    }
    auto& all = draft.request.messages;
    const bool said = !turn.message.text.empty() || turn.results.empty();
    for (Message& result : turn.results) all.push_back(std::move(result));
    if (said) all.push_back(std::move(turn.message));
    return {};
}

std::optional<Failure> take_turns(const Json& value, Draft& draft) {
    for (std::size_t i = 0; i < value.size(); ++i)
        if (auto failure = add_turn(value[i], indexed("messages", i), draft)) return failure;
    auto& all = draft.request.messages;
    draft.request.continue_last =
        !all.empty() && all.back().role == Role::assistant && all.back().calls.empty();
    return {};
}

std::optional<Failure> take_system(const Json& value, Draft& draft) {
    std::string text;
    if (auto failure = join_text(value, "system", text)) return failure;
    draft.system = std::move(text);
    return {};
}

std::optional<Failure> take_client_tools(const Json& value, Draft& draft) {
    for (std::size_t i = 0; i < value.size(); ++i) {
        const std::string where = indexed("tools", i);
        const std::string type = string_member(value[i], "type");
        if (!type.empty() && type != "custom")
            return invalid(where, where + ": tools that the server runs are not supported",
                           "unsupported_tool");
        if (auto failure = add_tool(string_member(value[i], "name"), value[i],
                                    member(value[i], "input_schema"), where, draft))
            return failure;
    }
    return {};
}

std::optional<Failure> take_choice(const Json& value, Draft& draft) {
    Request& request = draft.request;
    const std::string type = string_member(value, "type");
    const Json* alone = member(value, "disable_parallel_tool_use");
    if (alone != nullptr && alone->is_boolean()) request.parallel_calls = !alone->get<bool>();
    constexpr std::pair<std::string_view, ToolUse> kWords[] = {{"auto", ToolUse::automatic},
                                                               {"none", ToolUse::none},
                                                               {"any", ToolUse::required},
                                                               {"tool", ToolUse::named}};
    for (const auto& [word, use] : kWords) {
        if (type != word) continue;
        request.tool_use = use;
        request.tool_name = string_member(value, "name");
        return {};
    }
    return invalid("tool_choice", "tool_choice.type has to be auto, any, tool or none");
}

std::optional<Failure> take_thinking(const Json& value, Draft& draft) {
    const std::string type = string_member(value, "type");
    if (type != "enabled" && type != "disabled" && type != "adaptive")
        return invalid("thinking", "thinking.type has to be enabled, adaptive or disabled");
    draft.request.think = type != "disabled";
    if (member(value, "budget_tokens") != nullptr)
        draft.degrade("thinking.budget_tokens: the length of thoughts is not limited");
    return {};
}

constexpr Parameter kCounted[] = {
    {"model", string, "the model's name", take_model},
    {"messages", array, "the conversation; a last one of the assistant is continued", take_turns},
    {"system", string | array, "what the model is told first", take_system},
    {"tools", array, "functions that the model may call", take_client_tools},
    {"tool_choice", object, "auto, any, tool or none", take_choice},
    {"thinking", object, "whether to think, where the template can ask for it", take_thinking},
};

constexpr Parameter kMessageOnly[] = {
    {"max_tokens", integer, "tokens to make at most", take_request<&Request::max_tokens>, 1, 1e9},
    {"stop_sequences", array, "texts to end before", take_stop},
    {"stream", boolean, "send the reply as it is made", take_request<&Request::stream>},
    {"temperature", number, "0 takes the most probable token",
     take_sampling<&Sampling::temperature>, 0, 1},
    {"top_k", integer, "sample from so many tokens", take_sampling<&Sampling::top_k>, 0, 1e9},
    {"top_p", number, "sample from the most probable tokens that make up this share",
     take_sampling<&Sampling::top_p>, 0, 1},
    {"seed", integer, "the same seed gives the same reply (heft's own)",
     take_sampling<&Sampling::seed>, -1, 9e18},
    row("metadata", object, Use::accepted, kNothing),
    row("service_tier", string, Use::accepted, kNothing),
    row("container", any, Use::refused, "there are no containers"),
    row("mcp_servers", array, Use::refused, "the server calls no others"),
    row("context_management", object, Use::refused, "contexts are not edited"),
};

Parameters message_parameters() {
    static const auto kAll = joined(kCounted, kMessageOnly);
    return kAll;
}

const char* stop_reason(Finish finish) {
    switch (finish) {
        case Finish::stop: return "end_turn";
        case Finish::stop_string: return "stop_sequence";
        case Finish::length: return "max_tokens";
        case Finish::tool_calls: return "tool_use";
        case Finish::cancelled: return "end_turn";
    }
    return "end_turn";
}

Json stop_sequence(const Choice& choice) {
    return choice.finish == Finish::stop_string ? Json(choice.stop_string) : Json();
}

Json input_usage(const Usage& usage) {
    return {{"input_tokens", usage.n_prompt - usage.n_cached},
            {"cache_creation_input_tokens", 0},
            {"cache_read_input_tokens", usage.n_cached},
            {"output_tokens", usage.n_made}};
}

Json message_head(const Answer& answer) {
    return {{"id", "msg_" + answer.id}, {"type", "message"},
            {"role", "assistant"},      {"model", answer.model},
            {"content", Json::array()}, {"stop_reason", nullptr},
            {"stop_sequence", nullptr}, {"usage", input_usage(answer.usage)}};
}

// Arguments are an object here; what a model wrote instead is kept, as text.
Json input_of(const ToolCall& call) {
    auto tree = parse_json_tree(call.arguments.empty() ? "{}" : call.arguments);
    return tree ? std::move(*tree) : Json{{"_raw", call.arguments}};
}

class WholeMessage : public Sink {
  public:
    WholeMessage(HttpRequest http, std::shared_ptr<Responder> out)
        : http_(std::move(http)), out_(std::move(out)) {}
    void started(const Answer& /*answer*/) override {}
    void event(const Event& /*event*/, const Answer& /*answer*/) override {}
    void failed(const Failure& failure) override { refuse(http_, *out_, failure); }

    void done(const Answer& answer) override {
        const Choice& choice = answer.choices.front();
        Json body = message_head(answer);
        Json& content = body["content"];
        if (!choice.reasoning.empty())
            content.push_back(
                {{"type", "thinking"}, {"thinking", choice.reasoning}, {"signature", ""}});
        if (!choice.text.empty() || choice.calls.empty())
            content.push_back({{"type", "text"}, {"text", choice.text}});
        for (const ToolCall& call : choice.calls)
            content.push_back({{"type", "tool_use"},
                               {"id", call.id},
                               {"name", call.name},
                               {"input", input_of(call)}});
        body["stop_reason"] = stop_reason(choice.finish);
        body["stop_sequence"] = stop_sequence(choice);
        body["heft"] = heft_part(answer);
        send_json(*out_, body);
    }

  private:
    const HttpRequest http_;
    const std::shared_ptr<Responder> out_;
};

class MessageStream : public Sink {
  public:
    MessageStream(Api& api, HttpRequest http, std::shared_ptr<Responder> out)
        : api_(api), http_(std::move(http)), out_(std::move(out)) {}

    void started(const Answer& answer) override {
        began_ = true;
        out_->begin(200, "text/event-stream", {{"cache-control", "no-cache"}});
        api_.heartbeat.add(out_);
        write("message_start", {{"message", message_head(answer)}});
        write("ping", Json::object());
    }

    void event(const Event& event, const Answer& /*answer*/) override {
        switch (event.kind) {
            case Event::Kind::text:
                open("text", {{"type", "text"}, {"text", ""}});
                return delta({{"type", "text_delta"}, {"text", event.text}});
            case Event::Kind::reasoning:
                open("thinking", {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}});
                return delta({{"type", "thinking_delta"}, {"thinking", event.text}});
            case Event::Kind::call_begin:
                close();
                return open("tool_use", {{"type", "tool_use"},
                                         {"id", event.id},
                                         {"name", event.name},
                                         {"input", Json::object()}});
            case Event::Kind::call_arguments:
                return delta({{"type", "input_json_delta"}, {"partial_json", event.text}});
            case Event::Kind::call_end: return close();
            case Event::Kind::tokens:
            case Event::Kind::finished: return;
        }
    }

    void done(const Answer& answer) override {
        const Choice& choice = answer.choices.front();
        if (index_ < 0) open("text", {{"type", "text"}, {"text", ""}});
        close();
        write("message_delta", {{"delta",
                                 {{"stop_reason", stop_reason(choice.finish)},
                                  {"stop_sequence", stop_sequence(choice)}}},
                                {"usage", input_usage(answer.usage)},
                                {"heft", heft_part(answer)}});
        write("message_stop", Json::object());
        out_->end();
    }

    void failed(const Failure& failure) override {
        if (!began_) return refuse(http_, *out_, failure);
        out_->write("event: error\ndata: " + say_anthropic(failure, http_) + "\n\n");
        out_->end();
    }

  private:
    void write(const char* type, const Json& members) {
        Json event = {{"type", type}};
        for (const auto& [name, value] : members.items()) event[name] = value;
        out_->write(fmt::format("event: {}\ndata: {}\n\n", type, dumped(event)));
    }

    // A block of that type, unless it is the one that is open.
    void open(std::string_view type, Json block) {
        if (block_ == type) return;
        close();
        block_ = type;
        write("content_block_start", {{"index", ++index_}, {"content_block", std::move(block)}});
    }

    void close() {
        if (block_.empty()) return;
        block_ = {};
        write("content_block_stop", {{"index", index_}});
    }

    void delta(Json delta) {
        write("content_block_delta", {{"index", index_}, {"delta", std::move(delta)}});
    }

    Api& api_;
    const HttpRequest http_;
    const std::shared_ptr<Responder> out_;
    bool began_ = false;
    int index_ = -1;
    std::string_view block_;  // its type; empty: none is open
};

std::optional<Failure> read_message(const HttpRequest& http, Parameters parameters, Draft& draft) {
    if (auto failure = read_body(http, parameters, Unknown::refused, draft)) return failure;
    Request& request = draft.request;
    if (draft.system && !draft.system->empty()) {
        Message system;
        system.role = Role::system;
        system.text = *draft.system;
        request.messages.insert(request.messages.begin(), std::move(system));
    }
    return check(request);
}

void messages(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out) {
    Draft draft;
    auto failure = read_message(http, message_parameters(), draft);
    if (!failure && !draft.request.max_tokens)
        failure = invalid("max_tokens", "max_tokens: this API asks for it with every request",
                          "missing_parameter");
    if (failure) return refuse(http, *out, *failure);
    HttpRequest kept = http;
    kept.body.clear();
    std::shared_ptr<Sink> sink;
    if (draft.request.stream)
        sink = std::make_shared<MessageStream>(api, std::move(kept), out);
    else
        sink = std::make_shared<WholeMessage>(std::move(kept), out);
    answer(api.service, std::move(draft.request), std::move(out), std::move(sink));
}

void count_tokens(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out) {
    Draft draft;
    if (auto failure = read_message(http, kCounted, draft)) return refuse(http, *out, *failure);
    const auto request = std::make_shared<Request>(std::move(draft.request));
    api.service.open(request->model, request->caller, {}, [http, out, request](Opened opened) {
        if (opened.model == nullptr) return refuse(http, *out, opened.failure);
        std::vector<std::string> degraded = request->degraded;
        const auto ids = chat_prompt(opened.model->engine(), *request, degraded);
        if (!ids) return refuse(http, *out, failure_of(ids.error()));
        send_json(*out, {{"input_tokens", ids->size()}, {"heft", {{"degraded", degraded}}}});
    });
}

// In the order of the kinds.
constexpr const char* kErrorTypes[] = {"invalid_request_error",
                                       "authentication_error",
                                       "permission_error",
                                       "not_found_error",
                                       "invalid_request_error",
                                       "request_too_large",
                                       "rate_limit_error",
                                       "api_error",
                                       "api_error",
                                       "overloaded_error",
                                       "timeout_error"};

}  // namespace

std::string say_anthropic(const Failure& failure, const HttpRequest& http) {
    return dumped({{"type", "error"},
                   {"error",
                    {{"type", kErrorTypes[static_cast<std::size_t>(failure.kind)]},
                     {"message", failure.message}}},
                   {"request_id", http.id}});
}

Endpoints anthropic_endpoints() {
    static const Endpoint kEndpoints[] = {
        {"POST", "/v1/messages", "A reply in a conversation", messages, message_parameters()},
        {"POST", "/v1/messages/count_tokens", "How long a prompt is", count_tokens, kCounted},
    };
    return kEndpoints;
}

}  // namespace heft::serve
