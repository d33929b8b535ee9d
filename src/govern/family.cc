#include "govern/family.h"

#include <set>
#include <string_view>
#include <vector>

#include "govern/tree.h"

namespace heft::govern {

namespace {

constexpr int kDeepest = 300;  // steps; a record that heft wrote has at most 256

Json text_or_null(const Json& tree, const char* key) {
    std::string text = text_of(tree, key);
    return text.empty() ? Json() : Json(std::move(text));
}

// Items of a list that are objects.
std::vector<const Json*> objects_of(const Json& tree, const char* key) {
    std::vector<const Json*> out;
    const Json* list = member(tree, key);
    if (list == nullptr || !list->is_array()) return out;
    for (const Json& item : *list)
        if (item.is_object()) out.push_back(&item);
    return out;
}

// "Q4_K_M", "ties".
Json how(const Json& record) {
    const Json* options = member(record, "options");
    if (options == nullptr) return nullptr;
    for (const char* key : {"type", "method"})
        if (!text_of(*options, key).empty()) return text_of(*options, key);
    return nullptr;
}

// Of an input, as the record of what was made of it says.
Json licences_of(const Json& record, const std::string& model) {
    Json ids = Json::array();
    for (const Json* parent : objects_of(record, "parents")) {
        if (text_of(*parent, "model") != model) continue;
        for (const Json* licence : objects_of(*parent, "licences"))
            if (!text_of(*licence, "id").empty()) ids.push_back(text_of(*licence, "id"));
        break;
    }
    return ids;
}

class Tree {
  public:
    explicit Tree(const Json& record) : history_(objects_of(record, "history")) {}

    Json grown(const Json& record, const std::string& model) {
        Json root = node(model, nullptr, Json::array());
        add_step(root, record, 0);
        root["unlinked"] = Json::array();
        root["is_cut"] = false;
        for (const Json* step : history_) {
            if (member(*step, "cut") != nullptr) root["is_cut"] = true;
            if (member(*step, "cut") != nullptr || shown_.contains(step)) continue;
            shown_.insert(step);
            Json lost = node("?", nullptr, Json::array());
            lost["sha256"] = text_or_null(*step, "of");
            add_step(lost, *step, 0);
            root["unlinked"].push_back(std::move(lost));
        }
        return root;
    }

  private:
    static Json node(const std::string& model, Json relation, Json licences) {
        return {{"model", model},
                {"relation", std::move(relation)},
                {"licences", std::move(licences)},
                {"sha256", nullptr},
                {"verb", nullptr},
                {"made_by", nullptr},
                {"how", nullptr},
                {"parents", nullptr}};
    }

    void add_step(Json& to, const Json& record, int depth) {
        to["verb"] = text_or_null(record, "verb");
        to["made_by"] = text_or_null(record, "made_by");
        to["how"] = how(record);
        to["parents"] = Json::array();
        for (const Json* input : objects_of(record, "inputs"))
            to["parents"].push_back(parent(record, *input, depth + 1));
    }

    Json parent(const Json& record, const Json& input, int depth) {
        const std::string model = text_of(input, "model");
        Json out = node(model.empty() ? "?" : model, text_or_null(input, "relation"),
                        licences_of(record, model));
        const auto files = objects_of(input, "files");
        if (files.empty()) return out;
        out["sha256"] = text_or_null(*files.front(), "sha256");
        const Json* step = step_of(files);
        if (step == nullptr || depth > kDeepest) return out;
        if (above_.contains(step)) return out;  // a file that was made of one of the same bytes
        if (!shown_.insert(step).second) {
            out["repeated"] = true;
            return out;
        }
        above_.insert(step);
        add_step(out, *step, depth);
        above_.erase(step);
        return out;
    }

    // The record that came with one of the files. The newest, should there be several.
    const Json* step_of(const std::vector<const Json*>& files) const {
        for (const Json* file : files) {
            const std::string hash = text_of(*file, "sha256");
            for (auto step = history_.rbegin(); !hash.empty() && step != history_.rend(); ++step)
                if (text_of(**step, "of") == hash) return *step;
        }
        return nullptr;
    }

    std::vector<const Json*> history_;
    std::set<const Json*> shown_;
    std::set<const Json*> above_;  // on the way to the node at hand
};

}  // namespace

Json family_of(const Json& record, const std::string& model) {
    if (!record.is_object()) return nullptr;
    return Tree(record).grown(record, model);
}

}  // namespace heft::govern
