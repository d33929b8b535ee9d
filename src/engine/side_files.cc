// What stands beside the weights: chat template, special tokens' texts, proposed sampling.
#include <nlohmann/json.hpp>

#include "arch/proposal.h"
#include "engine/engine.h"
#include "text/template_source.h"

namespace heft::engine {

Result<std::string> Engine::template_source() const {
    return text::template_source(checkpoint());
}

Result<nlohmann::ordered_json> Engine::template_variables() const {
    HEFT_TRY(const text::Tokenizer* words, tokenizer());
    const text::SpecialTokens& special = words->special();
    nlohmann::ordered_json variables = nlohmann::ordered_json::object();
    const auto set = [&](const char* name, const std::optional<TokenId>& id) {
        if (id) variables[name] = std::string(words->bytes_of(*id));
    };
    set("bos_token", special.bos);
    set("eos_token", special.eos);
    set("unk_token", special.unk);
    set("pad_token", special.pad);
    return variables;
}

gen::SamplingOptions Engine::sampling_defaults() const {
    gen::SamplingOptions options;
    for (const auto& [key, value] : arch::proposed_sampling(checkpoint())) {
        if (key == "temp") options.temperature = value;
        if (key == "top_k")
            options.top_k = value >= 0 && value < 1e9F ? static_cast<int>(value) : 0;
        if (key == "top_p") options.top_p = value;
        if (key == "min_p") options.min_p = value;
        if (key == "typical") options.typical_p = value;
        if (key == "penalty_repeat") options.penalties.repeat = value;
    }
    // A proposal out of range is no reason to refuse the model.
    if (!gen::validate(options)) return {};
    return options;
}

}  // namespace heft::engine
