// One licence, or one version of one, as data: a YAML file of schema heft.licence/1
// (docs/licences.md lists its fields). Immutable once read; safe to share between threads.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "govern/verdict.h"
#include "govern/vocabulary.h"

namespace heft::govern {

enum class Permission : std::uint8_t { no, unknown, yes };

// A restriction: holds for these acts where the condition does.
struct Rule {
    std::vector<std::string> acts;
    std::shared_ptr<const nlohmann::ordered_json> condition;  // null: always
    // Asked only where one of these facts is stated, so that nobody has to answer what does not
    // concern them; else it is told as a thing that the answer depends on. Empty: always asked.
    std::vector<std::string> when_stated;
    Verdict verdict = Verdict::forbidden;
    std::string clause, why;
};

struct DutyRule {
    std::string kind;  // copy, notice, display, prefix, credit, pass_down, mark_changes, ...
    std::vector<std::string> acts;
    std::shared_ptr<const nlohmann::ordered_json> condition;
    std::vector<std::string> when_stated;
    std::string text, literal, clause;  // literal: words to be reproduced as they are
};

// A known text: a SHA-256 of words (words.h), of the whole file, or of `n_word` words from the
// phrase `begins` on, for texts that each release puts its own copyright line before.
struct KnownText {
    std::string sha256;
    std::size_t n_word = 0;
    std::string begins;  // empty: the whole file
    std::string from;
};

struct Licence {
    std::string id, name, date, licensor, kind, summary, spdx;
    std::vector<std::string> hub_tags, hub_names, aliases, models, notes;
    std::vector<std::string> phrases;  // words; all stand in the text
    std::vector<KnownText> texts;
    std::map<std::string, Permission, std::less<>> permissions;  // by act
    std::map<std::string, Verdict, std::less<>> refusals;        // what a `no` means; forbidden
    std::map<std::string, std::string, std::less<>> clauses;     // by act
    std::vector<Rule> rules;
    std::vector<DutyRule> duties;
    bool has_use_policy = false;
    std::string use_policy;  // where it stands, and its summary
    std::string notice_text, display_text, name_prefix;
    std::vector<std::string> sources;
    std::string
        verification;  // text_verified, text_verified_copy, partially_verified, recalled, ...
    std::string confidence;
    // Everything in the file, for documents that pass on more than verdicts.
    std::shared_ptr<const nlohmann::ordered_json> data;
};

// Errors name the licence and the field. An entry without sources or verification is refused.
Result<Licence> read_licence(nlohmann::ordered_json tree, const Vocabulary& vocabulary);

}  // namespace heft::govern
