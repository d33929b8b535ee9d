#include "govern/vocabulary.h"

#include <algorithm>
#include <optional>

#include "govern/tree.h"
#include "govern/words.h"

namespace heft::govern {

namespace {

constexpr std::pair<std::string_view, FactType> kFactTypes[] = {
    {"flag", FactType::flag},     {"number", FactType::number}, {"text", FactType::text},
    {"region", FactType::region}, {"months", FactType::months},
};

std::optional<FactType> fact_type(std::string_view name) {
    for (const auto& [word, type] : kFactTypes)
        if (word == name) return type;
    return {};
}

std::vector<std::string> phrases_of(const Json& tree, std::string_view key) {
    auto phrases = texts_of(tree, key);
    for (std::string& phrase : phrases) phrase = words_of(phrase);
    return phrases;
}

Kind kind_of(const Json& tree) {
    Kind kind{phrases_of(tree, "yes"), phrases_of(tree, "no"), text_of(tree, "no_wins") == "yes",
              Tri::unknown, text_of(tree, "asks")};
    const std::string otherwise = text_of(tree, "otherwise");
    if (otherwise == "yes") kind.otherwise = Tri::yes;
    if (otherwise == "no") kind.otherwise = Tri::no;
    return kind;
}

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

}  // namespace

Result<Vocabulary> Vocabulary::read(const Json& tree) {
    Vocabulary out;
    const Json empty = Json::object();
    const auto section = [&tree, &empty](const char* key) -> const Json& {
        const Json* found = member(tree, key);
        return found != nullptr && found->is_structured() ? *found : empty;
    };
    for (const auto& [name, row] : section("facts").items()) {
        const auto type = fact_type(text_of(row, "type"));
        if (!type) return Error{Code::corrupt, "fact \"" + name + "\": no such type"};
        out.facts_[name] = {name, *type, text_of(row, "asks")};
        out.spellings_[name] = name;
        for (const std::string& other : texts_of(row, "also")) out.spellings_[other] = name;
    }
    for (const Json& row : section("acts"))
        out.acts_.push_back({text_of(row, "act"), texts_of(row, "facts"), texts_of(row, "unless"),
                             text_of(row, "rests_on"), text_of(row, "says")});
    for (const auto& [name, row] : section("kinds").items()) out.kinds_[name] = kind_of(row);
    const Json& regions = section("regions");
    if (const Json* members = member(regions, "members"))
        for (const auto& [area, codes] : members->items()) {
            const auto list = texts_of(*members, area);
            out.members_[area] = {list.begin(), list.end()};
        }
    if (const Json* names = member(regions, "names"))
        for (const auto& [name, codes] : names->items()) out.places_[name] = texts_of(*names, name);
    if (out.facts_.empty() || out.acts_.empty())
        return Error{Code::corrupt, "a vocabulary has to have facts and acts"};
    return out;
}

const FactRow* Vocabulary::fact(std::string_view name) const {
    const auto spelled = spellings_.find(name);
    return spelled == spellings_.end() ? nullptr : &facts_.find(spelled->second)->second;
}

const Kind* Vocabulary::kind(std::string_view name) const {
    const auto found = kinds_.find(name);
    return found == kinds_.end() ? nullptr : &found->second;
}

Tri Vocabulary::is_of_kind(const Kind& kind, std::string_view text) const {
    const std::string words = words_of(text);
    const auto stands = [&words](const std::string& phrase) { return has_phrase(words, phrase); };
    const bool yes = std::any_of(kind.yes.begin(), kind.yes.end(), stands);
    const bool no = std::any_of(kind.no.begin(), kind.no.end(), stands);
    if (yes && no) return kind.no_wins ? Tri::no : Tri::yes;
    if (yes) return Tri::yes;
    return no ? Tri::no : kind.otherwise;
}

Result<std::vector<std::string>> Vocabulary::codes_of(std::string_view place) const {
    const std::string words = words_of(place);
    const auto named = places_.find(words);
    if (named != places_.end()) return named->second;
    const std::string code = upper(words);
    if (code.size() == 2 || members_.contains(code)) return std::vector<std::string>{code};
    return Error{Code::invalid, "unknown place"};
}

Tri Vocabulary::is_within(std::string_view place, const std::vector<std::string>& areas) const {
    Tri answer = Tri::no;
    while (!place.empty()) {
        const auto comma = place.find(',');
        const auto codes = codes_of(place.substr(0, comma));
        place.remove_prefix(comma == std::string_view::npos ? place.size() : comma + 1);
        if (!codes) {
            answer = Tri::unknown;
            continue;
        }
        for (const std::string& code : *codes)
            for (const std::string& area : areas) {
                const auto members = members_.find(area);
                if (code == area || (members != members_.end() && members->second.contains(code)))
                    return Tri::yes;
            }
    }
    return answer;
}

}  // namespace heft::govern
