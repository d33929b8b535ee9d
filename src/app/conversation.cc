#include "app/conversation.h"

#include "app/form_flags.h"
#include "app/prompt.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

bool has_role(const Json& message, const char* role) {
    const auto found = message.find("role");
    return found != message.end() && found->is_string() && *found == role;
}

}  // namespace

Conversation::Conversation(const engine::Engine& engine, engine::Session session,
                           ConversationOptions options)
    : engine_(&engine), session_(std::move(session)), options_(std::move(options)) {}

Result<Conversation> Conversation::start(const engine::Engine& engine,
                                         ConversationOptions options) {
    if (const auto source = engine.template_source(); !source) {
        if (source.error().code != Code::not_found) return source.error();
        return Error{Code::unsupported,
                     "the model has no chat template, so it cannot hold a conversation; let it "
                     "continue a text with `heft run MODEL --raw TEXT`"};
    }
    engine::SessionOptions session_options;
    session_options.n_ctx = options.n_ctx;
    session_options.draft = options.draft;
    HEFT_TRY(engine::Session session, engine::Session::start(engine, session_options));
    return Conversation(engine, std::move(session), std::move(options));
}

Status Conversation::answer(const OnText& on_text, const std::atomic<bool>& cancel) {
    engine::Request request;
    HEFT_TRY(request.prompt, chat_ids(*engine_, messages_));
    request.sampling = options_.sampling;
    request.speculation = options_.speculation;
    request.stop = options_.stop;
    hold_to(options_.constraint, *engine_, request);
    request.n_predict = options_.n_predict;
    request.truncate = options_.truncate;
    request.cancel = &cancel;
    request.on_token = [&on_text](std::string_view text, engine::TokenId) { on_text(text); };
    HEFT_TRY(last_, session_.generate(request));
    messages_.push_back(message("assistant", last_.text));
    return {};
}

Status Conversation::say(const std::string& text, const OnText& on_text,
                         const std::atomic<bool>& cancel) {
    messages_.push_back(message("user", text));
    Status status = answer(on_text, cancel);
    if (!status) messages_.erase(messages_.size() - 1);
    return status;
}

Status Conversation::retry(const OnText& on_text, const std::atomic<bool>& cancel) {
    const Json before = messages_;
    if (!messages_.empty() && has_role(messages_.back(), "assistant"))
        messages_.erase(messages_.size() - 1);
    if (messages_.empty() || !has_role(messages_.back(), "user")) {
        messages_ = before;
        return Error{Code::invalid, "there is no question to answer again"};
    }
    Status status = answer(on_text, cancel);
    if (!status) messages_ = before;
    return status;
}

void Conversation::set_system(const std::string& text) {
    if (!messages_.empty() && has_role(messages_.front(), "system")) messages_.erase(0);
    if (!text.empty()) messages_.insert(messages_.begin(), message("system", text));
}

std::string Conversation::system() const {
    if (messages_.empty() || !has_role(messages_.front(), "system")) return {};
    return messages_.front().value("content", "");
}

void Conversation::reset() {
    const std::string kept = system();
    messages_ = Json::array();
    set_system(kept);
    session_.reset();
    last_ = {};
}

Json Conversation::to_json() const {
    return {{"schema", "heft.chat/1"},
            {"model", engine_->checkpoint().name()},
            {"messages", messages_}};
}

Status Conversation::load(const Json& document) {
    const Json& list =
        document.is_object() && document.contains("messages") ? document["messages"] : document;
    if (!list.is_array())
        return Error{Code::invalid, "is neither a list of messages nor an object with one"};
    for (const Json& one : list) {
        const bool fine = one.is_object() && one.contains("role") && one["role"].is_string()
                          && one.contains("content") && one["content"].is_string();
        if (!fine)
            return Error{Code::invalid, "has a message without a text as its role and content"};
    }
    messages_ = list;
    return {};
}

}  // namespace heft::app
