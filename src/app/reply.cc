#include "app/reply.h"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

double rate(std::size_t count, double seconds) {
    return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

std::size_t computed_prompt(const engine::Reply& reply) {
    return static_cast<std::size_t>(reply.n_prompt - reply.n_cached);
}

// The prompt's last position gives the first token, so decoding made the others.
std::size_t decoded(const engine::Reply& reply) {
    return reply.ids.empty() ? 0 : reply.ids.size() - 1;
}

std::string counted(std::size_t count, const std::string& what) {
    const char* ending = what.ends_with('s') ? "es" : "s";
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : ending);
}

Json token_json(engine::TokenId id, float logprob, const text::Tokenizer* tokenizer) {
    Json token = {{"id", id}};
    if (tokenizer != nullptr) token["piece"] = std::string(tokenizer->piece(id));
    token["logprob"] = std::isfinite(logprob) ? Json(logprob) : Json();
    return token;
}

// Tokens that a pass of the model made, on average; 0: there was none.
double tokens_per_pass(const engine::Reply& reply) {
    if (reply.guessed.n_passes == 0) return 0;
    return static_cast<double>(decoded(reply)) / reply.guessed.n_passes;
}

}  // namespace

std::string stats_line(const engine::Reply& reply) {
    std::string line = counted(static_cast<std::size_t>(reply.n_prompt), "prompt token");
    if (reply.n_cached > 0) line += fmt::format(" ({} cached)", reply.n_cached);
    line += fmt::format(", {:.1f} tok/s; {}, {:.1f} tok/s",
                        rate(computed_prompt(reply), reply.prefill_s),
                        counted(reply.ids.size(), "token"), rate(decoded(reply), reply.decode_s));
    if (reply.guessed.n_checked > 0)
        line += fmt::format("; {} of {} right, {:.2f} tokens a pass", reply.guessed.n_right,
                            counted(static_cast<std::size_t>(reply.guessed.n_checked), "guess"),
                            tokens_per_pass(reply));
    return line + fmt::format("; {}", gen::to_string(reply.finish));
}

Json usage_json(const engine::Reply& reply) {
    return {{"prompt_tokens", reply.n_prompt},
            {"cached_tokens", reply.n_cached},
            {"completion_tokens", reply.ids.size()},
            {"total_tokens", static_cast<std::size_t>(reply.n_prompt) + reply.ids.size()}};
}

Json timings_json(const engine::Reply& reply) {
    return {{"prefill_s", reply.prefill_s},
            {"prefill_tok_s", rate(computed_prompt(reply), reply.prefill_s)},
            {"decode_s", reply.decode_s},
            {"decode_tok_s", rate(decoded(reply), reply.decode_s)},
            {"sample_s", reply.sample_s},
            {"text_s", reply.text_s}};
}

Json speculation_json(gen::Guesser guesser, const engine::Reply& reply) {
    const engine::Guessed& guessed = reply.guessed;
    const auto share = [](int part, int all) { return all > 0 ? Json(1.0 * part / all) : Json(); };
    return {{"kind", std::string(gen::to_string(guesser))},
            {"proposed", guessed.n_checked},
            {"accepted", guessed.n_right},
            {"acceptance", share(guessed.n_right, guessed.n_checked)},
            {"passes", guessed.n_passes},
            {"tokens_per_pass", tokens_per_pass(reply)}};
}

Json logprobs_json(const engine::Reply& reply, const text::Tokenizer* tokenizer) {
    Json all = Json::array();
    for (const gen::Choice& choice : reply.choices) {
        Json token = token_json(choice.id, choice.logprob.value_or(0), tokenizer);
        token["top"] = Json::array();
        for (const gen::TokenLogprob& other : choice.top)
            token["top"].push_back(token_json(other.id, other.logprob, tokenizer));
        all.push_back(std::move(token));
    }
    return all;
}

}  // namespace heft::app
