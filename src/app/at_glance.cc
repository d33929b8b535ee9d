#include "app/at_glance.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/family_text.h"
#include "govern/glance.h"
#include "govern/openness/judge.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

Json act_json(const govern::ActAnswer& act) {
    return {{"verdict", govern::word(act.verdict)},
            {"clause", act.clause},
            {"licence", act.licence},
            {"missing", act.missing}};
}

Json openness_json(const openness::Release& release) {
    const openness::Openness found = openness::judge(release);
    return {{"level", found.level},
            {"level_name", openness::level_name(found.level)},
            {"level_at_most", found.level_at_most},
            {"mof_class", found.mof.mof_class},
            {"osaid", openness::word_name(found.osaid.word)},
            {"cannot", found.cannot},
            {"undetermined", found.unsure}};
}

std::string joined(const Json& list, const char* between) {
    std::string text;
    for (const Json& item : list) text += (text.empty() ? "" : between) + item.get<std::string>();
    return text;
}

}  // namespace

Json licence_at_glance(const govern::Catalogue& catalogue, const govern::Identification& licence,
                       const govern::Chain& chain) {
    Json ids = Json::array();
    for (const govern::Licence* found : licence.licences) ids.push_back(found->id);
    const govern::Glance glance = govern::glance(catalogue, chain);
    return {{"ids", std::move(ids)},
            {"found_by", govern::word(licence.certainty)},
            {"why", licence.why},
            {"private_use", act_json(glance.private_use)},
            {"commercial_use", act_json(glance.commercial_use)},
            {"redistribution", act_json(glance.redistribution)}};
}

Result<Json> at_glance(const govern::Catalogue& catalogue, LocalRelease& local) {
    HEFT_TRY(const govern::Identification licence, licence_of(catalogue, local));
    HEFT_TRY(const openness::Release release, components_of(local, licence));
    return Json{
        {"licence", licence_at_glance(catalogue, licence, chain_of(catalogue, local, licence))},
        {"openness", openness_json(release)}};
}

std::string spoken_licence(const Json& licence) {
    return licence["ids"].empty() ? "unknown" : joined(licence["ids"], " or ");
}

std::string spoken_verdict(const Json& act) {
    const auto verdict = govern::verdict_of(act["verdict"].get<std::string>());
    std::string text(verdict ? govern::sentence(*verdict) : "unknown");
    // Names of bases are a stranger's.
    std::string missing;
    for (const Json& fact : act["missing"])
        missing += (missing.empty() ? "" : ", ") + printable_name(fact);
    if (!missing.empty()) text += fmt::format(" (asks {})", missing);
    return text;
}

std::string spoken_openness(const Json& openness) {
    constexpr const char* names[] = {"closed", "open weights", "open weights + data information",
                                     "open source"};
    const int level = openness["level"].get<int>();
    const int at_most = openness["level_at_most"].get<int>();
    std::string text = fmt::format("{} of 3, {}", level, names[level]);
    if (at_most > level) text += fmt::format(" at least (at most {})", names[at_most]);
    return text;
}

std::string spoken_limits(const Json& openness) {
    std::string text = joined(openness["cannot"], "; ");
    const std::string unsure = joined(openness["undetermined"], "; ");
    if (text.empty() && unsure.empty()) return "nothing of what openness is for is ruled out";
    if (!unsure.empty())
        text += fmt::format("{}could not be determined: {}", text.empty() ? "" : "; ", unsure);
    return text;
}

}  // namespace heft::app
