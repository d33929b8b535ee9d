// OpenAI's /v1/responses.
#include <fmt/format.h>

#include "serve/answer.h"
#include "serve/api/endpoint.h"
#include "serve/api/responses_input.h"
#include "serve/api/responses_kept.h"
#include "serve/api/routes.h"
#include "text/utf8.h"

namespace heft::serve {

namespace {

Json message_item(const std::string& id, const std::string& text, const char* status) {
    return {
        {"type", "message"},
        {"id", "msg_" + id},
        {"status", status},
        {"role", "assistant"},
        {"content",
         Json::array({{{"type", "output_text"}, {"text", text}, {"annotations", Json::array()}}})}};
}

Json reasoning_item(const std::string& id, const std::string& text) {
    Json content = Json::array();
    if (!text.empty()) content.push_back({{"type", "reasoning_text"}, {"text", text}});
    return {{"type", "reasoning"},
            {"id", "rs_" + id},
            {"summary", Json::array()},
            {"content", std::move(content)}};
}

Json call_item(const ToolCall& call, const char* status) {
    return {{"type", "function_call"}, {"id", "fc_" + call.id},       {"call_id", call.id},
            {"name", call.name},       {"arguments", call.arguments}, {"status", status}};
}

Json output_of(const Answer& answer) {
    const Choice& choice = answer.choices.front();
    Json out = Json::array();
    if (!choice.reasoning.empty()) out.push_back(reasoning_item(answer.id, choice.reasoning));
    if (!choice.text.empty() || choice.calls.empty())
        out.push_back(message_item(answer.id, choice.text,
                                   choice.finish == Finish::length ? "incomplete" : "completed"));
    for (const ToolCall& call : choice.calls) out.push_back(call_item(call, "completed"));
    return out;
}

// What a response says of its request.
// NOLINTNEXTLINE(bugprone-exception-escape): moving JSON throws for our own bugs only
struct Asked {
    Json previous_id, instructions, max_tokens, temperature, top_p;
    bool store = true, parallel = true;
};

Json response_head(const Answer& answer, const Asked& asked, const char* status) {
    return {{"id", "resp_" + answer.id},
            {"object", "response"},
            {"created_at", answer.created_s},
            {"status", status},
            {"error", nullptr},
            {"incomplete_details", nullptr},
            {"instructions", asked.instructions},
            {"max_output_tokens", asked.max_tokens},
            {"model", answer.model},
            {"output", Json::array()},
            {"parallel_tool_calls", asked.parallel},
            {"previous_response_id", asked.previous_id},
            {"store", asked.store},
            {"temperature", asked.temperature},
            {"top_p", asked.top_p},
            {"tool_choice", "auto"},
            {"tools", Json::array()},
            {"metadata", Json::object()},
            {"usage", nullptr}};
}

Json whole_response(const Answer& answer, const Asked& asked) {
    const bool cut = answer.choices.front().finish == Finish::length;
    Json body = response_head(answer, asked, cut ? "incomplete" : "completed");
    if (cut) body["incomplete_details"] = {{"reason", "max_output_tokens"}};
    body["output"] = output_of(answer);
    const Usage& used = answer.usage;
    body["usage"] = {{"input_tokens", used.n_prompt},
                     {"input_tokens_details", {{"cached_tokens", used.n_cached}}},
                     {"output_tokens", used.n_made},
                     {"output_tokens_details", {{"reasoning_tokens", used.n_reasoning}}},
                     {"total_tokens", used.n_prompt + used.n_made}};
    body["heft"] = heft_part(answer);
    return body;
}

class ResponseSink : public Sink, public std::enable_shared_from_this<ResponseSink> {
  public:
    // `so_far`: the conversation that the next turn continues, without the reply.
    ResponseSink(Api& api, HttpRequest http, std::shared_ptr<Responder> out, Asked asked,
                 std::vector<Message> so_far, bool stream)
        : api_(api),
          http_(std::move(http)),
          out_(std::move(out)),
          asked_(std::move(asked)),
          so_far_(std::move(so_far)),
          stream_(stream) {}

    void started(const Answer& answer) override {
        if (!stream_) return;
        began_ = true;
        out_->begin(200, "text/event-stream", {{"cache-control", "no-cache"}});
        api_.heartbeat.add(out_);
        const Json head = response_head(answer, asked_, "in_progress");
        write("response.created", {{"response", head}});
        write("response.in_progress", {{"response", head}});
    }

    void event(const Event& event, const Answer& answer) override {
        if (!stream_) return;
        switch (event.kind) {
            case Event::Kind::text:
                open(Item::message, message_item_begun(answer), answer);
                return delta("response.output_text.delta", event.text,
                             {{"content_index", 0}, {"logprobs", Json::array()}});
            case Event::Kind::reasoning:
                open(Item::reasoning, reasoning_item(answer.id, ""), answer);
                return delta("response.reasoning_text.delta", event.text, {{"content_index", 0}});
            case Event::Kind::call_begin:
                close(answer);
                return open(Item::call, call_item({event.id, event.name, ""}, "in_progress"),
                            answer);
            case Event::Kind::call_arguments:
                return delta("response.function_call_arguments.delta", event.text, Json::object());
            case Event::Kind::call_end: return close(answer);
            case Event::Kind::tokens:
            case Event::Kind::finished: return;
        }
    }

    void done(const Answer& answer) override {
        Json body = whole_response(answer, asked_);
        if (!asked_.store) return say(answer, body);
        api_.responses->put(stored(answer, body), [self = shared_from_this(), answer,
                                                   body](const Status& done) mutable {
            if (!done) {
                body["store"] = false;
                body["heft"]["degraded"].push_back("store: the response cannot be continued: "
                                                   + done.error().what);
            }
            self->say(answer, body);
        });
    }

    // The end of it.
    void say(const Answer& answer, const Json& body) {
        if (!stream_) return send_json(*out_, body);
        if (index_ < 0) open(Item::message, message_item_begun(answer), answer);
        close(answer);
        const bool cut = answer.choices.front().finish == Finish::length;
        write(cut ? "response.incomplete" : "response.completed", {{"response", body}});
        out_->end();
    }

    void failed(const Failure& failure) override {
        if (!began_) return refuse(http_, *out_, failure);
        write("error",
              {{"code", failure.code.empty() ? std::string(to_string(failure.kind)) : failure.code},
               {"message", failure.message},
               {"param", nullptr}});
        out_->end();
    }

  private:
    enum class Item : std::uint8_t { none, message, reasoning, call };

    static Json message_item_begun(const Answer& answer) {
        Json item = message_item(answer.id, "", "in_progress");
        item["content"] = Json::array();
        return item;
    }

    void write(const char* type, const Json& members) {
        Json event = {{"type", type}, {"sequence_number", sequence_++}};
        for (const auto& [name, value] : members.items()) event[name] = value;
        out_->write(fmt::format("event: {}\ndata: {}\n\n", type, dumped(event)));
    }

    void open(Item item, Json body, const Answer& answer) {
        if (open_ == item) return;
        close(answer);
        open_ = item;
        item_id_ = body["id"].get<std::string>();
        write("response.output_item.added",
              {{"output_index", ++index_}, {"item", std::move(body)}});
        if (item == Item::message) write("response.content_part.added", part("output_text", ""));
    }

    Json part(const char* type, const std::string& text) const {
        Json content = {{"type", type}, {"text", text}};
        if (open_ == Item::message) content["annotations"] = Json::array();
        return {{"item_id", item_id_},
                {"output_index", index_},
                {"content_index", 0},
                {"part", std::move(content)}};
    }

    void delta(const char* type, const std::string& text, Json members) {
        members["item_id"] = item_id_;
        members["output_index"] = index_;
        members["delta"] = text;
        write(type, members);
    }

    void close(const Answer& answer) {
        const Item item = std::exchange(open_, Item::none);
        if (item == Item::none) return;
        const Choice& choice = answer.choices.front();
        const Json place = {{"item_id", item_id_}, {"output_index", index_}};
        Json said = place;
        Json whole;
        switch (item) {
            case Item::none: return;
            case Item::message:
                said.update(
                    {{"content_index", 0}, {"text", choice.text}, {"logprobs", Json::array()}});
                write("response.output_text.done", said);
                open_ = item;
                write("response.content_part.done", part("output_text", choice.text));
                open_ = Item::none;
                whole = message_item(answer.id, choice.text, "completed");
                break;
            case Item::reasoning:
                said.update({{"content_index", 0}, {"text", choice.reasoning}});
                write("response.reasoning_text.done", said);
                whole = reasoning_item(answer.id, choice.reasoning);
                break;
            case Item::call:
                said.update({{"arguments", choice.calls.back().arguments},
                             {"name", choice.calls.back().name}});
                write("response.function_call_arguments.done", said);
                whole = call_item(choice.calls.back(), "completed");
                break;
        }
        write("response.output_item.done", {{"output_index", index_}, {"item", std::move(whole)}});
    }

    StoredResponse stored(const Answer& answer, const Json& body) const {
        const Choice& choice = answer.choices.front();
        StoredResponse kept;
        kept.id = "resp_" + answer.id;
        kept.owner = http_.caller.name;
        kept.messages = so_far_;
        kept.messages.push_back({.role = Role::assistant,
                                 .text = choice.text,
                                 .reasoning = choice.reasoning,
                                 .calls = choice.calls});
        kept.body = dumped(body);
        return kept;
    }

    Api& api_;
    const HttpRequest http_;
    const std::shared_ptr<Responder> out_;
    const Asked asked_;
    const std::vector<Message> so_far_;
    const bool stream_;
    bool began_ = false;
    int sequence_ = 0, index_ = -1;
    Item open_ = Item::none;
    std::string item_id_;
};

Asked asked_of(const Draft& draft) {
    const auto known = [](const auto& value) { return value ? Json(*value) : Json(); };
    Asked asked;
    asked.previous_id = known(draft.previous_id);
    asked.instructions = known(draft.system);
    asked.max_tokens = known(draft.request.max_tokens);
    asked.temperature = known(draft.request.sampling.temperature);
    asked.top_p = known(draft.request.sampling.top_p);
    asked.store = draft.store;
    asked.parallel = draft.request.parallel_calls;
    return asked;
}

void respond(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out) {
    Draft draft;
    auto failure = read_body(http, responses::parameters(), Unknown::refused, draft);
    if (failure) return refuse(http, *out, *failure);
    std::vector<Message>& messages = draft.request.messages;
    if (messages.empty())
        return refuse(http, *out, invalid("input", "there is no input; say at least something"));
    if (draft.previous_id) {
        auto before = api.responses->find(*draft.previous_id, http.caller.name);
        if (!before) {
            Failure missing = responses::no_response(
                text::to_valid_utf8(draft.previous_id->substr(0, 80)), FailureKind::invalid);
            missing.param = "previous_response_id";
            return refuse(http, *out, missing);
        }
        messages.insert(messages.begin(), before->messages.begin(), before->messages.end());
    }
    std::vector<Message> so_far = messages;
    if (draft.system && !draft.system->empty())
        messages.insert(messages.begin(), {.role = Role::system, .text = *draft.system});
    failure = check(draft.request);
    if (failure) return refuse(http, *out, *failure);
    HttpRequest kept = http;
    kept.body.clear();
    auto sink = std::make_shared<ResponseSink>(api, std::move(kept), out, asked_of(draft),
                                               std::move(so_far), draft.request.stream);
    answer(api.service, std::move(draft.request), std::move(out), std::move(sink));
}

}  // namespace

Endpoints response_endpoints() {
    static const Endpoint kEndpoints[] = {
        {"POST", "/v1/responses", "A reply, kept so that it can be continued", respond,
         responses::parameters()},
        {"GET", "/v1/responses/{id}", "A response that was kept", responses::show},
        {"DELETE", "/v1/responses/{id}", "Forget it", responses::erase},
        {"GET", "/v1/responses/{id}/input_items", "What it answered", responses::list_input},
    };
    return kEndpoints;
}

}  // namespace heft::serve
