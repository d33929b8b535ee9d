#include "app/reply.h"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace heft::app {

using Json = nlohmann::ordered_json;

namespace {

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

std::string counted(std::size_t count, const char* what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

Json token_json(engine::TokenId id, float logprob, const text::Tokenizer* tokenizer) {
    Json token = {{"id", id}};
    if (tokenizer != nullptr) token["piece"] = std::string(tokenizer->piece(id));
    token["logprob"] = std::isfinite(logprob) ? Json(logprob) : Json();
    return token;
}

}  // namespace

std::string stats_line(const engine::Reply& reply) {
    std::string line = counted(static_cast<std::size_t>(reply.n_prompt), "prompt token");
    if (reply.n_cached > 0) line += fmt::format(" ({} cached)", reply.n_cached);
    line += fmt::format(", {:.1f} tok/s; {}, {:.1f} tok/s; {}",
                        rate(computed_prompt(reply), reply.prefill_s),
                        counted(reply.ids.size(), "token"), rate(decoded(reply), reply.decode_s),
                        gen::to_string(reply.finish));
    return line;
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
            {"decode_tok_s", rate(decoded(reply), reply.decode_s)}};
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
