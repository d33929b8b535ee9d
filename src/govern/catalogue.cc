#include "govern/catalogue.h"

#include <algorithm>

#include "base/json.h"
#include "base/mapped_file.h"
#include "base/user_folder.h"
#include "format/yaml.h"
#include "govern/built_in.h"
#include "govern/tree.h"
#include "govern/tree_of.h"
#include "govern/words.h"

namespace heft::govern {

namespace {

constexpr std::size_t kMostFiles = 1000;
constexpr std::size_t kMostBytes = 1U << 20;

bool says_yes(const Json& row, const char* key) {
    return text_of(row, key) == "yes";
}

ReleaseRow release_row(const Json& row) {
    ReleaseRow out;
    out.match = texts_of(row, "match");
    out.licences = texts_of(row, "licence");
    out.also = texts_of(row, "also");
    out.base = text_of(row, "base");
    out.why = text_of(row, "why");
    out.conflict = says_yes(row, "conflict");
    out.harmless = says_yes(row, "harmless");
    if (const Json* changed = member(row, "changed"))
        for (const Json& earlier : *changed)
            out.changed.push_back({text_of(earlier, "licence"), text_of(earlier, "until")});
    return out;
}

// "GPL-3.0-only" and "gpl 3.0 only" are one name; + is kept, for openrail and openrail++ are two.
std::string name_key(std::string_view name) {
    std::string key = words_of(name);
    key.append(static_cast<std::size_t>(std::count(name.begin(), name.end(), '+')), '+');
    return key;
}

bool lists(const std::vector<std::string>& names, const std::string& key) {
    return std::any_of(names.begin(), names.end(),
                       [&key](const std::string& name) { return name_key(name) == key; });
}

Result<std::vector<std::filesystem::path>> yaml_files(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    std::error_code error;
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        const auto& path = entry->path();
        if (path.extension() != ".yaml" && path.extension() != ".yml") continue;
        if (files.size() == kMostFiles)
            return Error{Code::exhausted, folder.string() + ": more than 1000 licences"};
        files.push_back(path);
    }
    if (error)
        return Error{Code::not_found, folder.string() + ": cannot be listed: " + error.message()};
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace

Result<Catalogue> Catalogue::built_in() {
    HEFT_TRY(const JsonDoc document, JsonDoc::parse(built_in_catalogue()));
    Json tree = tree_of(document.root());
    Catalogue catalogue;
    const Json* vocabulary = member(tree, "vocabulary");
    const Json* releases = member(tree, "releases");
    const auto licences = tree.find("licences");
    const Json* texts = member(tree, "tiny");
    if (vocabulary == nullptr || releases == nullptr || licences == tree.end() || texts == nullptr)
        return Error{Code::internal, "the built-in catalogue is incomplete"};
    HEFT_TRY(catalogue.vocabulary_, Vocabulary::read(*vocabulary));
    for (const Json& row : *releases) catalogue.releases_.push_back(release_row(row));
    for (const auto& [name, text] : texts->items())
        catalogue.built_in_texts_.push_back({name, text_of(*texts, name)});
    for (Json& entry : *licences) {
        HEFT_TRY(Licence licence, read_licence(std::move(entry), catalogue.vocabulary_));
        HEFT_OK(catalogue.add(std::move(licence)));
    }
    return catalogue;
}

Result<Catalogue> Catalogue::open(const std::filesystem::path& folder) {
    HEFT_TRY(Catalogue catalogue, built_in());
    const auto config = user_folder("XDG_CONFIG_HOME", ".config");
    std::error_code ignored;
    if (!config.empty() && std::filesystem::is_directory(config / "heft" / "licences", ignored))
        HEFT_OK(catalogue.add_folder(config / "heft" / "licences"));
    if (!folder.empty()) HEFT_OK(catalogue.add_folder(folder));
    return catalogue;
}

Status Catalogue::add_folder(const std::filesystem::path& folder) {
    HEFT_TRY(const auto files, yaml_files(folder));
    for (const auto& file : files) {
        HEFT_TRY(const std::string text, read_text(file, kMostBytes));
        auto tree = format::read_yaml(text);
        if (!tree) return within(file.string(), std::move(tree.error()));
        auto licence = read_licence(std::move(*tree), vocabulary_);
        if (!licence) return within(file.string(), std::move(licence.error()));
        HEFT_OK(add(std::move(*licence)));
    }
    return {};
}

Status Catalogue::add(Licence licence) {
    const auto same =
        std::find_if(licences_.begin(), licences_.end(),
                     [&licence](const Licence& other) { return other.id == licence.id; });
    if (same != licences_.end())
        *same = std::move(licence);
    else
        licences_.push_back(std::move(licence));
    return {};
}

const Licence* Catalogue::find(std::string_view id) const {
    for (const Licence& licence : licences_)
        if (licence.id == id) return &licence;
    return nullptr;
}

std::vector<const Licence*> Catalogue::find_all(const std::vector<std::string>& ids) const {
    std::vector<const Licence*> list;
    for (const std::string& id : ids)
        if (const Licence* licence = find(id)) list.push_back(licence);
    return list;
}

std::vector<const Licence*> Catalogue::named(std::string_view name) const {
    const std::string key = name_key(name);
    std::vector<const Licence*> found;
    if (key.empty()) return found;
    for (const Licence& licence : licences_)
        if (name_key(licence.id) == key || name_key(licence.spdx) == key) return {&licence};
    for (const Licence& licence : licences_)
        if (goes_by(licence, name)) found.push_back(&licence);
    return found;
}

bool Catalogue::goes_by(const Licence& licence, std::string_view name) {
    const std::string key = name_key(name);
    return !key.empty()
           && (name_key(licence.id) == key || name_key(licence.spdx) == key
               || name_key(licence.name) == key || lists(licence.hub_tags, key)
               || lists(licence.hub_names, key) || lists(licence.aliases, key));
}

const ReleaseRow* Catalogue::release(std::string_view repository) const {
    const std::string name = repository_name(repository);
    for (const ReleaseRow& row : releases_)
        for (const std::string& pattern : row.match)
            if (matches(pattern, name)) return &row;
    return nullptr;
}

std::string joined_ids(const std::vector<const Licence*>& licences, std::string_view by) {
    std::string ids;
    for (const Licence* licence : licences)
        ids.append(ids.empty() ? std::string_view() : by).append(licence->id);
    return ids.empty() ? "unknown" : ids;
}

}  // namespace heft::govern
