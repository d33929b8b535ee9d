#include "arch/proposal.h"

#include <cmath>
#include <optional>

#include "base/json.h"

namespace heft::arch {

namespace {

struct Name {
    const char* hf;
    const char* gguf;
};
constexpr Name kNames[] = {
    {"temperature", "temp"}, {"top_k", "top_k"},       {"top_p", "top_p"},
    {"min_p", "min_p"},      {"typical_p", "typical"}, {"repetition_penalty", "penalty_repeat"},
};

}  // namespace

std::vector<std::pair<std::string, float>> proposed_sampling(const format::Checkpoint& checkpoint) {
    std::optional<JsonDoc> config;
    if (checkpoint.kind() == format::Kind::huggingface)
        if (const auto file = checkpoint.side_file("generation_config.json"))
            if (auto doc = JsonDoc::parse(as_text(file->bytes()))) config = std::move(*doc);
    std::vector<std::pair<std::string, float>> out;
    for (const Name& name : kNames) {
        std::optional<double> value;
        if (config) value = json_number(config->root(), name.hf);
        if (checkpoint.kind() == format::Kind::gguf)
            value = checkpoint.metadata().number(std::string("general.sampling.") + name.gguf);
        if (value && std::isfinite(*value)) out.emplace_back(name.gguf, static_cast<float>(*value));
    }
    return out;
}

}  // namespace heft::arch
