#include "govern/gate.h"

namespace heft::govern {

namespace {

using Json = nlohmann::ordered_json;

const ActAnswer* decisive(const Judgement& judgement) {
    for (const ActAnswer& answer : judgement.acts)
        if (answer.verdict == judgement.verdict) return &answer;
    return nullptr;
}

// A person may hold a separate licence, know the missing fact, or have read the texts; nobody can
// settle an outright no.
bool is_for_a_person(Verdict verdict) {
    return !is_allowed(verdict) && stricter(Verdict::licence_ends, verdict);
}

Json parents_of(const Assessment& assessment) {
    Json parents = Json::array();
    for (const Terms& terms : assessment.terms) {
        Json licences = Json::array();
        for (const Licence* licence : terms.licences)
            licences.push_back({{"id", licence->id}, {"verified", licence->verification}});
        parents.push_back({{"model", terms.of},
                           {"relation", terms.relation},
                           {"licences", std::move(licences)},
                           {"found_by", word(terms.certainty)}});
    }
    return parents;
}

Json record_of(const std::string& verb, const GateOutcome& outcome, bool accepted) {
    const Judgement& judgement = outcome.assessment.judgement;
    Json duties = Json::array();
    for (const Duty& duty : judgement.duties) {
        Json row{{"kind", duty.kind}, {"text", duty.text}, {"licence", duty.licence}};
        if (!duty.literal.empty()) row["literal"] = duty.literal;
        duties.push_back(std::move(row));
    }
    return {{"schema", "heft.lineage/1"},
            {"verb", verb},
            {"verdict", word(judgement.verdict)},
            {"accepted_by_person", accepted},
            {"parents", parents_of(outcome.assessment)},
            {"conflicts", outcome.assessment.conflicts},
            {"unseen", outcome.assessment.unseen},
            {"duties", std::move(duties)}};
}

}  // namespace

GateOutcome gate(const Catalogue& catalogue, const std::string& verb,
                 const std::vector<Parent>& parents, Use use, bool accept_terms) {
    use.suggest("modify", true);
    Chain chain;
    for (const Parent& parent : parents) {
        Chain one = chain_of(catalogue, parent.model, parent.relation, parent.folder);
        for (Terms& terms : one.terms) chain.terms.push_back(std::move(terms));
        for (std::string& name : one.unseen) chain.unseen.push_back(std::move(name));
    }
    GateOutcome outcome;
    outcome.assessment = assess(catalogue, std::move(chain), use);
    const Judgement& judgement = outcome.assessment.judgement;
    outcome.may_be_accepted = is_for_a_person(judgement.verdict);
    const bool accepted = outcome.may_be_accepted && accept_terms;
    outcome.may_proceed = !parents.empty() && (is_allowed(judgement.verdict) || accepted);
    if (const ActAnswer* answer = decisive(judgement); answer && !is_allowed(judgement.verdict))
        outcome.why = std::string(accepted ? "accepted: " : "") + "to " + answer->says + ": "
                      + std::string(sentence(answer->verdict)) + " (" + answer->licence + ", "
                      + answer->clause + "): " + answer->why;
    outcome.record = record_of(verb, outcome, accepted);
    return outcome;
}

}  // namespace heft::govern
