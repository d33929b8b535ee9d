#include "app/license_document.h"

#include <nlohmann/json.hpp>

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;
using govern::Licence;

constexpr std::size_t kShownText = 4000;

Json text_or_null(const std::string& text) {
    return text.empty() ? Json() : Json(text);
}

Json licence_row(const Licence& licence) {
    return {{"id", licence.id},
            {"name", licence.name},
            {"spdx", text_or_null(licence.spdx)},
            {"summary", licence.summary},
            {"verified", licence.verification},
            {"sources", licence.sources},
            {"notes", licence.notes}};
}

Json evidence_of(const govern::Identification& model) {
    Json rows = Json::array();
    for (const auto& evidence : model.evidence) {
        Json ids = Json::array();
        for (const Licence* licence : evidence.licences) ids.push_back(licence->id);
        Json row{{"where", evidence.where},
                 {"role", govern::word(evidence.role)},
                 {"says", evidence.says},
                 {"licences", std::move(ids)}};
        if (!evidence.sha256.empty()) row["sha256_of_words"] = evidence.sha256;
        rows.push_back(std::move(row));
    }
    return rows;
}

Json terms_of(const govern::Assessment& assessment) {
    Json rows = Json::array();
    for (const auto& terms : assessment.terms) {
        Json licences = Json::array();
        for (const Licence* licence : terms.licences) licences.push_back(licence_row(*licence));
        rows.push_back({{"of", terms.of},
                        {"relation", terms.relation},
                        {"found_by", govern::word(terms.certainty)},
                        {"why", terms.why},
                        {"licences", std::move(licences)}});
    }
    return rows;
}

std::string question(const std::string& fact, const govern::Vocabulary& vocabulary) {
    if (fact == govern::kLicenceText) return "the text of the licence: read it";
    const auto dot = fact.find('.');
    if (fact.substr(0, dot) == govern::kBaseModel)
        return "the terms of " + fact.substr(dot + 1) + ", which it was made from";
    const govern::FactRow* row = vocabulary.fact(fact.substr(0, dot));
    if (row == nullptr) return fact;
    return row->asks + (dot == std::string::npos ? "" : " (" + fact.substr(dot + 1) + ")");
}

Json acts_of(const govern::Judgement& judgement, const govern::Vocabulary& vocabulary) {
    Json rows = Json::array();
    for (const auto& answer : judgement.acts) {
        Json ask = Json::array();
        for (const std::string& fact : answer.missing) ask.push_back(question(fact, vocabulary));
        rows.push_back({{"act", answer.act},
                        {"says", answer.says},
                        {"verdict", govern::word(answer.verdict)},
                        {"clause", answer.clause},
                        {"why", answer.why},
                        {"licence", answer.licence},
                        {"source", answer.source},
                        {"verified", answer.verified},
                        {"missing", answer.missing},
                        {"ask", std::move(ask)}});
    }
    return rows;
}

Json duties_of(const govern::Judgement& judgement) {
    Json rows = Json::array();
    for (const auto& duty : judgement.duties)
        rows.push_back({{"kind", duty.kind},
                        {"text", duty.text},
                        {"literal", text_or_null(duty.literal)},
                        {"clause", duty.clause},
                        {"licence", duty.licence},
                        {"acts", duty.acts}});
    return rows;
}

Json dependences_of(const govern::Judgement& judgement) {
    Json rows = Json::array();
    for (const auto& dependence : judgement.depends_on)
        rows.push_back({{"facts", dependence.facts},
                        {"clause", dependence.clause},
                        {"why", dependence.why},
                        {"licence", dependence.licence}});
    return rows;
}

}  // namespace

Json license_document(const govern::Identification& model, const govern::Assessment& assessment,
                      const govern::Use& use, const govern::Vocabulary& vocabulary) {
    const govern::Judgement& judgement = assessment.judgement;
    Json ids = Json::array();
    for (const Licence* licence : model.licences) ids.push_back(licence->id);
    Json document{{"schema", "heft.license/1"},
                  {"verdict", govern::word(judgement.verdict)},
                  {"acts", acts_of(judgement, vocabulary)},
                  {"duties", duties_of(judgement)},
                  {"model", model.name},
                  {"licence", std::move(ids)},
                  {"found_by", govern::word(model.certainty)},
                  {"why", model.why},
                  {"evidence", evidence_of(model)},
                  {"problems", model.problems},
                  {"terms", terms_of(assessment)},
                  {"conflicts", assessment.conflicts},
                  {"unseen", assessment.unseen},
                  {"depends_on", dependences_of(judgement)},
                  {"not_understood", use.not_understood()},
                  {"not_legal_advice", true}};
    if (!model.text.empty()) document["text"] = model.text.substr(0, kShownText);
    return document;
}

}  // namespace heft::app
