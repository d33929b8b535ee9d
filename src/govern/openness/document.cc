#include "govern/openness/document.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace heft::openness {

namespace {

using Json = nlohmann::ordered_json;

const ComponentKind& kind_of(std::size_t kind) {
    return OpennessTables::embedded().kinds()[kind];
}

Json text_or_null(const std::string& text) {
    return text.empty() ? Json() : Json(text);
}

Json mof_document(const Release& release, const MofVerdict& verdict) {
    Json missing = Json::array(), unsuited = Json::array();
    for (const MofPart& part : verdict.missing)
        missing.push_back({{"component", kind_of(part.kind).key},
                           {"name", kind_of(part.kind).name},
                           {"why", why_not(release, part)}});
    for (const MofPart& part : verdict.parts)
        if (!part.suits) unsuited.push_back(kind_of(part.kind).key);
    Json out = {
        {"class", verdict.mof_class},
        {"progress",
         {{"1", verdict.progress[0]}, {"2", verdict.progress[1]}, {"3", verdict.progress[2]}}}};
    out["next"] = verdict.next_class == 0
                      ? Json()
                      : Json({{"class", verdict.next_class}, {"missing", std::move(missing)}});
    out["unsuited_licences"] = std::move(unsuited);
    return out;
}

Json osaid_document(const OsaidVerdict& verdict) {
    Json items = Json::array();
    for (const OsaidItem& item : verdict.items) {
        const ChecklistItem& asked = OpennessTables::embedded().checklist()[item.item];
        items.push_back({{"item", asked.id},
                         {"part", asked.part},
                         {"asks", asked.asks},
                         {"state", state_name(item.state)},
                         {"because_of_terms", item.terms},
                         {"component", item.by ? Json(kind_of(*item.by).key) : Json()},
                         {"why", item.why}});
    }
    return {{"version", "1.0"}, {"verdict", word_name(verdict.word)}, {"items", std::move(items)}};
}

Json components_document(const Release& release, const MofVerdict& verdict) {
    Json list = Json::array();
    for (std::size_t i = 0; i < release.components.size(); ++i) {
        const Component& component = release.at(i);
        Json row = {{"component", kind_of(i).key},
                    {"name", kind_of(i).name},
                    {"type", content_name(kind_of(i).content)},
                    {"presence", presence_name(component.presence)},
                    {"licence", text_or_null(component.licence)},
                    {"terms", terms_name(component.terms)},
                    {"where", text_or_null(component.where)}};
        row["mof"] = nullptr;
        for (const MofPart& part : verdict.parts)
            if (part.kind == i) row["mof"] = counted_name(part.counted);
        list.push_back(std::move(row));
    }
    return list;
}

}  // namespace

std::string why_not(const Release& release, const MofPart& part) {
    switch (part.counted) {
        case Counted::included: return "counts";
        case Counted::missing: return "not released";
        case Counted::unlicensed: return "no licence found";
        case Counted::invalid:
            return fmt::format("licence \"{}\" is no open one by its SPDX id",
                               release.at(part.kind).licence);
        case Counted::undetermined: return "could not be determined";
    }
    return "";
}

Json openness_document(const std::string& model, const Release& release, const Openness& found) {
    Json out = {{"schema", "heft.openness/1"},
                {"model", model},
                {"name", text_or_null(release.name)},
                {"producer", text_or_null(release.producer)},
                {"source", release.source},
                {"level", found.level},
                {"level_name", level_name(found.level)},
                {"level_at_most", found.level_at_most}};
    out["mof"] = mof_document(release, found.mof);
    out["osaid"] = osaid_document(found.osaid);
    out["components"] = components_document(release, found.mof);
    out["differences"] = found.differences;
    out["cannot"] = found.cannot;
    out["undetermined"] = found.unsure;
    out["notes"] = release.notes;
    return out;
}

}  // namespace heft::openness
