#include "govern/openness/tables.h"

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "format/yaml.h"
#include "govern/openness/embedded.h"

namespace heft::openness {

namespace {

using Json = nlohmann::ordered_json;

// The tables are part of the program: one that cannot be read is our own mistake, and every test
// finds it.
Json table(std::string_view text) {
    auto read = format::read_yaml(text);
    HEFT_CHECK(static_cast<bool>(read));
    return std::move(*read);
}

std::vector<std::string> strings(const Json& row, const char* field) {
    std::vector<std::string> list;
    const auto found = row.find(field);
    if (found == row.end()) return list;
    for (const Json& item : *found) list.push_back(item.get<std::string>());
    return list;
}

bool starts_with_one_of(std::string_view text, const std::vector<std::string>& words) {
    for (const std::string& word : words)
        if (text.starts_with(word)) return true;
    return false;
}

// "Apache-2.0 (since 2023-05-31)" → "apache-2.0"; "X License Agreement" → "x license".
std::string licence_name(std::string_view text) {
    std::string name = folded(text.substr(0, text.find(" (")));
    constexpr std::string_view tail = " agreement";
    if (name.ends_with(tail)) name.resize(name.size() - tail.size());
    return name;
}

}  // namespace

std::string folded(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    text = text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
    std::string lower(text);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

const char* content_name(Content content) {
    switch (content) {
        case Content::code: return "code";
        case Content::data: return "data";
        case Content::document: return "document";
    }
    return "";
}

const char* terms_name(Terms terms) {
    switch (terms) {
        case Terms::osi: return "osi_approved";
        case Terms::open: return "open";
        case Terms::not_open: return "not_open";
        case Terms::unlicensed: return "unlicensed";
        case Terms::unknown: return "unknown";
    }
    return "";
}

Terms LicenceLists::exact(std::string_view spdx) const {
    if (spdx.empty() || spdx == "unlicensed") return Terms::unlicensed;
    const auto found = by_id_.find(spdx);
    return found == by_id_.end() ? Terms::unknown : found->second;
}

std::optional<std::string> LicenceLists::spdx(std::string_view text) const {
    if (by_id_.contains(text)) return std::string(text);
    const auto found = to_id_.find(licence_name(text));
    if (found == to_id_.end()) return std::nullopt;
    return found->second;
}

Terms LicenceLists::written(std::string_view text) const {
    const std::string name = licence_name(text);
    if (name.empty()) return Terms::unknown;
    if (const auto id = spdx(text)) return exact(*id);
    if (starts_with_one_of(name, unlicensed_)) return Terms::unlicensed;
    return not_open_.contains(name) ? Terms::not_open : Terms::unknown;
}

bool LicenceLists::suits(std::string_view spdx, Content content) const {
    return suits_[static_cast<std::size_t>(content)].contains(spdx);
}

bool LicenceLists::says_absent(std::string_view text) const {
    return starts_with_one_of(folded(text), absent_);
}

const OpennessTables& OpennessTables::embedded() {
    static const OpennessTables kTables;
    return kTables;
}

OpennessTables::OpennessTables() {
    read_components();
    read_licences();
}

std::optional<std::size_t> OpennessTables::by_key(std::string_view key) const {
    for (std::size_t i = 0; i < kinds_.size(); ++i)
        if (kinds_[i].key == key) return i;
    return std::nullopt;
}

std::optional<std::size_t> OpennessTables::by_name(std::string_view name) const {
    for (std::size_t i = 0; i < kinds_.size(); ++i)
        if (kinds_[i].mof_class > 0 && kinds_[i].name == name) return i;
    return std::nullopt;
}

std::vector<std::size_t> OpennessTables::by_flag(std::string_view flag) const {
    const auto found = stands_for_.find(flag);
    if (found != stands_for_.end()) return found->second;
    if (const auto kind = by_key(flag)) return {*kind};
    return {};
}

void OpennessTables::read_components() {
    const Json root = table(embedded_components());
    for (const Json& row : root["components"]) {
        ComponentKind kind;
        kind.key = row["key"];
        kind.name = row["name"];
        kind.content = row["type"] == "code"   ? Content::code
                       : row["type"] == "data" ? Content::data
                                               : Content::document;
        kind.mof_class = row["class"];
        kind.required = row["required"];
        kinds_.push_back(std::move(kind));
    }
    const auto kinds_of = [this](const std::vector<std::string>& keys) {
        std::vector<std::size_t> list;
        for (const std::string& key : keys) {
            const auto kind = by_key(key);
            HEFT_CHECK(kind.has_value());
            list.push_back(*kind);
        }
        return list;
    };
    for (const auto& row : root["stands_for"].items())
        stands_for_[row.key()] = kinds_of(row.value().get<std::vector<std::string>>());
    for (const Json& row : root["osaid"]) {
        ChecklistItem item;
        item.id = row["id"];
        item.part = row["part"];
        item.asks = row["asks"];
        item.any_of = kinds_of(strings(row, "any_of"));
        item.weak = kinds_of(strings(row, "weak"));
        item.terms = row["terms"] == "osi" ? AskedTerms::osi : AskedTerms::open;
        item.partly = row["partly"];
        item.changeable = row["changeable"];
        checklist_.push_back(std::move(item));
    }
    for (const Json& row : root["signs"])
        signs_.push_back({.kind = kinds_of({row["key"].get<std::string>()}).front(),
                          .files = strings(row, "files"),
                          .headings = strings(row, "headings"),
                          .fields = strings(row, "fields"),
                          .links = strings(row, "links"),
                          .partial = row.value("partial", false)});
    report_ = kinds_of({root["substitute"]["instead_of"].get<std::string>()}).front();
    paper_ = kinds_of({root["substitute"]["counts"].get<std::string>()}).front();
}

void OpennessTables::read_licences() {
    const Json root = table(embedded_licences());
    const std::pair<const char*, Terms> lists[] = {{"osi", Terms::osi},
                                                   {"fsf", Terms::open},
                                                   {"open_data", Terms::open},
                                                   {"everything", Terms::open},
                                                   {"other_spdx", Terms::not_open}};
    for (const auto& [name, terms] : lists) {
        for (const std::string& id : strings(root, name)) {
            licences_.by_id_[id] = terms;
            licences_.to_id_[folded(id)] = id;
        }
    }
    for (const auto& row : root["aliases"].items()) licences_.to_id_[row.key()] = row.value();
    for (const std::string& name : strings(root, "not_open")) licences_.not_open_.insert(name);
    licences_.unlicensed_ = strings(root, "unlicensed");
    licences_.absent_ = strings(root, "absent");
    constexpr Content contents[] = {Content::code, Content::data, Content::document};
    for (const Content content : contents)
        for (const std::string& id :
             strings(root, ("suits_" + std::string(content_name(content))).c_str()))
            licences_.suits_[static_cast<std::size_t>(content)].insert(id);
}

}  // namespace heft::openness
