#include "app/merge_report.h"

#include <fmt/format.h>

#include "app/scaled.h"
#include "app/wrap.h"
#include "app/yardstick.h"
#include "govern/verdict.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;
using merge::PlannedTensor;
using merge::Takes;

constexpr std::size_t kIndent = 14;

Json values_of(std::span<const Takes> takes, const merge::Values& values, bool per_model) {
    Json out = Json::object();
    for (const Takes& one : takes)
        if (one.per_model == per_model)
            out[std::string(merge::parameter_name(one.parameter))] = values[one.parameter];
    return out;
}

Json tensor_json(const merge::Plan& plan, const PlannedTensor& tensor) {
    const std::span<const Takes> takes = plan.recipe.method->takes;
    const auto from = [&plan](const PlannedTensor::From& one) {
        return Json{{"model", plan.models[static_cast<std::size_t>(one.model)].reference},
                    {"tensor", one.tensor->name}};
    };
    Json models = Json::array();
    for (std::size_t m = 0; m < tensor.models.size(); ++m) {
        Json one = from(tensor.models[m]);
        if (!tensor.is_buffer)
            one["parameters"] = values_of(takes, tensor.settings.models[m], true);
        models.push_back(std::move(one));
    }
    return {{"name", tensor.name},
            {"shape", tensor.shape},
            {"type", dtype_info(tensor.type).name},
            {"base", tensor.base ? from(*tensor.base) : Json()},
            {"models", std::move(models)},
            {"parameters", values_of(takes, tensor.settings.all, false)}};
}

std::int64_t weights_of(const merge::Plan& plan) {
    std::int64_t sum = 0;
    for (const PlannedTensor& tensor : plan.tensors) sum += tensor.size();
    return sum;
}

Json licences_json(const MergeTerms& terms) {
    const auto& assessment = terms.outcome.assessment;
    Json duties = Json::array();
    for (const govern::Duty& duty : assessment.judgement.duties) {
        Json row = {{"kind", duty.kind}, {"text", duty.text}, {"licence", duty.licence}};
        if (!duty.literal.empty()) row["literal"] = duty.literal;
        duties.push_back(std::move(row));
    }
    return {{"verdict", govern::word(assessment.judgement.verdict)},
            {"may_proceed", terms.outcome.may_proceed},
            {"why", terms.outcome.why},
            {"duties", std::move(duties)}};
}

std::span<const shape::TensorPlan> stored_tensors(const MergeFigures& figures) {
    if (figures.stored == nullptr) return {};
    return figures.stored->tensors;
}

std::vector<std::string> notes_of(const merge::Plan& plan, const MergeFigures& figures) {
    std::vector<std::string> out = plan.notes;
    if (figures.stored != nullptr)
        out.insert(out.end(), figures.stored->remarks.begin(), figures.stored->remarks.end());
    return out;
}

}  // namespace

Json merge_document(const merge::Plan& plan, const MergeTerms& terms, const MergeFigures& figures) {
    Json models = Json::array();
    for (const merge::Model& model : plan.models)
        models.push_back({{"reference", model.reference},
                          {"path", model.path.string()},
                          {"architecture", model.architecture},
                          {"layers", model.n_layers},
                          {"bytes", model.checkpoint->file_bytes()}});
    Json files = Json::array();
    for (const auto& file : figures.files) files.push_back(file.string());
    Json out = {{"schema", "heft.merge/1"},
                {"out", figures.out},
                {"done", figures.is_done},
                {"files", std::move(files)},
                {"method", plan.recipe.method->name},
                {"seed", figures.seed},
                {"models", std::move(models)},
                {"layers", plan.layers.size()},
                {"vocabulary", plan.vocabulary.n_rows},
                {"tensors", plan.tensors.size()},
                {"weights", weights_of(plan)},
                {"type", figures.mix != nullptr ? Json(figures.mix->name) : Json()},
                {"bytes", figures.bytes},
                {"memory_bytes", figures.memory},
                {"seconds", figures.seconds},
                {"licence", licences_json(terms)},
                {"notes", notes_of(plan, figures)},
                {"lineage", figures.lineage}};
    if (figures.is_done) return out;
    for (const shape::TensorPlan& tensor : stored_tensors(figures))
        out["stored"].push_back({{"name", tensor.weight.name},
                                 {"type", dtype_info(tensor.type).name},
                                 {"bytes", tensor.bytes},
                                 {"importance", !tensor.importance.empty()}});
    out["plan"] = Json::array();
    for (const PlannedTensor& tensor : plan.tensors)
        out["plan"].push_back(tensor_json(plan, tensor));
    return out;
}

std::string merge_report(const merge::Plan& plan, const MergeTerms& terms,
                         const MergeFigures& figures) {
    const merge::Method& method = *plan.recipe.method;
    std::string out = paragraph("result", figures.out, kIndent);
    out += paragraph("method", fmt::format("{}: {} ({})", method.name, method.title, method.source),
                     kIndent);
    for (std::size_t i = 0; i < plan.models.size(); ++i) {
        const merge::Model& model = plan.models[i];
        const bool is_base =
            method.base != merge::Base::none && model.reference == plan.recipe.base;
        out += paragraph(i == 0 ? "models" : "",
                         fmt::format("{}{}, {} layers, {}B", model.reference,
                                     is_base ? " (base)" : "", model.n_layers,
                                     scaled(static_cast<double>(model.checkpoint->file_bytes()))),
                         kIndent);
    }
    out += paragraph("gives",
                     fmt::format("{} layers, {} tokens, {} tensors, {} weights, {}B",
                                 plan.layers.size(), plan.vocabulary.n_rows, plan.tensors.size(),
                                 scaled(static_cast<double>(weights_of(plan))),
                                 scaled(static_cast<double>(figures.bytes))),
                     kIndent);
    if (figures.mix != nullptr)
        out += paragraph(
            "type",
            fmt::format("{}, {:.2f} bits per weight", figures.mix->name,
                        8.0 * static_cast<double>(figures.bytes)
                            / static_cast<double>(std::max<std::int64_t>(weights_of(plan), 1))),
            kIndent);
    out += paragraph(
        "takes",
        fmt::format("{} {:.0f} s, at most {}B of memory", figures.is_done ? "took" : "about",
                    figures.seconds, scaled(static_cast<double>(figures.memory))),
        kIndent);
    const auto& judgement = terms.outcome.assessment.judgement;
    out += paragraph("licence", std::string(govern::sentence(judgement.verdict)), kIndent);
    if (!terms.outcome.why.empty()) out += paragraph("", terms.outcome.why, kIndent);
    for (std::size_t i = 0; i < judgement.duties.size(); ++i) {
        const govern::Duty& duty = judgement.duties[i];
        const std::string literal = duty.literal.empty() ? "" : ": \"" + duty.literal + "\"";
        out += paragraph(i == 0 ? "duties" : "",
                         "[ ] " + duty.text + literal + " (" + duty.licence + ")", kIndent);
    }
    const std::vector<std::string> notes = notes_of(plan, figures);
    for (std::size_t i = 0; i < notes.size(); ++i)
        out += paragraph(i == 0 ? "notes" : "", notes[i], kIndent);
    if (figures.is_done && figures.lineage["difference"].value("measured", false))
        out += paragraph("measured", difference_text(figures.lineage["difference"], "the base"),
                         kIndent);
    return out;
}

}  // namespace heft::app
