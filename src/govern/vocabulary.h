// The words of a use, as data (data/vocabulary.yaml): facts that a person may state, the acts that
// follow, and how texts among the answers are understood. Immutable; safe to read from many
// threads.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"

namespace heft::govern {

enum class Tri : std::uint8_t { no, unknown, yes };

enum class FactType : std::uint8_t { flag, number, text, region, months };

struct FactRow {
    std::string name;
    FactType type = FactType::flag;
    std::string asks;  // how to ask for it
};

struct Act {
    std::string name;
    std::vector<std::string> facts;   // intended where one is true; none: always intended
    std::vector<std::string> unless;  // and not where one of these is true
    std::string rests_on;             // whose permission speaks where the licence has none for it
    std::string says;                 // for people
};

// How a text answers a question, by its words.
struct Kind {
    std::vector<std::string> yes, no;  // phrases, as words_of() writes them
    bool no_wins = false;              // where words of both stand in the text
    Tri otherwise = Tri::unknown;
    std::string asks;
};

class Vocabulary {
  public:
    static Result<Vocabulary> read(const nlohmann::ordered_json& tree);

    // By name or other spelling; nullptr: no such fact.
    const FactRow* fact(std::string_view name) const;
    const std::vector<Act>& acts() const { return acts_; }
    const Kind* kind(std::string_view name) const;

    Tri is_of_kind(const Kind& kind, std::string_view text) const;

    // Whether a place ("DE", "Germany", "US, EU") lies, in part, in one of the areas ("EU", "UK").
    Tri is_within(std::string_view place, const std::vector<std::string>& areas) const;

  private:
    Result<std::vector<std::string>> codes_of(std::string_view place) const;

    std::map<std::string, FactRow, std::less<>> facts_;
    std::map<std::string, std::string, std::less<>> spellings_;
    std::vector<Act> acts_;
    std::map<std::string, Kind, std::less<>> kinds_;
    std::map<std::string, std::set<std::string>, std::less<>> members_;
    std::map<std::string, std::vector<std::string>, std::less<>> places_;
};

}  // namespace heft::govern
