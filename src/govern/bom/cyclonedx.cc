// CycloneDX 1.6, specification ECMA-424: bom-1.6.schema.json.
#include <nlohmann/json.hpp>

#include "govern/bom/bom.h"

namespace heft::bom {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kModel = "model";

Json heft_itself(const Facts& facts) {
    return {{"type", "application"}, {"name", "heft"}, {"version", facts.tool_version}};
}

// RFC 4122's shape: version 8, "custom".
std::string uuid(const std::string& hex) {
    return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-8" + hex.substr(13, 3) + "-a"
           + hex.substr(17, 3) + "-" + hex.substr(20, 12);
}

Json licences(const Facts& facts) {
    Json licence = {{facts.is_spdx ? "id" : "name", facts.licence},
                    {"acknowledgement", "declared"}};
    if (!facts.licence_text.empty())
        licence["text"] = {{"contentType", "text/plain"}, {"content", facts.licence_text}};
    return Json::array({{{"license", std::move(licence)}}});
}

Json model_card(const Facts& facts) {
    Json parameters = Json::object();
    if (!facts.task.empty()) parameters["task"] = facts.task;
    parameters["architectureFamily"] = "transformer";
    if (!facts.architecture.empty()) parameters["modelArchitecture"] = facts.architecture;
    for (const std::string& dataset : facts.datasets)
        parameters["datasets"].push_back({{"type", "dataset"}, {"name", dataset}});
    Json card = {{"modelParameters", std::move(parameters)}};
    for (const auto& [name, value] : facts.parameters)
        card["properties"].push_back({{"name", "heft:" + name}, {"value", value}});
    return card;
}

Json ancestors(const Facts& facts) {
    Json list = Json::array();
    for (const std::string& parent : facts.parents) {
        Json ancestor = {{"type", "machine-learning-model"}, {"name", parent}};
        if (!facts.relation.empty())
            ancestor["properties"] =
                Json::array({{{"name", "heft:relation"}, {"value", facts.relation}}});
        list.push_back(std::move(ancestor));
    }
    return list;
}

Json model(const Facts& facts) {
    Json out = {{"type", "machine-learning-model"}, {"bom-ref", kModel}, {"name", facts.name}};
    if (!facts.version.empty()) out["version"] = facts.version;
    if (!facts.supplier.empty()) out["supplier"] = {{"name", facts.supplier}};
    if (!facts.description.empty()) out["description"] = facts.description;
    if (!facts.licence.empty()) out["licenses"] = licences(facts);
    if (!facts.parents.empty()) out["pedigree"] = {{"ancestors", ancestors(facts)}};
    if (!facts.download.empty())
        out["externalReferences"] =
            Json::array({{{"type", "distribution"}, {"url", facts.download}}});
    out["modelCard"] = model_card(facts);
    for (const Term& term : facts.terms)
        out["properties"].push_back({{"name", "heft:terms:" + term.name}, {"value", term.text}});
    return out;
}

}  // namespace

Json cyclonedx(const Facts& facts) {
    Json out = {{"$schema", "http://cyclonedx.org/schema/bom-1.6.schema.json"},
                {"bomFormat", "CycloneDX"},
                {"specVersion", "1.6"},
                {"serialNumber", "urn:uuid:" + uuid(identity(facts))},
                {"version", 1}};
    out["metadata"] = {{"timestamp", facts.created},
                       {"tools", {{"components", Json::array({heft_itself(facts)})}}},
                       {"component", model(facts)}};
    Json files = Json::array(), references = Json::array();
    for (std::size_t i = 0; i < facts.files.size(); ++i) {
        const File& file = facts.files[i];
        const std::string reference = "file-" + std::to_string(i);
        references.push_back(reference);
        files.push_back({{"type", "file"},
                         {"bom-ref", reference},
                         {"name", file.name},
                         {"hashes", Json::array({{{"alg", "SHA-256"}, {"content", file.sha256}}})},
                         {"properties", Json::array({{{"name", "heft:bytes"},
                                                      {"value", std::to_string(file.bytes)}}})}});
    }
    out["components"] = std::move(files);
    out["dependencies"] = Json::array({{{"ref", kModel}, {"dependsOn", std::move(references)}}});
    for (const Term& term : facts.terms)
        out["annotations"].push_back({{"subjects", Json::array({kModel})},
                                      {"annotator", {{"component", heft_itself(facts)}}},
                                      {"timestamp", facts.created},
                                      {"text", term.name + ": " + term.text}});
    return out;
}

}  // namespace heft::bom
