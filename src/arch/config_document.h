// A config.json for a GGUF file: the keys that its metadata answers, and those that say in words of
// Hugging Face what GGUF says otherwise. Read back, it gives the same Config.
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

#include "arch/arch.h"
#include "format/checkpoint.h"

namespace heft::arch {

// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct ConfigDocument {
    nlohmann::ordered_json document;
    Config config;  // as read from it; its family may be a relative that has the same name in GGUF
};

// Errors: unsupported, with what config.json has no words for.
Result<ConfigDocument> config_document(const format::Checkpoint& gguf);

// The Config of a config.json that belongs to a checkpoint of another kind.
Result<Config> read_config_document(const format::Checkpoint& checkpoint, std::string_view text);

// The first field in which two differ in what they make a model compute; empty: none. Numbers may
// differ by their rounding to float.
std::string_view difference(const Config& a, const Config& b);

}  // namespace heft::arch
