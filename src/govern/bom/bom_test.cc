#include "govern/bom/bom.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace heft::bom {
namespace {

using Json = nlohmann::ordered_json;

Facts some_facts() {
    Facts facts;
    facts.name = "child";
    facts.version = "1";
    facts.supplier = "someone";
    facts.architecture = "llama";
    facts.licence = "Apache-2.0";
    facts.is_spdx = true;
    facts.tool_version = "0.1";
    facts.created = "2026-11-26T12:00:00Z";
    facts.files = {{"model.gguf", 3, std::string(64, 'a')}, {"README.md", 4, std::string(64, 'b')}};
    facts.parents = {"org/parent"};
    facts.relation = "finetune";
    facts.datasets = {"org/data"};
    facts.terms = {{"naming", "the name begins with \"Llama\""}};
    return facts;
}

std::vector<Json> of_type(const Json& document, const std::string& type) {
    std::vector<Json> found;
    for (const Json& item : document.at("@graph"))
        if (item.at("type") == type) found.push_back(item);
    return found;
}

// What each class requires, by the tables of the specification, and the AI profile besides.
struct Required {
    const char* type;
    std::vector<const char*> fields;
};
const std::vector<Required> kRequired = {
    {"CreationInfo", {"@id", "specVersion", "created", "createdBy"}},
    {"SpdxDocument", {"spdxId", "creationInfo", "rootElement", "profileConformance"}},
    {"software_Sbom", {"spdxId", "creationInfo", "rootElement"}},
    {"SoftwareAgent", {"spdxId", "creationInfo", "name"}},
    {"Tool", {"spdxId", "creationInfo", "name"}},
    {"Organization", {"spdxId", "creationInfo", "name"}},
    {"ai_AIPackage",
     {"spdxId", "creationInfo", "name", "suppliedBy", "releaseTime", "software_packageVersion",
      "software_downloadLocation", "software_primaryPurpose"}},
    {"software_Package", {"spdxId", "creationInfo", "name"}},
    {"software_File", {"spdxId", "creationInfo", "name", "verifiedUsing"}},
    {"Relationship", {"spdxId", "creationInfo", "from", "to", "relationshipType"}},
    {"simplelicensing_LicenseExpression",
     {"spdxId", "creationInfo", "simplelicensing_licenseExpression"}},
    {"simplelicensing_SimpleLicensingText",
     {"spdxId", "creationInfo", "simplelicensing_licenseText"}},
    {"Annotation", {"spdxId", "creationInfo", "annotationType", "subject", "statement"}},
};

TEST(Spdx3, EveryElementHasWhatItsClassRequires) {
    Facts custom = some_facts();
    custom.licence = "my licence/1";
    custom.is_spdx = false;
    for (const Facts& facts : {some_facts(), custom, Facts{}}) {
        const Json document = spdx3(facts);
        EXPECT_EQ(document.at("@context"), "https://spdx.org/rdf/3.0.1/spdx-context.jsonld");
        for (const Json& item : document.at("@graph")) {
            const std::string type = item.at("type");
            const auto row =
                std::find_if(kRequired.begin(), kRequired.end(),
                             [&](const Required& required) { return type == required.type; });
            ASSERT_NE(row, kRequired.end()) << type;
            for (const char* field : row->fields)
                EXPECT_TRUE(item.contains(field)) << type << field;
        }
    }
}

TEST(Spdx3, ReferencesLeadToElements) {
    const Json document = spdx3(some_facts());
    std::set<std::string> ids;
    for (const Json& item : document.at("@graph"))
        if (item.contains("spdxId")) {
            EXPECT_TRUE(ids.insert(item.at("spdxId")).second);
        }
    for (const Json& item : of_type(document, "Relationship")) {
        EXPECT_TRUE(ids.contains(item.at("from")));
        for (const Json& to : item.at("to")) EXPECT_TRUE(ids.contains(to)) << to;
    }
    EXPECT_EQ(of_type(document, "software_File").size(), 2U);
    std::set<std::string> relations;
    for (const Json& item : of_type(document, "Relationship"))
        relations.insert(item.at("relationshipType"));
    EXPECT_THAT(relations, ::testing::UnorderedElementsAre("contains", "hasDeclaredLicense",
                                                           "descendantOf", "trainedOn"));
    bool told = false;
    for (const Json& item : of_type(document, "Annotation"))
        told = told || item.at("statement").get<std::string>().starts_with("naming: ");
    EXPECT_TRUE(told);
}

TEST(Spdx3, ALicenceOutsideTheListIsAReference) {
    Facts facts = some_facts();
    facts.licence = "llama 3/community";
    facts.is_spdx = false;
    facts.licence_text = "You may …";
    const Json document = spdx3(facts);
    const Json expression = of_type(document, "simplelicensing_LicenseExpression").at(0);
    EXPECT_EQ(expression.at("simplelicensing_licenseExpression"), "LicenseRef-llama-3-community");
    EXPECT_EQ(of_type(document, "simplelicensing_SimpleLicensingText")
                  .at(0)
                  .at("simplelicensing_licenseText"),
              "You may …");
}

TEST(Cyclonedx, HasTheRequiredFieldsAndTheModel) {
    for (const Facts& facts : {some_facts(), Facts{}}) {
        const Json document = cyclonedx(facts);
        EXPECT_EQ(document.at("bomFormat"), "CycloneDX");
        EXPECT_EQ(document.at("specVersion"), "1.6");
        EXPECT_THAT(document.at("serialNumber").get<std::string>(),
                    ::testing::MatchesRegex(
                        "urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}"));
        const Json& model = document.at("metadata").at("component");
        EXPECT_EQ(model.at("type"), "machine-learning-model");
        EXPECT_TRUE(model.contains("name"));
        EXPECT_EQ(document.at("components").size(), facts.files.size());
        for (const Json& file : document.at("components")) {
            EXPECT_EQ(file.at("type"), "file");
            EXPECT_EQ(file.at("hashes").at(0).at("alg"), "SHA-256");
        }
    }
    const Json model = cyclonedx(some_facts()).at("metadata").at("component");
    EXPECT_EQ(model.at("licenses").at(0).at("license").at("id"), "Apache-2.0");
    EXPECT_EQ(model.at("pedigree").at("ancestors").at(0).at("name"), "org/parent");
    EXPECT_EQ(model.at("modelCard").at("modelParameters").at("datasets").at(0).at("name"),
              "org/data");
}

TEST(Bom, FollowsFromTheFactsAlone) {
    EXPECT_EQ(spdx3(some_facts()), spdx3(some_facts()));
    EXPECT_EQ(cyclonedx(some_facts()), cyclonedx(some_facts()));
    Facts other = some_facts();
    other.files[0].sha256 = std::string(64, 'c');
    EXPECT_NE(identity(other), identity(some_facts()));
}

}  // namespace
}  // namespace heft::bom
