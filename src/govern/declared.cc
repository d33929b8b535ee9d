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

void read_card(const ReleaseFiles::File& file, Declared& declared) {
    const format::Card card = format::split_card(file.text);
    declared.card += card.body;
    if (!card.front_matter) return;
    const auto tree = format::read_yaml(*card.front_matter);
    if (!tree) {
        declared.problems.push_back(file.name + ": front matter: " + tree.error().what);
        return;
    }
    for (const char* key : {"license", "license_name"})
        for (const std::string& name : texts_of(*tree, key))
            declared.names.push_back({file.name + ": " + key, name});
    for (const std::string& link : texts_of(*tree, "license_link")) add_once(declared.links, link);
    for (const std::string& base : texts_of(*tree, "base_model"))
        add_once(declared.base_models, base);
}

void read_config(const ReleaseFiles::File& file, Declared& declared) {
    const auto tree = parse_json_tree(file.text);
    if (!tree) return;  // reading the model itself tells that
    add_once(declared.base_models, text_of(*tree, "base_model_name_or_path"));
    if (text_of(*tree, "model_type").empty()) return;
    declared.is_multimodal = false;
    for (const char* key : {"vision_config", "audio_config", "image_token_id", "image_token_index"})
        if (member(*tree, key) != nullptr) declared.is_multimodal = true;
}

}  // namespace

Declared declared_by(const ReleaseFiles& files) {
    Declared declared;
    for (const auto& file : files.files) {
        const std::string name = repository_name(file.name);
        if (name.ends_with(".json"))
            read_config(file, declared);
        else if (name == "readme.md" || name.find("card") != std::string::npos)
            read_card(file, declared);
    }
    if (!files.gguf_license.empty())
        declared.names.push_back({"general.license", files.gguf_license});
    if (!files.gguf_license_name.empty())
        declared.names.push_back({"general.license.name", files.gguf_license_name});
    add_once(declared.links, files.gguf_license_link);
    for (const std::string& base : files.gguf_base_models) add_once(declared.base_models, base);
    return declared;
}

}  // namespace heft::govern
