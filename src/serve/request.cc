#include "serve/request.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "gen/stop.h"

namespace heft::serve {

namespace {

std::optional<Failure> check_call_ids(const std::vector<Message>& messages) {
    std::set<std::string_view> known;
    for (const Message& message : messages) {
        for (const ToolCall& call : message.calls) known.insert(call.id);
        if (message.role != Role::tool || message.call_id.empty()) continue;
        if (known.count(message.call_id) == 0)
            return invalid("messages",
                           fmt::format("a tool result answers the call \"{}\", which no message "
                                       "before it makes",
                                       message.call_id));
    }
    return {};
}

std::optional<Failure> check_conversation(const Request& request) {
    if (request.messages.empty())
        return invalid("messages", "there are no messages; give at least one");
    if (request.messages.size() > kMostMessages)
        return invalid("messages", fmt::format("there are {} messages; {} are allowed",
                                               request.messages.size(), kMostMessages));
    if (request.continue_last && request.messages.back().role != Role::assistant)
        return invalid("messages",
                       "the last message is not the assistant's, so there is nothing "
                       "of it to continue");
    return check_call_ids(request.messages);
}

std::optional<Failure> check_prompts(const Request& request) {
    if (request.prompts.empty()) return invalid("prompt", "there is no prompt; give at least one");
    if (request.prompts.size() > kMostPrompts)
        return invalid("prompt", fmt::format("there are {} prompts; {} are allowed in a request",
                                             request.prompts.size(), kMostPrompts));
    return {};
}

std::optional<Failure> check_tools(const Request& request) {
    std::set<std::string_view> names;
    for (const Tool& tool : request.tools)
        if (!names.insert(tool.name).second)
            return invalid("tools", fmt::format("there are two tools named \"{}\"", tool.name));
    if (request.tools.size() > kMostTools)
        return invalid("tools", fmt::format("there are {} tools; {} are allowed",
                                            request.tools.size(), kMostTools));
    if (request.tool_use == ToolUse::named && names.count(request.tool_name) == 0)
        return invalid("tool_choice", fmt::format("tool_choice names \"{}\", which is none of the "
                                                  "tools",
                                                  request.tool_name));
    if (request.tool_use == ToolUse::required && request.tools.empty())
        return invalid("tool_choice", "tool_choice asks for a tool, but there are none");
    return {};
}

}  // namespace

std::string_view to_string(Role role) {
    constexpr std::string_view kNames[] = {"system", "user", "assistant", "tool"};
    return kNames[static_cast<std::size_t>(role)];
}

std::optional<Failure> check(const Request& request) {
    if (auto broken = request.is_chat ? check_conversation(request) : check_prompts(request))
        return broken;
    if (auto broken = check_tools(request)) return broken;
    if (request.n < 1 || request.n > kMostChoices)
        return invalid("n",
                       fmt::format("n is {}; it has to be from 1 to {}", request.n, kMostChoices));
    const auto choices =
        static_cast<std::size_t>(request.n) * std::max<std::size_t>(1, request.prompts.size());
    if (choices > kMostPrompts)
        return invalid("n", fmt::format("{} prompts times n are {} replies; {} are allowed in a "
                                        "request",
                                        request.prompts.size(), choices, kMostPrompts));
    if (request.max_tokens && *request.max_tokens < 0)
        return invalid("max_tokens", "the number of tokens to make is negative");
    if (request.sampling.top_logprobs > kMostTopLogprobs)
        return invalid("top_logprobs",
                       fmt::format("{} top log-probabilities are asked for; {} "
                                   "are allowed",
                                   request.sampling.top_logprobs, kMostTopLogprobs));
    if (request.sampling.logit_bias.size() > kMostBiases)
        return invalid("logit_bias", fmt::format("there are {} biases; {} are allowed",
                                                 request.sampling.logit_bias.size(), kMostBiases));
    gen::StopOptions stop;
    stop.strings = request.stop;
    if (const Status fine = gen::validate(stop); !fine) return invalid("stop", fine.error().what);
    if (const auto fine = sampling_of(request, {}); !fine) return invalid("", fine.error().what);
    return {};
}

std::optional<Failure> check(const EmbeddingRequest& request) {
    if (request.inputs.empty()) return invalid("input", "there is nothing to embed");
    if (request.inputs.size() > kMostInputs)
        return invalid("input", fmt::format("there are {} inputs; {} are allowed in a request",
                                            request.inputs.size(), kMostInputs));
    return {};
}

std::optional<Failure> check_length(std::size_t n_prompt, std::int64_t n_ctx) {
    const std::int64_t over = static_cast<std::int64_t>(n_prompt) - (n_ctx - 1);
    if (over <= 0) return {};
    return invalid("messages",
                   fmt::format("the prompt has {} tokens, {} more than a context of {} leaves room "
                               "for; shorten it, or serve the model with a larger context (-c)",
                               n_prompt, over, n_ctx),
                   "context_length_exceeded");
}

Result<gen::SamplingOptions> sampling_of(const Request& request, gen::SamplingOptions options) {
    const Sampling& asked = request.sampling;
    const auto real = [](float& to, const std::optional<double>& from) {
        if (from) to = static_cast<float>(*from);
    };
    const auto whole = [](int& to, const std::optional<std::int64_t>& from) {
        constexpr std::int64_t kMost = 1 << 30;
        if (from) to = static_cast<int>(std::clamp<std::int64_t>(*from, -kMost, kMost));
    };
    real(options.temperature, asked.temperature);
    real(options.top_p, asked.top_p);
    real(options.min_p, asked.min_p);
    real(options.typical_p, asked.typical_p);
    real(options.top_n_sigma, asked.top_n_sigma);
    real(options.penalties.presence, asked.presence);
    real(options.penalties.frequency, asked.frequency);
    real(options.penalties.repeat, asked.repeat);
    real(options.mirostat.tau, asked.mirostat_tau);
    real(options.mirostat.eta, asked.mirostat_eta);
    whole(options.top_k, asked.top_k);
    whole(options.penalties.last_n, asked.repeat_last_n);
    if (asked.mirostat) options.mirostat.on = *asked.mirostat != 0;
    if (asked.seed) options.seed = *asked.seed;
    options.logit_bias = asked.logit_bias;
    options.logprobs = asked.logprobs;
    options.top_logprobs = asked.top_logprobs;
    HEFT_OK(gen::validate(options));
    return options;
}

}  // namespace heft::serve
