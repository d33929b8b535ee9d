// One way to ask for a configuration value, whether it stands in config.json or in GGUF metadata.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
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

    bool is_gguf() const { return checkpoint_->kind() == format::Kind::gguf; }
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

  private:
    struct Found {
        std::optional<JsonElement> value;
        std::optional<double> by_default;  // the key is nowhere
    };
    Found find(std::string_view hf) const;
    std::string key(std::string_view gguf) const { return prefix_ + "." + std::string(gguf); }

    const format::Checkpoint* checkpoint_;  // outlives us
    std::string prefix_;
    std::string nested_;
    std::span<const Default> defaults_;
    mutable std::set<std::string, std::less<>> asked_;
};

}  // namespace heft::arch
