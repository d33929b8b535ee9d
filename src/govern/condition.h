// Conditions of a licence's rules, over the facts of a use, in three values. They are data:
//
//   {all: [...]}  {any: [...]}  {not: ...}
//   {fact: F, is: VALUE}                 a flag, or a text of the same words
//   {fact: F, over: N}  {at_least: N}    a number; F may be "mau_at.2024-06"
//   {fact: F, within: [EU, UK]}          a place
//   {fact: F, begins: TEXT}              a name, compared as words
//   {fact: F, names: [TEXT, ...]}        one of the phrases stands in the text
//   {fact: F, kind: K}                   as the vocabulary understands the text
//   {fact: F, given: true}               whether it is stated at all; never unknown
//
// `absent: no` or `yes` beside a test says what a fact that is not stated means; without it the
// answer is unknown, and the fact is missing.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "govern/use.h"
#include "govern/vocabulary.h"

namespace heft::govern {

struct Outcome {
    Tri value = Tri::unknown;
    std::vector<std::string> missing;  // facts that would decide, where the value is unknown
};

// The condition must have passed check_condition().
Outcome evaluate(const nlohmann::ordered_json& condition, const Use& use,
                 const Vocabulary& vocabulary);

// Names what is not of the form above, so that a catalogue with a mistake is refused when read.
Status check_condition(const nlohmann::ordered_json& condition, const Vocabulary& vocabulary);

}  // namespace heft::govern
