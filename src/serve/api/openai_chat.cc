// OpenAI's /v1/chat/completions and /v1/completions.
#include <fmt/format.h>

#include "serve/api/fields.h"
#include "serve/api/openai.h"
#include "serve/api/routes.h"
#include "serve/api/sampling_rows.h"

namespace heft::serve {

namespace {

using enum JsonType;

std::optional<Failure> take_choices_logprobs(const Json& value, Draft& draft) {
    draft.request.sampling.logprobs = true;
    draft.request.sampling.top_logprobs = static_cast<int>(value.get<std::int64_t>());
    return {};
}

std::optional<Failure> take_top_logprobs(const Json& value, Draft& draft) {
    draft.request.sampling.top_logprobs = static_cast<int>(value.get<std::int64_t>());
    return {};
}

std::optional<Failure> take_modalities(const Json& value, Draft& /*draft*/) {
    for (const Json& each : value)
        if (!each.is_string() || each.get_ref<const std::string&>() != "text")
            return invalid("modalities", "modalities: the model writes text alone",
                           "unsupported_parameter");
    return {};
}

// Both endpoints', heft's own beyond OpenAI's last.
constexpr Parameter kShared[] = {
    {"model", string, "the model's name; without it, the server's first", take_model},
    {"frequency_penalty", number, "subtracted from a token's logit each time it occurred",
     take_sampling<&Sampling::frequency>, -2, 2},
    {"presence_penalty", number, "subtracted from the logit of a token that occurred",
     take_sampling<&Sampling::presence>, -2, 2},
    {"logit_bias", object | array, "token ids and what is added to their logits; -100 forbids",
     take_logit_bias},
    {"max_tokens", integer, "tokens to make at most", take_request<&Request::max_tokens>, 0, 1e9},
    {"n", integer, "how many replies", take_request<&Request::n>, 1, kMostChoices},
    {"seed", integer, "the same seed gives the same reply; -1 is a random one",
     take_sampling<&Sampling::seed>, -1, 9e18},
    {"stop", string | array, "texts to end before", take_stop},
    {"stream", boolean, "send the reply as it is made", take_request<&Request::stream>},
    {"stream_options", object, "include_usage: a last event with the token counts",
     take_stream_options},
    {"temperature", number, "0 takes the most probable token",
     take_sampling<&Sampling::temperature>, 0, 2},
    {"top_p", number, "sample from the most probable tokens that make up this share",
     take_sampling<&Sampling::top_p>, 0, 1},
    row("user", string, Use::accepted, kNothing),
    row("metadata", object, Use::accepted, kNothing),
    {"repetition_penalty", number, "the same as repeat_penalty", take_sampling<&Sampling::repeat>,
     0.01, 100},
    {"grammar", string, "a GBNF grammar that the reply has to follow", take_grammar},
    {"ignore_eos", boolean, "go on after the model's own end", take_request<&Request::ignore_eos>},
    {"truncate", boolean, "cut a prompt that is too long, rather than refuse it",
     take_request<&Request::truncate>},
    {"keep_alive", string | number, "how long the model stays loaded when idle", take_keep_alive},
    row("cache_prompt", boolean, Use::accepted, kNothing),
};

constexpr Parameter kChatOnly[] = {
    {"messages", array, "the conversation; content is a text or a list of text parts",
     take_messages},
    {"max_completion_tokens", integer, "the same as max_tokens", take_request<&Request::max_tokens>,
     0, 1e9},
    {"logprobs", boolean, "tell the log-probability of every token",
     take_sampling<&Sampling::logprobs>},
    {"top_logprobs", integer, "and of so many others at its place", take_top_logprobs, 0,
     kMostTopLogprobs},
    {"response_format", object, "text, json_object or json_schema", take_response_format},
    {"tools", array, "functions that the model may call", take_tools},
    {"tool_choice", string | object, "auto, none, required, or a function", take_tool_choice},
    {"parallel_tool_calls", boolean, "whether one reply may make several calls",
     take_request<&Request::parallel_calls>},
    {"reasoning_effort", string,
     "whether to think, and how much, where the template can ask for it", take_effort},
    {"chat_template_kwargs", object, "more variables for the chat template",
     take_template_variables},
    {"continue_final_message", boolean, "the last message is the beginning of the reply",
     take_request<&Request::continue_last>},
    {"modalities", array, "[\"text\"]", take_modalities},
    row("store", boolean, Use::accepted, kNothing),
    row("service_tier", string, Use::accepted, kNothing),
    row("safety_identifier", string, Use::accepted, kNothing),
    row("prompt_cache_key", string, Use::accepted, "prefixes are shared without it"),
    row("prompt_cache_retention", string, Use::accepted,
        "prefixes are kept as long as there is room"),
    row("prediction", object, Use::degraded, "predicted output is not made use of"),
    row("verbosity", string, Use::degraded, "the model cannot be told how long to write"),
    row("audio", object, Use::refused, "the model writes text alone"),
    row("web_search_options", object, Use::refused, "there is no web search"),
    row("functions", array, Use::refused, "use tools"),
    row("function_call", any, Use::refused, "use tool_choice"),
};

constexpr Parameter kCompletionsOnly[] = {
    {"prompt", string | array, "a text or token ids to continue, or a list of these", take_prompts},
    {"echo", boolean, "repeat the prompt before the reply", take_request<&Request::echo>},
    {"logprobs", integer, "tell log-probabilities, and those of so many others at each place",
     take_choices_logprobs, 0, kMostTopLogprobs},
    row("best_of", integer, Use::refused, "ask for n replies and choose"),
    row("suffix", string, Use::refused, "text after the reply is not supported"),
};

Parameters chat_parameters() {
    static const auto kAll = joined(kChatOnly, kShared, kSamplingRows);
    return kAll;
}

Parameters completion_parameters() {
    static const auto kAll = joined(kCompletionsOnly, kShared, kSamplingRows);
    return kAll;
}

// The two endpoints differ in how a choice is said, no more.
struct Form {
    const char* id_prefix;
    const char* object;
    const char* chunk_object;
    bool chat;
};
constexpr Form kChatForm = {"chatcmpl-", "chat.completion", "chat.completion.chunk", true};
constexpr Form kTextForm = {"cmpl-", "text_completion", "text_completion", false};

Json head(const Form& form, const Answer& answer, const char* object) {
    return {{"id", form.id_prefix + answer.id},
            {"object", object},
            {"created", answer.created_s},
            {"model", answer.model},
            {"system_fingerprint", answer.fingerprint}};
}

Json chat_message(const Choice& choice) {
    Json message = {{"role", "assistant"}, {"content", nullptr}, {"refusal", nullptr}};
    if (!choice.text.empty() || choice.calls.empty()) message["content"] = choice.text;
    if (!choice.reasoning.empty()) message["reasoning_content"] = choice.reasoning;
    if (choice.calls.empty()) return message;
    message["tool_calls"] = Json::array();
    for (const ToolCall& call : choice.calls)
        message["tool_calls"].push_back(openai::tool_call(call));
    return message;
}

class WholeSink : public Sink {
  public:
    WholeSink(const Form& form, HttpRequest http, std::shared_ptr<Responder> out, bool logprobs)
        : form_(form), http_(std::move(http)), out_(std::move(out)), logprobs_(logprobs) {}

    void started(const Answer& /*answer*/) override {}
    void event(const Event& /*event*/, const Answer& /*answer*/) override {}
    void failed(const Failure& failure) override { refuse(http_, *out_, failure); }

    void done(const Answer& answer) override {
        Json body = head(form_, answer, form_.object);
        body["choices"] = Json::array();
        for (std::size_t i = 0; i < answer.choices.size(); ++i)
            body["choices"].push_back(choice_json(answer.choices[i], i));
        body["usage"] = openai::usage(answer.usage);
        body["heft"] = heft_part(answer);
        send_json(*out_, body);
    }

  private:
    Json choice_json(const Choice& choice, std::size_t index) const {
        Json out = {{"index", index}};
        if (form_.chat)
            out["message"] = chat_message(choice);
        else
            out["text"] = choice.text;
        out["logprobs"] = nullptr;
        std::size_t offset = 0;
        if (logprobs_)
            out["logprobs"] = form_.chat ? openai::chat_logprobs(choice.tokens)
                                         : openai::completion_logprobs(choice.tokens, offset);
        out["finish_reason"] = openai::finish_reason(choice.finish);
        return out;
    }

    const Form& form_;
    const HttpRequest http_;
    const std::shared_ptr<Responder> out_;
    const bool logprobs_;
};

class StreamSink : public Sink {
  public:
    StreamSink(Api& api, const Form& form, HttpRequest http, std::shared_ptr<Responder> out,
               bool usage)
        : api_(api), form_(form), http_(std::move(http)), out_(std::move(out)), usage_(usage) {}

    void started(const Answer& answer) override {
        began_ = true;
        out_->begin(200, "text/event-stream", {{"cache-control", "no-cache"}});
        api_.heartbeat.add(out_);
        offsets_.resize(answer.choices.size());
        if (!form_.chat) return;
        for (std::size_t i = 0; i < answer.choices.size(); ++i)
            chunk(answer, static_cast<int>(i), {{"role", "assistant"}, {"content", ""}});
    }

    void event(const Event& event, const Answer& answer) override {
        switch (event.kind) {
            case Event::Kind::text:
                return form_.chat ? chunk(answer, event.choice, {{"content", event.text}})
                                  : text_chunk(answer, event.choice, event.text);
            case Event::Kind::reasoning:
                return form_.chat ? chunk(answer, event.choice, {{"reasoning_content", event.text}})
                                  : text_chunk(answer, event.choice, event.text);
            case Event::Kind::call_begin:
                return chunk(answer, event.choice,
                             {{"tool_calls",
                               {{{"index", event.call},
                                 {"id", event.id},
                                 {"type", "function"},
                                 {"function", {{"name", event.name}, {"arguments", ""}}}}}}});
            case Event::Kind::call_arguments:
                return chunk(
                    answer, event.choice,
                    {{"tool_calls",
                      {{{"index", event.call}, {"function", {{"arguments", event.text}}}}}}});
            case Event::Kind::call_end: return;
            case Event::Kind::tokens: return tokens_chunk(answer, event);
            case Event::Kind::finished: return finish_chunk(answer, event);
        }
    }

    void done(const Answer& answer) override {
        Json last = head(form_, answer, form_.chunk_object);
        last["choices"] = Json::array();
        if (usage_) last["usage"] = openai::usage(answer.usage);
        last["heft"] = heft_part(answer);
        // Without usage the standard has no such event; heft's part is sent if it says something.
        if (usage_ || !answer.degraded.empty()) out_->write(openai::sse(last));
        out_->write("data: [DONE]\n\n");
        out_->end();
    }

    void failed(const Failure& failure) override {
        if (!began_) return refuse(http_, *out_, failure);
        out_->write("data: " + say_openai(failure, http_) + "\n\n");
        out_->end();
    }

  private:
    void write(const Answer& answer, Json choice) {
        Json event = head(form_, answer, form_.chunk_object);
        event["choices"] = Json::array({std::move(choice)});
        if (usage_) event["usage"] = nullptr;
        out_->write(openai::sse(event));
    }

    void chunk(const Answer& answer, int choice, Json delta) {
        write(answer, {{"index", choice},
                       {"delta", std::move(delta)},
                       {"logprobs", nullptr},
                       {"finish_reason", nullptr}});
    }

    void text_chunk(const Answer& answer, int choice, const std::string& text) {
        write(
            answer,
            {{"index", choice}, {"text", text}, {"logprobs", nullptr}, {"finish_reason", nullptr}});
    }

    void tokens_chunk(const Answer& answer, const Event& event) {
        Json choice = {{"index", event.choice}};
        auto& offset = offsets_[static_cast<std::size_t>(event.choice)];
        if (form_.chat)
            choice["delta"] = Json::object();
        else
            choice["text"] = "";
        choice["logprobs"] = form_.chat ? openai::chat_logprobs(event.tokens)
                                        : openai::completion_logprobs(event.tokens, offset);
        choice["finish_reason"] = nullptr;
        write(answer, std::move(choice));
    }

    void finish_chunk(const Answer& answer, const Event& event) {
        Json choice = {{"index", event.choice}};
        if (form_.chat)
            choice["delta"] = Json::object();
        else
            choice["text"] = "";
        choice["logprobs"] = nullptr;
        choice["finish_reason"] = openai::finish_reason(event.finish);
        write(answer, std::move(choice));
    }

    Api& api_;
    const Form& form_;
    const HttpRequest http_;
    const std::shared_ptr<Responder> out_;
    const bool usage_;
    bool began_ = false;
    std::vector<std::size_t> offsets_;
};

std::optional<Failure> check_openai(const Request& request) {
    if (request.sampling.top_logprobs > 0 && !request.sampling.logprobs)
        return invalid("top_logprobs", "top_logprobs needs logprobs to be true");
    if (request.echo && request.sampling.logprobs)
        return invalid("logprobs",
                       "logprobs of an echoed prompt are not computed; leave out one of "
                       "echo and logprobs",
                       "unsupported_parameter");
    return check(request);
}

void complete(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out, const Form& form,
              Parameters parameters) {
    Draft draft;
    draft.request.is_chat = form.chat;
    auto failure = read_body(http, parameters, Unknown::refused, draft);
    if (!failure) failure = check_openai(draft.request);
    if (failure) return refuse(http, *out, *failure);
    Request& request = draft.request;
    HttpRequest kept = http;
    kept.body.clear();
    std::shared_ptr<Sink> sink;
    if (request.stream)
        sink = std::make_shared<StreamSink>(api, form, std::move(kept), out, request.stream_usage);
    else
        sink = std::make_shared<WholeSink>(form, std::move(kept), out, request.sampling.logprobs);
    answer(api.service, std::move(request), std::move(out), std::move(sink));
}

void chat_completions(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out) {
    complete(api, http, std::move(out), kChatForm, chat_parameters());
}

void completions(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out) {
    complete(api, http, std::move(out), kTextForm, completion_parameters());
}

Json model_json(const ModelInfo& model) {
    return {{"id", model.name},
            {"object", "model"},
            {"created", model.created_s},
            {"owned_by", "heft"},
            {"aliases", model.aliases},
            {"parent", model.base.empty() ? Json() : Json(model.base)},
            {"context_length", model.n_ctx},
            {"loaded", model.loaded}};
}

void list_models(Api& api, const HttpRequest& /*http*/, std::shared_ptr<Responder> out) {
    Json data = Json::array();
    for (const ModelInfo& model : api.service.models()) data.push_back(model_json(model));
    send_json(*out, {{"object", "list"}, {"data", std::move(data)}});
}

void show_model(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out) {
    const auto id = http.parameters.find("id");
    for (const ModelInfo& model : api.service.models())
        if (id != http.parameters.end() && model.is_called(id->second))
            return send_json(*out, model_json(model));
    Failure failure;
    failure.kind = FailureKind::not_found;
    failure.code = "model_not_found";
    failure.param = "model";
    failure.message = "there is no model of that name here; GET /v1/models lists those there are";
    refuse(http, *out, failure);
}

}  // namespace

Endpoints openai_endpoints() {
    static const Endpoint kEndpoints[] = {
        {"POST", "/v1/chat/completions", "A reply in a conversation", chat_completions,
         chat_parameters()},
        {"POST", "/v1/completions", "A text, continued", completions, completion_parameters()},
        {"POST", "/v1/embeddings", "Vectors that stand for texts", openai_embeddings,
         openai_embedding_parameters()},
        {"GET", "/v1/models", "The models there are", list_models},
        {"GET", "/v1/models/{id}", "One of them", show_model},
    };
    return kEndpoints;
}

}  // namespace heft::serve
