#include "serve/api/openai.h"

#include <algorithm>

#include <fmt/format.h>

#include "text/utf8.h"

namespace heft::serve {

namespace {

struct ErrorType {
    FailureKind kind;
    const char* type;
    const char* code;  // where the failure has none of its own
};

// As OpenAI's servers name them.
constexpr ErrorType kErrorTypes[] = {
    {FailureKind::invalid, "invalid_request_error", nullptr},
    {FailureKind::unauthorized, "invalid_request_error", "invalid_api_key"},
    {FailureKind::forbidden, "invalid_request_error", "permission_denied"},
    {FailureKind::not_found, "invalid_request_error", "not_found"},
    {FailureKind::wrong_method, "invalid_request_error", "method_not_allowed"},
    {FailureKind::too_large, "invalid_request_error", "request_too_large"},
    {FailureKind::rate_limited, "rate_limit_error", "rate_limit_exceeded"},
    {FailureKind::cancelled, "server_error", "cancelled"},
    {FailureKind::internal, "server_error", "internal_error"},
    {FailureKind::unavailable, "server_error", "unavailable"},
    {FailureKind::timed_out, "server_error", "timeout"},
};

}  // namespace

std::string say_openai(const Failure& failure, const HttpRequest& /*http*/) {
    const ErrorType& row = kErrorTypes[static_cast<std::size_t>(failure.kind)];
    Json code, param;
    if (row.code != nullptr) code = row.code;
    if (!failure.code.empty()) code = failure.code;
    if (!failure.param.empty()) param = failure.param;
    return dumped(
        {{"error",
          {{"message", failure.message}, {"type", row.type}, {"param", param}, {"code", code}}}});
}

namespace openai {

namespace {

// JSON text is UTF-8: what is not stands as U+FFFD there, and exactly in "bytes".
std::string shown(const std::string& bytes) {
    return text::to_valid_utf8(bytes);
}

Json bytes_json(const std::string& bytes) {
    Json out = Json::array();
    for (const char c : bytes) out.push_back(static_cast<unsigned char>(c));
    return out;
}

// JSON has no infinity; OpenAI's API uses this number for it.
double finite(float logprob) {
    return std::max(static_cast<double>(logprob), -9999.0);
}

Json alternative(const TokenInfo::Alternative& token) {
    return {{"token", shown(token.bytes)},
            {"logprob", finite(token.logprob)},
            {"bytes", bytes_json(token.bytes)}};
}

}  // namespace

Json usage(const Usage& usage) {
    return {{"prompt_tokens", usage.n_prompt},
            {"completion_tokens", usage.n_made},
            {"total_tokens", usage.n_prompt + usage.n_made},
            {"prompt_tokens_details", {{"cached_tokens", usage.n_cached}}},
            {"completion_tokens_details", {{"reasoning_tokens", usage.n_reasoning}}}};
}

const char* finish_reason(Finish finish) {
    switch (finish) {
        case Finish::stop:
        case Finish::stop_string: return "stop";
        case Finish::length: return "length";
        case Finish::tool_calls: return "tool_calls";
        case Finish::cancelled: return "cancelled";
    }
    return "stop";
}

Json tool_call(const ToolCall& call) {
    return {{"id", call.id},
            {"type", "function"},
            {"function", {{"name", call.name}, {"arguments", call.arguments}}}};
}

Json chat_logprobs(const std::vector<TokenInfo>& tokens) {
    Json content = Json::array();
    for (const TokenInfo& token : tokens) {
        Json one = alternative(token.chosen);
        one["top_logprobs"] = Json::array();
        for (const auto& other : token.top) one["top_logprobs"].push_back(alternative(other));
        content.push_back(std::move(one));
    }
    return {{"content", std::move(content)}, {"refusal", nullptr}};
}

Json completion_logprobs(const std::vector<TokenInfo>& tokens, std::size_t& offset) {
    Json out = {{"tokens", Json::array()},
                {"token_logprobs", Json::array()},
                {"top_logprobs", Json::array()},
                {"text_offset", Json::array()}};
    for (const TokenInfo& token : tokens) {
        out["tokens"].push_back(shown(token.chosen.bytes));
        out["token_logprobs"].push_back(finite(token.chosen.logprob));
        Json top = Json::object();
        for (const auto& other : token.top) top[shown(other.bytes)] = finite(other.logprob);
        out["top_logprobs"].push_back(std::move(top));
        out["text_offset"].push_back(offset);
        offset += token.chosen.bytes.size();
    }
    return out;
}

std::string sse(const Json& event) {
    return fmt::format("data: {}\n\n", dumped(event));
}

}  // namespace openai

}  // namespace heft::serve
