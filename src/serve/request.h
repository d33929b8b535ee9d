// What somebody asks of a model, whichever API they speak: the dialects translate into this, and
// every rule about it stands in request.cc. Values; no pointers into the body.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/engine.h"
#include "serve/exchange.h"
#include "serve/failure.h"

namespace heft::serve {

using Json = nlohmann::ordered_json;

enum class Role : std::uint8_t { system, user, assistant, tool };

std::string_view to_string(Role role);

struct ToolCall {
    std::string id;
    std::string name;
    std::string arguments;  // JSON, as the model wrote it
};

struct Message {
    Role role = Role::user;
    std::string text = {};
    std::string reasoning = {};        // of the assistant
    std::vector<ToolCall> calls = {};  // of the assistant
    std::string call_id = {};          // of a tool's result: which call it answers
    std::string name = {};             // of the speaker, or of the tool
};

struct Tool {
    std::string name;
    std::string description;
    Json parameters = Json::object();  // a JSON schema
    bool strict = false;
};

enum class ToolUse : std::uint8_t { automatic, none, required, named };

enum class ReplyShape : std::uint8_t { text, json, schema, grammar, regex };

// What a reply has to look like.
// NOLINTNEXTLINE(bugprone-exception-escape): moving JSON throws for our own bugs only
struct ReplyForm {
    ReplyShape shape = ReplyShape::text;
    Json schema;         // of ReplyShape::schema
    std::string source;  // of grammar (GBNF) and regex
};

// What a request changes of the model's own sampling.
struct Sampling {
    std::optional<double> temperature, top_p, min_p, typical_p, top_n_sigma;
    std::optional<double> presence, frequency, repeat;
    std::optional<std::int64_t> top_k, repeat_last_n, seed;
    std::optional<std::int64_t> mirostat;
    std::optional<double> mirostat_tau, mirostat_eta;
    std::vector<gen::LogitBias> logit_bias;
    bool logprobs = false;
    int top_logprobs = 0;
};

using Prompt = std::variant<std::string, std::vector<engine::TokenId>>;

struct Request {
    std::string endpoint;  // for reports: "/v1/messages"
    std::string id;        // of the HTTP request
    Caller caller;
    std::string model;
    std::optional<std::chrono::seconds> keep_alive;
    std::optional<Clock::time_point> deadline;

    // One of the two: a conversation, or texts to continue.
    std::vector<Message> messages;
    std::vector<Prompt> prompts;
    bool is_chat = true;

    bool continue_last = false;  // the last message is the beginning of the reply
    std::vector<Tool> tools;
    ToolUse tool_use = ToolUse::automatic;
    std::string tool_name;  // of ToolUse::named
    bool parallel_calls = true;
    ReplyForm form;
    Json template_variables = Json::object();  // more of what the chat template sees
    std::optional<bool> think;                 // ask for reasoning, or for none

    Sampling sampling;
    std::vector<std::string> stop;
    std::int64_t n = 1;
    std::optional<std::int64_t> max_tokens;
    bool ignore_eos = false;
    bool truncate = false;  // cut a prompt that is too long rather than refuse it
    bool echo = false;      // the prompt comes before the reply
    bool stream = false;
    bool stream_usage = false;  // usage at the end of a stream

    std::vector<std::string> degraded;  // what of it is accepted but not done
};

// What is to be embedded.
struct EmbeddingRequest {
    std::string endpoint, id;
    Caller caller;
    std::string model;
    std::optional<std::chrono::seconds> keep_alive;
    std::optional<Clock::time_point> deadline;
    std::vector<Prompt> inputs;
    bool truncate = false;
    bool normalise = true;
    std::vector<std::string> degraded;
};

inline constexpr std::int64_t kMostChoices = 128;
inline constexpr std::int64_t kMostTopLogprobs = 20;
inline constexpr std::size_t kMostPrompts = 256;
inline constexpr std::size_t kMostInputs = 2048;
inline constexpr std::size_t kMostMessages = 16384;
inline constexpr std::size_t kMostTools = 1024;
inline constexpr std::size_t kMostBiases = 4096;

// Rules that need no model; the first that is broken.
std::optional<Failure> check(const Request& request);
std::optional<Failure> check(const EmbeddingRequest& request);

// A prompt that the context does not hold: by how much.
std::optional<Failure> check_length(std::size_t n_prompt, std::int64_t n_ctx);

// The model's own sampling with the request's changes, or the rule that they break.
Result<gen::SamplingOptions> sampling_of(const Request& request, gen::SamplingOptions defaults);

}  // namespace heft::serve
