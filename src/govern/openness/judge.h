// Where a release stands, by three measures side by side: four levels from closed to open source,
// the class of the Model Openness Framework 1.0 (arXiv:2403.13784, computed as the Model Openness
// Tool does), and the checklist of the Open Source AI Definition 1.0. Pure functions.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "govern/openness/release.h"

namespace heft::openness {

// How the framework counts a component.
enum class Counted { included, missing, unlicensed, invalid, undetermined };

struct MofPart {
    std::size_t kind = 0;
    Counted counted = Counted::missing;
    bool suits = true;  // false: counts, but another licence suits its type better
};

struct MofVerdict {
    int mof_class = 0;                    // 1 (open science), 2, 3 (open model); 0: none
    std::array<double, 3> progress = {};  // per cent; [0] is class I
    std::vector<MofPart> parts;           // those that the release has, or could have
    int next_class = 3;                   // 0: there is none above
    std::vector<MofPart> missing;         // what the next class still asks for
};

enum class ItemState { met, unmet, unknown };

struct OsaidItem {
    std::size_t item = 0;  // of the checklist
    ItemState state = ItemState::unknown;
    bool terms = false;             // of an unmet one: it is there, its licence is the reason
    std::optional<std::size_t> by;  // the kind that decided
    std::string why;
};

enum class OsaidWord { passed, would_pass_with_changed_terms, failed, undetermined };

struct OsaidVerdict {
    OsaidWord word = OsaidWord::undetermined;
    std::vector<OsaidItem> items;
};

struct Openness {
    int level = 0;          // 0 closed, 1 open weights, 2 with data information, 3 open source
    int level_at_most = 0;  // with everything unknown turned out well
    MofVerdict mof;
    OsaidVerdict osaid;
    std::vector<std::string> differences;  // why the measures do not agree; sentences
    std::vector<std::string> cannot;       // what nobody outside can do with this release
    std::vector<std::string> unsure;       // of those, what could not be determined
};

MofVerdict mof_verdict(const Release& release);
OsaidVerdict osaid_verdict(const Release& release);
Openness judge(const Release& release);

const char* level_name(int level);  // as in JSON: "open_weights"
const char* counted_name(Counted counted);
const char* state_name(ItemState state);
const char* word_name(OsaidWord word);

}  // namespace heft::openness
