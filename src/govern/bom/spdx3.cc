// SPDX 3.0.1, profiles core, software, simpleLicensing and ai, as JSON-LD in the form of the
// official context: spdx.github.io/spdx-spec/v3.0.1.
#include <nlohmann/json.hpp>

#include "govern/bom/bom.h"

namespace heft::bom {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kCreation = "_:creation";

class Graph {
  public:
    explicit Graph(const Facts& facts) : facts_(facts), base_("urn:heft:bom:" + identity(facts)) {}

    std::string iri(const std::string& name) const { return base_ + "#" + name; }

    // Adds an element and gives its IRI.
    std::string element(const char* type, const std::string& id, Json fields) {
        Json out = {{"type", type}, {"spdxId", iri(id)}, {"creationInfo", kCreation}};
        out.update(fields);
        elements_.push_back(iri(id));
        graph_.push_back(std::move(out));
        return iri(id);
    }

    void relate(const std::string& from, const char* type, const Json& to) {
        if (to.empty()) return;
        element("Relationship", "relationship-" + std::to_string(++n_relations_),
                {{"from", from}, {"relationshipType", type}, {"to", to}});
    }

    void annotate(const std::string& subject, const std::string& statement) {
        element("Annotation", "annotation-" + std::to_string(++n_annotations_),
                {{"annotationType", "other"}, {"subject", subject}, {"statement", statement}});
    }

    // Everything so far, with what describes the document itself before it.
    Json document(const std::string& model) {
        const Json all = elements_;
        Json head = Json::array();
        head.push_back({{"type", "CreationInfo"},
                        {"@id", kCreation},
                        {"specVersion", "3.0.1"},
                        {"created", facts_.created},
                        {"createdBy", Json::array({iri("heft")})},
                        {"createdUsing", Json::array({iri("heft-tool")})}});
        head.push_back(
            {{"type", "SpdxDocument"},
             {"spdxId", iri("document")},
             {"creationInfo", kCreation},
             {"name", facts_.name},
             {"profileConformance", Json::array({"core", "software", "simpleLicensing", "ai"})},
             {"rootElement", Json::array({iri("bom")})},
             {"element", all}});
        head.push_back({{"type", "software_Sbom"},
                        {"spdxId", iri("bom")},
                        {"creationInfo", kCreation},
                        {"software_sbomType", Json::array({"analyzed"})},
                        {"rootElement", Json::array({model})},
                        {"element", all}});
        for (Json& item : graph_) head.push_back(std::move(item));
        return {{"@context", "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"},
                {"@graph", std::move(head)}};
    }

  private:
    const Facts& facts_;
    std::string base_;
    Json graph_ = Json::array();
    std::vector<std::string> elements_;
    int n_relations_ = 0, n_annotations_ = 0;
};

// The AI profile requires a version, a place to get it, a time and a supplier. Where they are not
// known the document says so rather than inventing one; a time cannot be "unknown" and is left to
// that of the document, with an annotation.
Json model_fields(const Facts& facts, const std::string& supplier) {
    Json out = {{"name", facts.name},
                {"suppliedBy", supplier},
                {"releaseTime", facts.released.empty() ? facts.created : facts.released},
                {"software_primaryPurpose", "model"},
                {"software_packageVersion", facts.version.empty() ? "NOASSERTION" : facts.version},
                {"software_downloadLocation",
                 facts.download.empty() ? "urn:spdx:NOASSERTION" : facts.download}};
    if (!facts.description.empty()) out["description"] = facts.description;
    if (!facts.architecture.empty()) out["ai_typeOfModel"] = Json::array({facts.architecture});
    if (!facts.task.empty()) out["ai_domain"] = Json::array({facts.task});
    for (const auto& [name, value] : facts.parameters)
        out["ai_hyperparameter"].push_back(
            {{"type", "DictionaryEntry"}, {"key", name}, {"value", value}});
    return out;
}

void add_licence(Graph& graph, const Facts& facts, const std::string& model) {
    if (facts.licence.empty()) return;
    std::string expression = facts.licence;
    Json fields = Json::object();
    if (!facts.is_spdx) {
        // An identifier of our own; letters, digits, dots and hyphens only.
        std::string own = "LicenseRef-";
        for (const char c : facts.licence) {
            const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
                               || (c >= '0' && c <= '9') || c == '.';
            own += plain ? c : '-';
        }
        expression = own;
        const std::string text =
            graph.element("simplelicensing_SimpleLicensingText", "licence-text",
                          {{"name", facts.licence},
                           {"simplelicensing_licenseText",
                            facts.licence_text.empty() ? "NOASSERTION" : facts.licence_text}});
        fields["simplelicensing_customIdToUri"] =
            Json::array({{{"type", "DictionaryEntry"}, {"key", own}, {"value", text}}});
    }
    fields["simplelicensing_licenseExpression"] = expression;
    const std::string licence =
        graph.element("simplelicensing_LicenseExpression", "licence", std::move(fields));
    graph.relate(model, "hasDeclaredLicense", Json::array({licence}));
}

// Models and data that it was made from: named by whoever released it, not seen here.
Json others(Graph& graph, const char* what, const char* purpose,
            const std::vector<std::string>& names) {
    Json list = Json::array();
    for (std::size_t i = 0; i < names.size(); ++i)
        list.push_back(graph.element("software_Package", what + std::to_string(i),
                                     {{"name", names[i]}, {"software_primaryPurpose", purpose}}));
    return list;
}

}  // namespace

Json spdx3(const Facts& facts) {
    Graph graph(facts);
    graph.element("SoftwareAgent", "heft", {{"name", "heft"}});
    graph.element("Tool", "heft-tool", {{"name", "heft " + facts.tool_version}});
    const std::string supplier =
        graph.element("Organization", "supplier",
                      {{"name", facts.supplier.empty() ? "NOASSERTION" : facts.supplier}});
    const std::string model = graph.element("ai_AIPackage", "model", model_fields(facts, supplier));
    Json files = Json::array();
    for (std::size_t i = 0; i < facts.files.size(); ++i)
        files.push_back(graph.element(
            "software_File", "file-" + std::to_string(i),
            {{"name", facts.files[i].name},
             {"verifiedUsing", Json::array({{{"type", "Hash"},
                                             {"algorithm", "sha256"},
                                             {"hashValue", facts.files[i].sha256}}})}}));
    graph.relate(model, "contains", files);
    add_licence(graph, facts, model);
    graph.relate(model, "descendantOf", others(graph, "parent-", "model", facts.parents));
    graph.relate(model, "trainedOn", others(graph, "dataset-", "data", facts.datasets));
    if (!facts.relation.empty())
        graph.annotate(model, "relation to its parents: " + facts.relation);
    if (facts.released.empty())
        graph.annotate(model, "releaseTime is not known; it is this document's time");
    for (const Term& term : facts.terms) graph.annotate(model, term.name + ": " + term.text);
    return graph.document(model);
}

}  // namespace heft::bom
