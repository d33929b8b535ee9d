#include "govern/declared.h"

#include <algorithm>

#include "base/json.h"
#include "format/yaml.h"
#include "govern/tree.h"
#include "govern/words.h"

namespace heft::govern {

namespace {

void add_once(std::vector<std::string>& list, const std::string& item) {
    if (!item.empty() && std::find(list.begin(), list.end(), item) == list.end())
        list.push_back(item);
}

void add_each(std::vector<std::string>& list, const std::vector<std::string>& items) {
    for (const std::string& item : items) add_once(list, item);
}

void fill(std::string& field, const std::string& text) {
    if (field.empty()) field = text;
}

void read_card(const ReleaseFiles::Text& file, Declared& declared) {
    const format::Card card = format::split_card(file.text);
    declared.card += card.body;
    if (!card.front_matter) return;
    auto tree = format::read_yaml(*card.front_matter);
    if (!tree) {
        declared.problems.push_back(file.name + ": front matter: " + tree.error().what);
        return;
    }
    for (const char* key : {"license", "license_name"})
        for (const std::string& name : texts_of(*tree, key))
            declared.names.push_back({file.name + ": " + key, name});
    add_each(declared.links, texts_of(*tree, "license_link"));
    add_each(declared.base_models, texts_of(*tree, "base_model"));
    add_each(declared.datasets, texts_of(*tree, "datasets"));
    add_each(declared.tags, texts_of(*tree, "tags"));
    fill(declared.relation, text_of(*tree, "base_model_relation"));
    fill(declared.task, text_of(*tree, "pipeline_tag"));
    if (declared.front_matter.is_null()) declared.front_matter = std::move(*tree);
}

void read_config(const ReleaseFiles::Text& file, Declared& declared) {
    const auto tree = parse_json_tree(file.text);
    if (!tree) return;  // reading the model itself tells that
    add_once(declared.base_models, text_of(*tree, "base_model_name_or_path"));
    if (text_of(*tree, "model_type").empty()) return;
    declared.is_multimodal = false;
    for (const char* key : {"vision_config", "audio_config", "image_token_id", "image_token_index"})
        if (member(*tree, key) != nullptr) declared.is_multimodal = true;
}

void read_metadata(const MetadataTexts& metadata, Declared& declared) {
    if (!metadata.licence.empty()) declared.names.push_back({"general.license", metadata.licence});
    if (!metadata.licence_name.empty())
        declared.names.push_back({"general.license.name", metadata.licence_name});
    add_once(declared.links, metadata.licence_link);
    add_each(declared.base_models, metadata.base_models);
    add_each(declared.datasets, metadata.datasets);
    add_each(declared.tags, metadata.tags);
    fill(declared.author, metadata.author);
    fill(declared.version, metadata.version);
    fill(declared.description, metadata.description);
    fill(declared.url, metadata.url);
}

}  // namespace

Declared declared_by(const ReleaseFiles& files) {
    Declared declared;
    for (const auto& file : files.texts) {
        const std::string name = repository_name(file.name);
        if (name.ends_with(".json"))
            read_config(file, declared);
        else if (name == "readme.md" || name.find("card") != std::string::npos)
            read_card(file, declared);
    }
    read_metadata(files.metadata, declared);
    return declared;
}

}  // namespace heft::govern
