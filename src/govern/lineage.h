// The terms of a model are those of everything that it was made from. They are joined: of each act
// the strictest answer, the duties of all, and conflicts by name.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "govern/catalogue.h"
#include "govern/identify.h"
#include "govern/judge.h"

namespace heft::govern {

// Whose terms, and how they come to bind.
struct Terms {
    std::string of;                        // a model's name
    std::string relation;                  // "itself", "base model", "merged", "teacher"
    std::vector<const Licence*> licences;  // several: the strictest answer of all
    Certainty certainty = Certainty::unknown;
    std::string why;
    bool conflict = false;  // what was found about it contradicts itself
};

struct Chain {
    std::vector<Terms> terms;  // the model itself first
    std::vector<std::string>
        unseen;  // models it was made from whose terms cannot be seen from here
};

struct Assessment {
    Judgement judgement;
    std::vector<Terms> terms;
    std::vector<std::string> conflicts;  // between terms, one sentence each
    std::vector<std::string> unseen;
};

// The model's own terms and those of its declared bases, as far as folders (under `near`, beside
// it, or a path that exists) and the catalogue tell. At most 16 models; where there are more, some
// are told as unseen.
Chain chain_of(const Catalogue& catalogue, const Identification& model,
               const std::string& relation = "itself", const std::filesystem::path& near = {});

// What a person has to look at where a base's terms cannot be seen: "base_model.org/name" is
// missing.
inline constexpr std::string_view kBaseModel = "base_model";

// Bases that cannot be seen make what would be allowed unknown.
// A use that names a `model` is also asked against what is known about releases of that name;
// contradictions are answered "review".
Assessment assess(const Catalogue& catalogue, Chain chain, const Use& use);

// Of each act the strictest answer; duties and dependences of both.
void join(Judgement& into, Judgement more);

}  // namespace heft::govern
