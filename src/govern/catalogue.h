// All licences that heft knows: those built in (src/govern/licences, put into the program at build
// time), then those of folders of the user's, which replace entries of the same id. Immutable;
// safe to read from many threads.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "govern/licence.h"
#include "govern/use.h"
#include "govern/vocabulary.h"

namespace heft::govern {

// What is known about releases whose licence does not follow from their family
// (data/releases.yaml).
struct ReleaseRow {
    std::vector<std::string> match;     // patterns over repository_name()
    std::vector<std::string> licences;  // more than one: the text decides which
    std::vector<std::string> also;      // terms of what it was made from
    struct Earlier {
        std::string licence, until;  // until: a month
    };
    std::vector<Earlier> changed;
    std::string base, why;
    bool conflict = false;  // the release contradicts itself
    bool harmless = false;  // `also` adds no terms that matter
};

class Catalogue {
  public:
    // The built-in entries and $XDG_CONFIG_HOME/heft/licences (all *.yaml), then `folder` if given.
    static Result<Catalogue> open(const std::filesystem::path& folder = {});
    static Result<Catalogue> built_in();

    // Adds the *.yaml files of a folder, in order of name. At most 1000 files of 1 MiB.
    Status add_folder(const std::filesystem::path& folder);
    Status add(Licence licence);

    const Vocabulary& vocabulary() const { return vocabulary_; }
    std::span<const Licence> licences() const { return licences_; }

    // By id; nullptr: none.
    const Licence* find(std::string_view id) const;
    // Those of the ids that there are.
    std::vector<const Licence*> find_all(const std::vector<std::string>& ids) const;

    // Everything that a declared name may mean, letters' case and separators aside: an id or SPDX
    // id names one; hub tags, hub names and aliases name one or several.
    std::vector<const Licence*> named(std::string_view name) const;

    // Whether cards may call the licence so: its id, SPDX id, hub tag or name, or an alias.
    static bool goes_by(const Licence& licence, std::string_view name);

    // LICENSE and the card of the model that the program carries.
    struct BuiltInText {
        std::string name, text;
    };
    std::span<const BuiltInText> built_in_texts() const { return built_in_texts_; }

    // The first row for a repository's name; nullptr: nothing is known.
    const ReleaseRow* release(std::string_view repository) const;

  private:
    Vocabulary vocabulary_;
    std::vector<Licence> licences_;
    std::vector<ReleaseRow> releases_;
    std::vector<BuiltInText> built_in_texts_;
};

// "apache-2.0 or mit"; "unknown" where there are none.
std::string joined_ids(const std::vector<const Licence*>& licences, std::string_view by);

}  // namespace heft::govern
