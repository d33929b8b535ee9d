// Ollama's /api/chat and /api/generate.
#include "serve/api/ollama.h"

#include "base/json.h"
#include "serve/answer.h"
#include "serve/api/fields.h"
#include "serve/api/routes.h"

namespace heft::serve {

namespace {

using enum JsonType;

std::optional<Failure> take_format(const Json& value, Draft& draft) {
    if (value.is_object()) {
        draft.request.form.shape = ReplyShape::schema;
        draft.request.form.schema = value;
        return {};
    }
    const auto word = value.get<std::string>();
    if (word.empty()) return {};
    if (word != "json") return invalid("format", "format has to be \"json\" or a JSON schema");
    draft.request.form.shape = ReplyShape::json;
    return {};
}

std::optional<Failure> take_think(const Json& value, Draft& draft) {
    if (value.is_string()) return take_effort(value, draft);
    draft.request.think = value.get<bool>();
    return {};
}

std::optional<Failure> take_no_images(const Json& value, Draft& /*draft*/) {
    if (value.empty()) return {};
    return invalid("images", "images: the model reads text alone", "unsupported_content");
}

std::optional<Failure> take_no_text(const Json& value, Draft& /*draft*/) {
    if (value.get_ref<const std::string&>().empty()) return {};
    return invalid("", "text after the reply, and templates of a request, are not supported",
                   "unsupported_parameter");
}

constexpr Parameter kShared[] = {
    {"model", string, "the model's name", take_model},
    {"format", string | object, "\"json\", or a JSON schema", take_format},
    {"options", object, "sampling and limits, below", ollama::take_options},
    {"stream", boolean, "send the reply as it is made; the default",
     take_request<&Request::stream>},
    {"keep_alive", string | number, "how long the model stays loaded when idle", take_keep_alive},
    {"think", boolean | string, "whether to think, where the template can ask for it", take_think},
    {"logprobs", boolean, "tell the log-probability of every token",
     take_sampling<&Sampling::logprobs>},
    {"top_logprobs", integer, "and of so many others at its place",
     take_sampling<&Sampling::top_logprobs>, 0, kMostTopLogprobs},
    {"truncate", boolean, "cut a prompt that is too long, rather than refuse it",
     take_request<&Request::truncate>},
    row("shift", boolean, Use::degraded, "a full context ends the reply"),
};

constexpr Parameter kChatOnly[] = {
    {"messages", array, "the conversation; without one, the model is only loaded", take_messages},
    {"tools", array, "functions that the model may call", take_tools},
};

constexpr Parameter kGenerateOnly[] = {
    {"prompt", string, "what the user says; without one, the model is only loaded",
     take_draft<&Draft::prompt>},
    {"system", string, "what the model is told first", take_draft<&Draft::system>},
    {"raw", boolean, "no chat template: continue the prompt", take_draft<&Draft::raw>},
    {"suffix", string, "only the empty one", take_no_text},
    {"template", string, "only the empty one", take_no_text},
    {"images", array, "only the empty list", take_no_images},
    row("context", array, Use::degraded,
        "a conversation is continued by its messages, in /api/chat"),
};

Parameters chat_parameters() {
    static const auto kAll = joined(kChatOnly, kShared);
    return kAll;
}

Parameters generate_parameters() {
    static const auto kAll = joined(kGenerateOnly, kShared);
    return kAll;
}

Json calls_json(const std::vector<ToolCall>& calls) {
    Json out = Json::array();
    for (const ToolCall& call : calls) {
        auto tree = parse_json_tree(call.arguments.empty() ? "{}" : call.arguments);
        out.push_back({{"function",
                        {{"name", call.name},
                         {"arguments", tree ? std::move(*tree) : Json(call.arguments)}}}});
    }
    return out;
}

Json logprobs_json(const std::vector<TokenInfo>& tokens) {
    Json out = Json::array();
    const auto one = [](const TokenInfo::Alternative& token) {
        Json bytes = Json::array();
        for (const char c : token.bytes) bytes.push_back(static_cast<unsigned char>(c));
        return Json{{"token", token.bytes}, {"logprob", token.logprob}, {"bytes", bytes}};
    };
    for (const TokenInfo& token : tokens) {
        Json entry = one(token.chosen);
        entry["top_logprobs"] = Json::array();
        for (const auto& other : token.top) entry["top_logprobs"].push_back(one(other));
        out.push_back(std::move(entry));
    }
    return out;
}

// Whole or as lines: a whole reply is the last line with everything in it.
class OllamaSink : public Sink {
  public:
    OllamaSink(HttpRequest http, std::shared_ptr<Responder> out, bool chat, bool stream)
        : http_(std::move(http)), out_(std::move(out)), chat_(chat), stream_(stream) {}

    void started(const Answer& /*answer*/) override {
        if (!stream_) return;
        began_ = true;
        out_->begin(200, "application/x-ndjson");
    }

    void event(const Event& event, const Answer& answer) override {
        if (!stream_) return;
        switch (event.kind) {
            case Event::Kind::text: return line(answer, event.text, "", nullptr);
            case Event::Kind::reasoning: return line(answer, "", event.text, nullptr);
            case Event::Kind::call_end: {
                // Whole calls only: there is no way to say a part of one.
                const auto& calls = answer.choices.front().calls;
                const Json said = calls_json({calls[static_cast<std::size_t>(event.call)]});
                return line(answer, "", "", &said);
            }
            case Event::Kind::tokens: {
                Json body = head(answer, "", "", nullptr);
                body["logprobs"] = logprobs_json(event.tokens);
                return write(body);
            }
            case Event::Kind::call_begin:
            case Event::Kind::call_arguments:
            case Event::Kind::finished: return;
        }
    }

    void done(const Answer& answer) override {
        const Choice& choice = answer.choices.front();
        const Json calls = choice.calls.empty() || stream_ ? Json() : calls_json(choice.calls);
        Json body = stream_ ? head(answer, "", "", nullptr)
                            : head(answer, choice.text, choice.reasoning,
                                   calls.is_null() ? nullptr : &calls);
        if (!stream_ && !choice.tokens.empty()) body["logprobs"] = logprobs_json(choice.tokens);
        body["done"] = true;
        body["done_reason"] = choice.finish == Finish::length ? "length" : "stop";
        body["total_duration"] = ollama::nanoseconds(answer.total_s);
        body["load_duration"] = ollama::nanoseconds(answer.load_s);
        body["prompt_eval_count"] = answer.usage.n_prompt;
        body["prompt_eval_duration"] = ollama::nanoseconds(answer.prompt_s);
        body["eval_count"] = answer.usage.n_made;
        body["eval_duration"] = ollama::nanoseconds(answer.decode_s);
        body["heft"] = heft_part(answer);
        if (!stream_) return send_json(*out_, body);
        write(body);
        out_->end();
    }

    void failed(const Failure& failure) override {
        if (!began_) return refuse(http_, *out_, failure);
        out_->write(say_ollama(failure, http_) + "\n");
        out_->end();
    }

  private:
    Json head(const Answer& answer, const std::string& text, const std::string& reasoning,
              const Json* calls) const {
        Json body = {{"model", answer.model},
                     {"created_at", ollama::time_text(std::chrono::system_clock::now())}};
        if (chat_) {
            Json message = {{"role", "assistant"}, {"content", text}};
            if (!reasoning.empty()) message["thinking"] = reasoning;
            if (calls != nullptr) message["tool_calls"] = *calls;
            body["message"] = std::move(message);
        } else {
            body["response"] = text;
            if (!reasoning.empty()) body["thinking"] = reasoning;
        }
        body["done"] = false;
        return body;
    }

    void write(const Json& body) { out_->write(dumped(body) + "\n"); }

    void line(const Answer& answer, const std::string& text, const std::string& reasoning,
              const Json* calls) {
        write(head(answer, text, reasoning, calls));
    }

    const HttpRequest http_;
    const std::shared_ptr<Responder> out_;
    const bool chat_, stream_;
    bool began_ = false;
};

// A request without words: the model is loaded, or let go of.
void load_only(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out, bool chat,
               const Request& request) {
    const auto say = [out, chat](const std::string& model, const char* reason) {
        Json body = {{"model", model},
                     {"created_at", ollama::time_text(std::chrono::system_clock::now())}};
        if (chat)
            body["message"] = {{"role", "assistant"}, {"content", ""}};
        else
            body["response"] = "";
        body["done"] = true;
        body["done_reason"] = reason;
        send_json(*out, body);
    };
    if (request.keep_alive && request.keep_alive->count() == 0) {
        if (!request.caller.admin) return refuse(http, *out, admin_needed());
        if (api.service.unload(request.model)) return say(request.model, "unload");
        Failure failure;
        failure.kind = FailureKind::not_found;
        failure.message = "model '" + request.model + "' not found";
        return refuse(http, *out, failure);
    }
    api.service.open(request.model, request.caller, request.keep_alive,
                     [http, out, say](Opened opened) {
                         if (opened.model == nullptr) return refuse(http, *out, opened.failure);
                         say(opened.model->name(), "load");
                     });
}

void start(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out, Draft draft,
           bool chat) {
    Request& request = draft.request;
    // A last message of the assistant is the beginning of the reply.
    request.continue_last = chat && request.messages.back().role == Role::assistant
                            && request.messages.back().calls.empty();
    if (auto failure = check(request)) return refuse(http, *out, *failure);
    HttpRequest kept = http;
    kept.body.clear();
    auto sink = std::make_shared<OllamaSink>(std::move(kept), out, chat, request.stream);
    answer(api.service, std::move(request), std::move(out), std::move(sink));
}

void chat(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out) {
    Draft draft;
    draft.request.stream = true;
    if (auto failure = read_body(http, chat_parameters(), Unknown::degraded, draft))
        return refuse(http, *out, *failure);
    if (draft.request.messages.empty())
        return load_only(api, http, std::move(out), true, draft.request);
    start(api, http, std::move(out), std::move(draft), true);
}

void generate(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out) {
    Draft draft;
    draft.request.stream = true;
    if (auto failure = read_body(http, generate_parameters(), Unknown::degraded, draft))
        return refuse(http, *out, *failure);
    Request& request = draft.request;
    const std::string prompt = draft.prompt.value_or("");
    if (prompt.empty()) return load_only(api, http, std::move(out), false, request);
    request.is_chat = !draft.raw;
    if (draft.raw) {
        request.prompts.emplace_back(prompt);
    } else {
        if (draft.system && !draft.system->empty())
            request.messages.push_back({.role = Role::system, .text = *draft.system});
        request.messages.push_back({.role = Role::user, .text = prompt});
    }
    start(api, http, std::move(out), std::move(draft), false);
}

}  // namespace

std::string say_ollama(const Failure& failure, const HttpRequest& /*http*/) {
    return dumped({{"error", failure.message}});
}

Endpoints ollama_endpoints() {
    static const Endpoint kEndpoints[] = {
        {"POST", "/api/chat", "A reply in a conversation", chat, chat_parameters(),
         Unknown::degraded},
        {"POST", "/api/generate", "A reply to a prompt", generate, generate_parameters(),
         Unknown::degraded},
        {"POST", "/api/embed", "Vectors that stand for texts", ollama::embed_many,
         ollama::embed_parameters(), Unknown::degraded},
        {"POST", "/api/embeddings", "One vector, as it is", ollama::embed_one,
         ollama::embed_one_parameters(), Unknown::degraded},
        {"GET", "/api/tags", "The models there are", ollama::tags},
        {"GET", "/api/ps", "The models that are loaded", ollama::ps},
        {"POST", "/api/show", "What a model is", ollama::show, ollama::show_parameters(),
         Unknown::degraded},
        {"GET", "/api/version", "The program's version", ollama::version},
        {"HEAD", "/", "Whether there is a server", ollama::alive, {}, Unknown::refused, true},
    };
    return kEndpoints;
}

}  // namespace heft::serve
