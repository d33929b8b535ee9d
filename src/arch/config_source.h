// One way to ask for a configuration value, whether it stands in config.json or in GGUF metadata.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "format/checkpoint.h"

namespace heft::arch {

// The value of a key that config.json does not have. A flag is 0 or 1.
struct Default {
    std::string_view key;
    double value = 0;
};

class ConfigSource {
  public:
    // `gguf_prefix`: what GGUF keys begin with, the architecture's name. `nested`: the object of
    // config.json that describes the text model, looked into first; empty: none. `defaults`, which
    // outlive us, hold for keys that are not there; null is there, and means none.
    ConfigSource(const format::Checkpoint& checkpoint, std::string gguf_prefix,
                 std::string nested = {}, std::span<const Default> defaults = {});

    // Asks this document, which outlives us, in place of what the checkpoint has.
    void use_document(JsonElement document) { document_ = document; }

    bool is_gguf() const { return !document_ && checkpoint_->kind() == format::Kind::gguf; }
    const format::Checkpoint& checkpoint() const { return *checkpoint_; }

    // `hf`: a key of config.json, or a path such as "rope_scaling.factor", or several alternatives
    // separated by '|'. `gguf`: a key without its prefix. Either may be empty: never there. An
    // integer may stand in a GGUF file layer by layer, if it is the same in all.
    std::optional<double> number(std::string_view hf, std::string_view gguf) const;
    std::optional<std::int64_t> integer(std::string_view hf, std::string_view gguf) const;
    std::optional<std::string> string(std::string_view hf, std::string_view gguf) const;
    std::optional<bool> flag(std::string_view hf, std::string_view gguf) const;
    std::vector<float> floats(std::string_view hf, std::string_view gguf) const;
    std::vector<std::string> strings(std::string_view hf) const;  // config.json only
    // GGUF only: an array with an item per layer, of booleans or whole numbers.
    std::vector<bool> layer_flags(std::string_view gguf) const;
    bool in_gguf(std::string_view gguf) const;  // whether a GGUF file has the key, of any type

    // Keys of config.json that hold something and that nobody asked for: what the model's makers
    // say and heft does not heed. Keys about training, files and saving are not among them.
    std::vector<std::string> unheeded() const;

    // What a GGUF file answered, by the first of config.json's keys for the same, or by the one
    // that has a default. In the order of asking.
    struct Answer {
        std::string hf;
        std::variant<std::int64_t, double, bool> value;
    };
    const std::vector<Answer>& answers() const { return answers_; }
    // Whether config.json was asked for a key (of the first level).
    bool was_asked(std::string_view hf) const { return asked_.contains(hf); }

  private:
    struct Found {
        std::optional<JsonElement> value;
        std::optional<double> by_default;  // the key is nowhere
    };
    Found find(std::string_view hf) const;
    std::optional<JsonElement> config() const {
        return document_ ? document_ : checkpoint_->config();
    }
    template <class T>
    std::optional<T> noted(std::string_view hf, std::optional<T> value) const;
    std::string key(std::string_view gguf) const { return prefix_ + "." + std::string(gguf); }

    const format::Checkpoint* checkpoint_;  // outlives us
    std::string prefix_;
    std::string nested_;
    std::span<const Default> defaults_;
    std::optional<JsonElement> document_;
    mutable std::set<std::string, std::less<>> asked_;
    mutable std::vector<Answer> answers_;
};

}  // namespace heft::arch
