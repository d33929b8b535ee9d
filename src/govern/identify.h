// Which licence governs a release, from its files: the text of LICENSE, else what the card or the
// GGUF file declares, else what is known about a release of that name. Contradictions and missing
// texts are problems that are told; nothing is guessed into certainty.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "govern/catalogue.h"
#include "govern/licence_text.h"
#include "govern/release_files.h"

namespace heft::govern {

// How far the answer to "which licence" may be relied on, from the best.
enum class Certainty : std::uint8_t {
    text,      // the text of a file is a text on record
    named,     // the person named the licence
    title,     // the text was recognised by its title only
    declared,  // the card or the file says so; there is no text
    listed,    // known about a release of this name
    weak,      // only mentioned, or only the name of a folder hints at it
    modified,  // the text differs from the licence that it resembles
    unknown,
};

std::string_view word(Certainty certainty);

enum class Role : std::uint8_t { weights, code, policy, notice, card, metadata, name };

std::string_view word(Role role);

struct Evidence {
    std::string where;  // a file's name, "README.md: license", "general.license"
    Role role = Role::weights;
    std::string says;                      // what was found, in words
    std::vector<const Licence*> licences;  // what it points to
    std::string sha256;                    // of the words of a text
};

struct Identification {
    std::string name;                      // the model's
    std::vector<const Licence*> licences;  // several: the terms of all are kept, for it is not
                                           // settled which holds
    Certainty certainty = Certainty::unknown;
    std::string why;
    std::vector<Evidence> evidence;
    std::vector<std::string> problems;
    bool conflict = false;                 // texts or declarations contradict each other
    std::vector<std::string> base_models;  // as declared
    std::string declared;                  // the first name of a licence that is declared
    std::string text;                      // of a licence that the catalogue does not know
    std::string text_file;                 // where the text of the licence stands; may be empty
    const ReleaseRow* release = nullptr;   // what is known about the name
    std::optional<bool> is_multimodal;     // as the configuration tells
};

Result<Identification> identify(const Catalogue& catalogue, const ReleaseFiles& files);

// Without files: a licence's id, SPDX id, tag or name, or a repository's name.
Identification identify_name(const Catalogue& catalogue, const std::string& name);

}  // namespace heft::govern
