#include "arch/config_source.h"

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

}  // namespace

ConfigSource::ConfigSource(const format::Checkpoint& checkpoint, std::string gguf_prefix)
    : checkpoint_(&checkpoint), prefix_(std::move(gguf_prefix)) {}

std::optional<JsonElement> ConfigSource::find(std::string_view hf) const {
    const auto config = checkpoint_->config();
    if (!config) return {};
    while (!hf.empty()) {
        const auto bar = hf.find('|');
        if (const auto found = follow(*config, hf.substr(0, bar))) return found;
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

}  // namespace heft::arch
