#include "merge/side_files.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/json_text.h"
#include "convert/source_notes.h"
#include "merge/chat_templates.h"

namespace heft::merge {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kLayerCounts[] = {"num_hidden_layers", "n_layer", "num_layers", "n_layers"};

Result<Json> read_tree(const Model& model, const char* name) {
    HEFT_TRY(const MappedFile file, model.checkpoint->side_file(name));
    auto tree = parse_json_tree(as_text(file.bytes()));
    if (!tree) return within(model.reference + ": " + name, std::move(tree.error()));
    if (!tree->is_object())
        return Error{Code::corrupt, model.reference + ": " + name + " is not a JSON object"};
    return tree;
}

// The first model that has files to take over.
Result<const Model*> folder_among(const Plan& plan) {
    for (const Model& model : plan.models)
        if (model.checkpoint->kind() == format::Kind::huggingface) return &model;
    return Error{Code::unsupported,
                 "all models are GGUF files, of which no Hugging Face folder can be made; name a "
                 "result that ends in .gguf"};
}

// Lists with an entry for each layer follow the layers.
void follow_layers(const Plan& plan, std::size_t n_before, Json& config) {
    for (auto& item : config.items()) {
        Json& list = item.value();
        if (!list.is_array() || list.size() != n_before || n_before < 2) continue;
        Json moved = Json::array();
        for (const LayerOrigin& origin : plan.layers)
            moved.push_back(list[std::min(static_cast<std::size_t>(origin.layer), n_before - 1)]);
        list = std::move(moved);
    }
}

void adapt_part(const Plan& plan, bool is_inner, Json& config) {
    for (const char* key : kLayerCounts) {
        if (!config.contains(key) || !config[key].is_number_unsigned()) continue;
        const auto before = config[key].get<std::size_t>();
        if (plan.recipe.stacks) follow_layers(plan, before, config);
        config[key] = plan.layers.size();
    }
    if (config.contains("vocab_size") || !is_inner) config["vocab_size"] = plan.vocabulary.n_rows;
    if (config.contains("tie_word_embeddings") || !is_inner)
        config["tie_word_embeddings"] = !plan.has_output;
}

Result<std::string> config_of(const Plan& plan, const Model& model) {
    HEFT_TRY(Json config, read_tree(model, "config.json"));
    const bool nested = config.contains("text_config") && config["text_config"].is_object();
    adapt_part(plan, nested, config);
    if (nested) adapt_part(plan, false, config["text_config"]);
    const auto matrix = std::find_if(
        plan.tensors.begin(), plan.tensors.end(),
        [](const PlannedTensor& tensor) { return !tensor.is_buffer && tensor.shape.size() >= 2; });
    if (matrix != plan.tensors.end()) {
        const char* key = config.contains("dtype") ? "dtype" : "torch_dtype";
        config[key] = convert::torch_name(matrix->type);
    }
    config.erase("quantization_config");  // the result is stored plainly
    return json_file(config);
}

Json added_token(const Vocabulary::Added& token) {
    return {
        {"id", token.id},  {"content", token.text}, {"single_word", false},       {"lstrip", false},
        {"rstrip", false}, {"normalized", false},   {"special", token.is_control}};
}

Status add_tokens(const Vocabulary& vocabulary, Json& tokenizer) {
    for (const Vocabulary::Added& token : vocabulary.added) {
        if (token.is_whole) {
            tokenizer["added_tokens"].push_back(added_token(token));
            continue;
        }
        if (!tokenizer.contains("model") || !tokenizer["model"].is_object()
            || !tokenizer["model"].contains("vocab") || !tokenizer["model"]["vocab"].is_object())
            return Error{Code::unsupported,
                         "the tokenizer's kind of vocabulary cannot be given more tokens; choose "
                         "one model's tokenizer rather than a union"};
        // Of the vector beneath: that the key is new is known.
        auto& entries = tokenizer["model"]["vocab"].get_ref<Json::object_t&>();
        static_cast<Json::object_t::Container&>(entries).emplace_back(token.text, token.id);
    }
    return {};
}

Status take_tokenizer(const Plan& plan, const Model& model, std::vector<SideFile>& files) {
    for (const std::string_view name : convert::kTokenizerFiles)
        if (const auto file = model.checkpoint->side_file(name))
            files.push_back({std::string(name), std::string(as_text(file->bytes()))});
    if (plan.vocabulary.added.empty()) return {};
    const auto json = std::find_if(files.begin(), files.end(), [](const SideFile& file) {
        return file.name == "tokenizer.json";
    });
    if (json == files.end())
        return Error{Code::unsupported,
                     model.reference + ": has no tokenizer.json to add tokens to; choose one "
                                       "model's tokenizer rather than a union"};
    HEFT_TRY(Json tree, read_tree(model, "tokenizer.json"));
    HEFT_OK(add_tokens(plan.vocabulary, tree));
    json->text = json_file(tree);
    // These say the same in older forms, and would contradict it now.
    std::erase_if(files, [](const SideFile& file) {
        return file.name == "tokenizer.model" || file.name == "added_tokens.json"
               || file.name == "vocab.json" || file.name == "merges.txt";
    });
    return {};
}

Status set_template(const Plan& plan, std::vector<SideFile>& files) {
    HEFT_TRY(const std::optional<std::string> chosen, chosen_template(plan));
    if (!chosen) return {};
    std::erase_if(files, [](const SideFile& file) { return file.name == "chat_template.jinja"; });
    files.push_back({"chat_template.jinja", *chosen});
    for (SideFile& file : files) {
        if (file.name != "tokenizer_config.json") continue;
        HEFT_TRY(Json tree, parse_json_tree(file.text));
        tree["chat_template"] = *chosen;  // for programs that look nowhere else
        file.text = json_file(tree);
    }
    return {};
}

}  // namespace

Result<std::vector<SideFile>> side_files(const Plan& plan) {
    HEFT_TRY(const Model* const folder, folder_among(plan));
    std::vector<SideFile> files;
    HEFT_TRY(std::string config, config_of(plan, *folder));
    files.push_back({"config.json", std::move(config)});
    if (const auto file = folder->checkpoint->side_file("generation_config.json"))
        files.push_back({"generation_config.json", std::string(as_text(file->bytes()))});
    const Model* tokenizer = &plan.models[static_cast<std::size_t>(plan.vocabulary.tokenizer_of)];
    if (tokenizer->checkpoint->kind() != format::Kind::huggingface) {
        if (plan.vocabulary.is_changed)
            return Error{Code::unsupported, tokenizer->reference
                                                + ": the tokenizer of a GGUF file cannot be put "
                                                  "into a folder; choose another model's"};
        tokenizer = folder;
    }
    HEFT_OK(take_tokenizer(plan, *tokenizer, files));
    HEFT_OK(set_template(plan, files));
    return files;
}

}  // namespace heft::merge
