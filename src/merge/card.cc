#include "merge/card.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

namespace heft::merge {

namespace {

// A YAML scalar that is read back as this text, whatever it holds.
std::string yaml_text(const std::string& text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<const govern::Licence*> licences_of(const govern::Assessment& assessment) {
    std::vector<const govern::Licence*> out;
    for (const govern::Terms& terms : assessment.terms)
        for (const govern::Licence* licence : terms.licences)
            if (std::find(out.begin(), out.end(), licence) == out.end()) out.push_back(licence);
    return out;
}

bool any_unknown(const govern::Assessment& assessment) {
    return !assessment.unseen.empty()
           || std::any_of(assessment.terms.begin(), assessment.terms.end(),
                          [](const govern::Terms& terms) { return terms.licences.empty(); });
}

std::string licence_lines(const govern::Assessment& assessment) {
    const DeclaredLicence licence = declared_licence(assessment);
    std::string lines = "license: " + yaml_text(licence.tag) + "\n";
    if (!licence.name.empty())
        lines += "license_name: " + yaml_text(licence.name) + "\nlicense_link: licences\n";
    return lines;
}

std::string front_matter(const Plan& plan, const govern::Assessment& assessment) {
    std::string out = "---\nbase_model:\n";
    for (const Model& model : plan.models) out += "- " + yaml_text(model.reference) + "\n";
    out += licence_lines(assessment);
    if (plan.layout == Layout::huggingface) out += "library_name: transformers\n";
    out += "pipeline_tag: text-generation\ntags:\n- merge\n- heft\n- mergekit\n---\n";
    return out;
}

std::string duties(const govern::Assessment& assessment) {
    std::string out;
    for (const govern::Duty& duty : assessment.judgement.duties) {
        out += "- " + duty.text;
        if (!duty.literal.empty()) out += ": \"" + duty.literal + "\"";
        out += " (" + duty.licence + ", " + duty.clause + ")\n";
    }
    return out;
}

}  // namespace

DeclaredLicence declared_licence(const govern::Assessment& assessment) {
    const auto licences = licences_of(assessment);
    if (any_unknown(assessment) || licences.empty()) return {"unknown", ""};
    if (licences.size() > 1) return {"other", govern::joined_ids(licences, " and ")};
    const govern::Licence& one = *licences.front();
    if (one.hub_tags.empty() || one.hub_tags.front() == "other") return {"other", one.id};
    return {one.hub_tags.front(), ""};
}

std::string model_card(const Plan& plan, const std::string& name,
                       const govern::Assessment& assessment) {
    const Method& method = *plan.recipe.method;
    std::string out = front_matter(plan, assessment);
    out += "\n# " + name + "\n\nA merge of\n\n";
    for (const Model& model : plan.models) {
        const bool is_base = model.reference == plan.recipe.base && method.base != Base::none;
        out += "- " + model.reference + (is_base ? " (base)" : "") + "\n";
    }
    out += "\nby " + std::string(method.name) + " (" + std::string(method.title) + "; "
           + std::string(method.source) + "). No evaluation was made of it.\n\n## Recipe\n\n";
    // A fence that the recipe cannot end.
    std::string fence = "```";
    while (plan.recipe.text.find(fence) != std::string::npos) fence += "`";
    out += fence + "yaml\n" + plan.recipe.text;
    if (!plan.recipe.text.ends_with('\n')) out += "\n";
    out += fence + "\n\n## Terms\n\n";
    for (const govern::Terms& terms : assessment.terms)
        out += "- " + terms.of + ": "
               + (terms.licences.empty() ? std::string("unknown")
                                         : govern::joined_ids(terms.licences, " and "))
               + "\n";
    const std::string all = duties(assessment);
    if (!all.empty()) out += "\nDuties that come with them:\n\n" + all;
    return out
           + "\n`heft.json` has the lineage: inputs by their hashes, the recipe and the seed.\n";
}

}  // namespace heft::merge
