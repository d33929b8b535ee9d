// A release, as far as it is known: for each kind of component whether it is there, under which
// licence, and what says so. "Not known" is kept apart from "not there" throughout.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "govern/openness/tables.h"

namespace heft::openness {

enum class Presence { absent, partial, present, unknown };

struct Component {
    Presence presence = Presence::unknown;
    bool listed = false;  // a record names it, be it to say that it is not there
    // An SPDX id where it is one; of a record, the text that it has. Empty: none.
    std::string licence;
    Terms terms = Terms::unknown;
    std::string where;  // a file, a link, or what says so; empty: the record
};

struct Release {
    std::string name, producer;
    std::string source;  // "mof_record", "flags", "files"
    std::vector<Component> components =
        std::vector<Component>(OpennessTables::embedded().kinds().size());  // by kind
    std::vector<std::string> notes;  // what of the source was not understood

    Component& at(std::size_t kind) { return components[kind]; }
    const Component& at(std::size_t kind) const { return components[kind]; }
};

const char* presence_name(Presence presence);

// A record, YAML or JSON: of the Model Openness Framework ("release:" with a list of components),
// or a list of flags ("components:" with key: yes, no, partial or unknown, and "weights_licence:").
// Where the document has a list "releases:", `id` chooses one. Errors: invalid, corrupt.
Result<Release> read_record(std::string_view text, std::string_view id = {});

// "training_code=yes", "datasets=partial:ODC-By-1.0": what a person knows beyond the files.
Status apply_flag(Release& release, std::string_view flag);

// A licence as written, into both fields.
void set_licence(Component& component, std::string_view written);

}  // namespace heft::openness
