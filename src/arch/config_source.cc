#include "arch/config_source.h"

#include <algorithm>
#include <cmath>

namespace heft::arch {

namespace {

std::optional<JsonElement> follow(JsonElement at, std::string_view path) {
    while (true) {
        const auto dot = path.find('.');
        const auto next = json_find(at, path.substr(0, dot));
        if (!next || dot == std::string_view::npos) return next;
        at = *next;
        path.remove_prefix(dot + 1);
    }
}

// Keys that say nothing of what is computed.
constexpr std::string_view kOfNoConcern[] = {
    "architectures",
    "attention_dropout",
    "auto_map",
    "bos_token_id",
    "cache_implementation",
    "dtype",
    "embd_pdrop",
    "eos_token_id",
    "ep_size",
    "head_dropout",
    "hidden_dropout",
    "hidden_dropout_prob",
    "initializer_range",
    "model_type",
    "name_or_path",
    "_name_or_path",
    "num_return_sequences",
    "output_attentions",
    "output_hidden_states",
    "output_router_logits",
    "pad_token_id",
    "pretraining_tp",
    "quantization_config",
    "resid_pdrop",
    "router_aux_loss_coef",
    "sep_token_id",
    "seq_aux",
    "task_specific_params",
    "torch_dtype",
    "transformers_version",
    "unsloth_fixed",
    "unsloth_version",
    "use_cache",
    "attn_implementation",
    "_attn_implementation_autoset",
    "text_config",
    "tokenizer_class",
    "router_jitter_noise",
    "attn_pdrop",
    "classifier_dropout",
};

bool says_something(JsonElement value) {
    bool flag = false;
    double number = 0;
    if (value.is_null()) return false;
    if (value.get_bool().get(flag) == simdjson::SUCCESS) return flag;
    if (value.get_double().get(number) == simdjson::SUCCESS) return number != 0;
    return true;
}

}  // namespace

ConfigSource::ConfigSource(const format::Checkpoint& checkpoint, std::string gguf_prefix,
                           std::string nested)
    : checkpoint_(&checkpoint), prefix_(std::move(gguf_prefix)), nested_(std::move(nested)) {}

std::optional<JsonElement> ConfigSource::find(std::string_view hf) const {
    const auto config = checkpoint_->config();
    if (!config) return {};
    const auto inner = nested_.empty() ? std::nullopt : json_find(*config, nested_);
    while (!hf.empty()) {
        const auto bar = hf.find('|');
        const std::string_view path = hf.substr(0, bar);
        asked_.emplace(path.substr(0, path.find('.')));
        for (const auto& root : {inner, config}) {
            if (!root) continue;
            const auto found = follow(*root, path);
            if (found && !found->is_null()) return found;
        }
        if (bar == std::string_view::npos) break;
        hf.remove_prefix(bar + 1);
    }
    return {};
}

std::optional<double> ConfigSource::number(std::string_view hf, std::string_view gguf) const {
    if (is_gguf()) return checkpoint_->metadata().number(key(gguf));
    const auto found = find(hf);
    double value = 0;
    if (!found || found->get_double().get(value) != simdjson::SUCCESS) return {};
    return value;
}

std::optional<std::int64_t> ConfigSource::integer(std::string_view hf,
                                                  std::string_view gguf) const {
    if (is_gguf()) return checkpoint_->metadata().integer(key(gguf));
    const auto value = number(hf, gguf);  // some configs write 32768.0
    if (!value || std::abs(*value) > 9e15 || *value != std::floor(*value)) return {};
    return static_cast<std::int64_t>(*value);
}

std::optional<std::string> ConfigSource::string(std::string_view hf, std::string_view gguf) const {
    if (is_gguf()) {
        const auto text = checkpoint_->metadata().string(key(gguf));
        if (!text) return {};
        return std::string(*text);
    }
    const auto found = find(hf);
    std::string_view text;
    if (!found || found->get_string().get(text) != simdjson::SUCCESS) return {};
    return std::string(text);
}

std::optional<bool> ConfigSource::flag(std::string_view hf, std::string_view gguf) const {
    if (is_gguf()) return checkpoint_->metadata().flag(key(gguf));
    const auto found = find(hf);
    bool value = false;
    if (!found || found->get_bool().get(value) != simdjson::SUCCESS) return {};
    return value;
}

std::vector<float> ConfigSource::floats(std::string_view hf, std::string_view gguf) const {
    if (is_gguf()) return checkpoint_->metadata().floats(key(gguf));
    std::vector<float> out;
    const auto found = find(hf);
    JsonArray items;
    if (!found || found->get_array().get(items) != simdjson::SUCCESS) return out;
    for (const JsonElement item : items) {
        double value = 0;
        if (item.get_double().get(value) != simdjson::SUCCESS) return {};
        out.push_back(static_cast<float>(value));
    }
    return out;
}

std::vector<std::string> ConfigSource::strings(std::string_view hf) const {
    std::vector<std::string> out;
    const auto found = find(hf);
    JsonArray items;
    if (!found || found->get_array().get(items) != simdjson::SUCCESS) return out;
    for (const JsonElement item : items) {
        std::string_view text;
        if (item.get_string().get(text) != simdjson::SUCCESS) return {};
        out.emplace_back(text);
    }
    return out;
}

std::vector<std::string> ConfigSource::unheeded() const {
    std::vector<std::string> out;
    const auto config = checkpoint_->config();
    if (!config) return out;
    const auto inner = nested_.empty() ? config : json_find(*config, nested_);
    JsonObject fields;
    if (!inner || inner->get_object().get(fields) != simdjson::SUCCESS) return out;
    for (const auto& field : fields) {
        const bool known = asked_.contains(field.key)
                           || std::find(std::begin(kOfNoConcern), std::end(kOfNoConcern), field.key)
                                  != std::end(kOfNoConcern);
        if (!known && says_something(field.value)) out.emplace_back(field.key);
    }
    return out;
}

}  // namespace heft::arch
