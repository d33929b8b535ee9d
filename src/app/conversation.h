// A conversation with a model: its messages, and the answers to them. Not thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "engine/engine.h"

namespace heft::app {

struct ConversationOptions {
    gen::SamplingOptions sampling;
    gen::SpeculationOptions speculation;
    const engine::Engine* draft = nullptr;  // outlives the conversation
    std::vector<std::string> stop;
    std::shared_ptr<grammar::Constraint> constraint = {};  // none: answers of any form
    std::int64_t n_ctx = 0;
    int n_predict = -1;
    bool truncate = false;
};

class Conversation {
  public:
    // The engine outlives the conversation.
    static Result<Conversation> start(const engine::Engine& engine, ConversationOptions options);

    using OnText = std::function<void(std::string_view)>;

    // Adds what the user says and the model's answer. After an error the conversation is as before.
    Status say(const std::string& text, const OnText& on_text, const std::atomic<bool>& cancel);

    // Answers the last question once more. An error if there is none.
    Status retry(const OnText& on_text, const std::atomic<bool>& cancel);

    // Empty: none. Holds from the next answer on.
    void set_system(const std::string& text);
    std::string system() const;

    // Forgets everything but the system prompt.
    void reset();

    // {"schema":"heft.chat/1","model":…,"messages":[…]}
    nlohmann::ordered_json to_json() const;
    // Replaces the messages by those of such a document, or of a plain list.
    Status load(const nlohmann::ordered_json& document);

    const nlohmann::ordered_json& messages() const { return messages_; }
    const engine::Reply& last() const { return last_; }  // the latest answer's numbers
    std::int64_t n_ctx() const { return session_.n_ctx(); }

  private:
    Conversation(const engine::Engine& engine, engine::Session session,
                 ConversationOptions options);
    Status answer(const OnText& on_text, const std::atomic<bool>& cancel);

    const engine::Engine* engine_;
    engine::Session session_;
    ConversationOptions options_;
    nlohmann::ordered_json messages_ = nlohmann::ordered_json::array();
    engine::Reply last_;
};

}  // namespace heft::app
