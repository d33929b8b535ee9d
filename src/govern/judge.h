// What one licence says to a use: an answer for every intended act, and the duties that follow.
// Facts that are missing make an answer unknown where they could make it stricter; nothing that is
// not known is ever taken for allowed. Pure functions of their arguments.
#pragma once

#include <string>
#include <vector>

#include "govern/licence.h"
#include "govern/use.h"
#include "govern/vocabulary.h"

namespace heft::govern {

// What is missing where the licence's own text was never read.
inline constexpr std::string_view kLicenceText = "licence_text";

struct ActAnswer {
    std::string act, says;  // "host_api", "offer it as a service"
    Verdict verdict = Verdict::allowed;
    std::string clause, why;  // of what decided
    std::string licence, source, verified;
    std::vector<std::string> missing;  // facts to ask for, where the verdict is unknown
};

struct Duty {
    std::string kind, text, literal, clause, licence;
    std::vector<std::string> acts;  // of this use, which bring it
};

// A term that was not asked because nothing stated concerns it.
struct Dependence {
    std::vector<std::string> facts;
    std::string clause, why, licence;
};

struct Judgement {
    Verdict verdict = Verdict::allowed;  // of the strictest act
    std::vector<ActAnswer> acts;         // the first is "use"
    std::vector<Duty> duties;
    std::vector<Dependence> depends_on;
};

// The acts that a use intends: "use" always, then those of the vocabulary, then restricted purposes
// by their own names.
std::vector<Act> intended_acts(const Use& use, const Vocabulary& vocabulary);

Judgement judge(const Licence& licence, const Use& use, const Vocabulary& vocabulary);

}  // namespace heft::govern
