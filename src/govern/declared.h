// What a model card, a configuration and a GGUF file declare about licence and origin.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "govern/identify.h"

namespace heft::govern {

struct Declared {
    struct Name {
        std::string where, value;  // "README.md: license", "apache-2.0"
    };
    std::vector<Name> names;               // tags and names of licences, in order
    std::vector<std::string> links;        // where the text is said to stand
    std::vector<std::string> base_models;  // without repetition
    std::vector<std::string> problems;     // what could not be read
    std::string card;                      // the card's text, without front matter
    std::optional<bool> is_multimodal;
};

Declared declared_by(const ReleaseFiles& files);

}  // namespace heft::govern
