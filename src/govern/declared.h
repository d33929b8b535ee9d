// What a model card, a configuration and a GGUF file declare about licence and origin: of each
// field the card's word first, then the file's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "govern/release_files.h"

namespace heft::govern {

// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct Declared {
    struct Name {
        std::string where, value;  // "README.md: license", "apache-2.0"
    };
    std::vector<Name> names;               // tags and names of licences, in order
    std::vector<std::string> links;        // where the text is said to stand
    std::vector<std::string> base_models;  // without repetition, as are the next two
    std::vector<std::string> datasets, tags;
    std::string relation;  // to its base: "finetune", "quantized", "merge", "adapter"; or empty
    std::string task, author, version, description, url;
    std::vector<std::string> problems;    // what could not be read
    std::string card;                     // the cards' text, without front matter
    nlohmann::ordered_json front_matter;  // of the first card that has one; null: none
    std::optional<bool> is_multimodal;
};

Declared declared_by(const ReleaseFiles& files);

}  // namespace heft::govern
