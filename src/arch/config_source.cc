#include "arch/config_source.h"

#include <algorithm>
#include <cmath>

namespace heft::arch {

namespace {

// What stands at a path, be it null.
std::optional<JsonElement> follow(JsonElement at, std::string_view path) {
    while (true) {
        const auto dot = path.find('.');
        JsonElement next;
        if (at.at_key(path.substr(0, dot)).get(next) != simdjson::SUCCESS) return {};
        if (dot == std::string_view::npos) return next;
        at = next;
        path.remove_prefix(dot + 1);
    }
}

// Takes the first of several alternatives off.
std::string_view next_alternative(std::string_view& rest) {
    const auto bar = rest.find('|');
    const std::string_view first = rest.substr(0, bar);
    rest.remove_prefix(bar == std::string_view::npos ? rest.size() : bar + 1);
    return first;
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

// Some files say a number for each layer.
std::optional<std::int64_t> same_in_all_layers(const format::Metadata& metadata,
                                               const std::string& key) {
    const auto numbers = metadata.integers(key);
    const bool same =
        !numbers.empty() && std::all_of(numbers.begin(), numbers.end(), [&](std::int64_t number) {
            return number == numbers.front();
        });
    return same ? std::optional(numbers.front()) : std::nullopt;
}

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
                           std::string nested, std::span<const Default> defaults)
    : checkpoint_(&checkpoint),
      prefix_(std::move(gguf_prefix)),
      nested_(std::move(nested)),
      defaults_(defaults) {}

ConfigSource::Found ConfigSource::find(std::string_view hf) const {
    const auto config = this->config();
    if (!config) return {};
    const auto inner = nested_.empty() ? std::nullopt : json_find(*config, nested_);
    bool is_null = false;
    for (std::string_view rest = hf; !rest.empty();) {
        const std::string_view path = next_alternative(rest);
        asked_.emplace(path.substr(0, path.find('.')));
        for (const auto& root : {inner, config}) {
            if (!root) continue;
            const auto found = follow(*root, path);
            if (found && !found->is_null()) return {found, {}};
            is_null |= found.has_value();
        }
    }
    if (is_null) return {};
    for (std::string_view rest = hf; !rest.empty();) {
        const std::string_view path = next_alternative(rest);
        for (const Default& usual : defaults_)
            if (usual.key == path) return {{}, usual.value};
    }
    return {};
}

template <class T>
std::optional<T> ConfigSource::noted(std::string_view hf, std::optional<T> value) const {
    if (!value || hf.empty()) return value;
    std::string_view rest = hf;
    std::string_view best = next_alternative(rest);
    for (rest = hf; !rest.empty();) {
        const std::string_view path = next_alternative(rest);
        const bool usual = std::any_of(defaults_.begin(), defaults_.end(),
                                       [path](const Default& d) { return d.key == path; });
        if (usual) {
            best = path;
            break;
        }
    }
    answers_.push_back({std::string(best), *value});
    return value;
}

std::optional<double> ConfigSource::number(std::string_view hf, std::string_view gguf) const {
    if (is_gguf()) return noted(hf, checkpoint_->metadata().number(key(gguf)));
    const Found found = find(hf);
    if (!found.value) return found.by_default;
    double value = 0;
    if (found.value->get_double().get(value) != simdjson::SUCCESS) return {};
    return value;
}

std::optional<std::int64_t> ConfigSource::integer(std::string_view hf,
                                                  std::string_view gguf) const {
    if (is_gguf()) {
        const auto one = checkpoint_->metadata().integer(key(gguf));
        return noted(hf, one ? one : same_in_all_layers(checkpoint_->metadata(), key(gguf)));
    }
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
    const auto found = find(hf).value;
    std::string_view text;
    if (!found || found->get_string().get(text) != simdjson::SUCCESS) return {};
    return std::string(text);
}

std::optional<bool> ConfigSource::flag(std::string_view hf, std::string_view gguf) const {
    if (is_gguf()) return noted(hf, checkpoint_->metadata().flag(key(gguf)));
    const Found found = find(hf);
    if (found.by_default) return *found.by_default != 0;
    bool value = false;
    if (!found.value || found.value->get_bool().get(value) != simdjson::SUCCESS) return {};
    return value;
}

std::vector<float> ConfigSource::floats(std::string_view hf, std::string_view gguf) const {
    if (is_gguf()) return checkpoint_->metadata().floats(key(gguf));
    std::vector<float> out;
    const auto found = find(hf).value;
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
    const auto found = find(hf).value;
    JsonArray items;
    if (!found || found->get_array().get(items) != simdjson::SUCCESS) return out;
    for (const JsonElement item : items) {
        std::string_view text;
        if (item.get_string().get(text) != simdjson::SUCCESS) return {};
        out.emplace_back(text);
    }
    return out;
}

std::vector<bool> ConfigSource::layer_flags(std::string_view gguf) const {
    std::vector<bool> out;
    if (!is_gguf()) return out;
    const format::MetaValue* value = checkpoint_->metadata().find(key(gguf));
    if (value == nullptr || value->type != format::MetaType::array) return out;
    if (value->item_type == format::MetaType::boolean)
        for (const std::byte item : value->data) out.push_back(item != std::byte{0});
    else
        for (const std::int64_t item : checkpoint_->metadata().integers(key(gguf)))
            out.push_back(item != 0);
    return out;
}

bool ConfigSource::in_gguf(std::string_view gguf) const {
    return is_gguf() && checkpoint_->metadata().find(key(gguf)) != nullptr;
}

std::vector<std::string> ConfigSource::unheeded() const {
    std::vector<std::string> out;
    const auto config = this->config();
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
