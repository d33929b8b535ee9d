// What a person wants to do, as facts. A fact that is not stated is unknown, not false.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "govern/vocabulary.h"

namespace heft::govern {

using Fact = std::variant<bool, double, std::string>;

class Use {
  public:
    // A description in YAML or JSON, its keys as in the vocabulary. null is "not stated". A true
    // flag of another name is a restricted purpose ("military"); other keys are `not_understood`.
    static Result<Use> read(std::string_view text, const Vocabulary& vocabulary);
    static Result<Use> from_tree(const nlohmann::ordered_json& tree, const Vocabulary& vocabulary);

    // One fact, replacing an earlier value. The name "mau_at.2024-06" is that month's number.
    void state(std::string name, Fact fact) { facts_[std::move(name)] = std::move(fact); }
    // As `state`, unless the person has stated it: what the files of a model tell.
    void suggest(std::string name, Fact fact) { facts_.emplace(std::move(name), std::move(fact)); }
    void forget(const std::string& name) { facts_.erase(name); }

    // nullptr: not stated.
    const Fact* find(std::string_view name) const;
    // Also for "mau_at" where some month is, and for what was stated to be unknown (null).
    bool is_stated(std::string_view name) const;
    bool is_true(std::string_view name) const;
    std::string text(std::string_view name) const;  // empty: not stated, or no text

    const std::map<std::string, Fact, std::less<>>& facts() const { return facts_; }
    const std::vector<std::string>& not_understood() const { return not_understood_; }

  private:
    Status take(const std::string& key, const nlohmann::ordered_json& value,
                const Vocabulary& vocabulary);
    Status take_months(const std::string& name, const nlohmann::ordered_json& value);

    std::map<std::string, Fact, std::less<>> facts_;
    std::set<std::string, std::less<>> unknown_;
    std::vector<std::string> not_understood_;
};

// "2024-06": a year and a month that exist.
bool is_month(std::string_view text);

}  // namespace heft::govern
