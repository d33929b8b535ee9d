#include "govern/openness/judge.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace heft::openness {

namespace {

Presence presence_of(const Release& release, const char* key) {
    return release.at(*OpennessTables::embedded().by_key(key)).presence;
}

bool some(Presence presence) {
    return presence == Presence::present || presence == Presence::partial;
}

// Data that can be had, in part at least, or a full account of it.
bool tells_of_data(const Release& release) {
    return presence_of(release, "data_documentation") == Presence::present
           || presence_of(release, "data_card") == Presence::present
           || some(presence_of(release, "datasets"));
}

bool may_tell_of_data(const Release& release) {
    return presence_of(release, "data_documentation") == Presence::unknown
           || presence_of(release, "data_card") == Presence::unknown
           || presence_of(release, "datasets") == Presence::unknown;
}

void set_level(const Release& release, Openness& out) {
    const Presence weights = presence_of(release, "model_parameters");
    const bool open_source = out.osaid.word == OsaidWord::passed;
    const bool undecided = out.osaid.word == OsaidWord::undetermined;
    const int with_weights = open_source ? 3 : tells_of_data(release) ? 2 : 1;
    const int at_most = open_source || undecided                              ? 3
                        : tells_of_data(release) || may_tell_of_data(release) ? 2
                                                                              : 1;
    out.level = some(weights) ? with_weights : 0;
    out.level_at_most = some(weights) || weights == Presence::unknown ? at_most : 0;
}

// What an outsider cannot do, from what they would need for it: all of `needs`, one of them with
// `any`.
struct Deed {
    const char* what;
    std::vector<const char*> needs;
    bool any = false;
};

const std::vector<Deed>& deeds() {
    static const std::vector<Deed> kDeeds = {
        {"run it on a machine of one's own", {"model_parameters"}},
        {"see how it is built", {"model_architecture"}},
        {"reproduce it", {"training_code", "datasets"}},
        {"audit the training data", {"datasets", "data_documentation"}, true},
        {"repeat the evaluation", {"evaluation_code", "evaluation_data"}},
        {"follow its training", {"intermediate_parameters"}},
    };
    return kDeeds;
}

void set_cannot(const Release& release, Openness& out) {
    for (const Deed& deed : deeds()) {
        std::size_t there = 0, unknown = 0;
        for (const char* key : deed.needs) {
            there += presence_of(release, key) == Presence::present ? 1U : 0U;
            unknown += presence_of(release, key) == Presence::unknown ? 1U : 0U;
        }
        const std::size_t enough = deed.any ? 1 : deed.needs.size();
        if (there >= enough) continue;
        (there + unknown >= enough ? out.unsure : out.cannot).emplace_back(deed.what);
    }
}

std::vector<std::string> names_of(const std::vector<MofPart>& parts) {
    std::vector<std::string> names;
    names.reserve(parts.size());
    for (const MofPart& part : parts)
        names.push_back(OpennessTables::embedded().kinds()[part.kind].name);
    return names;
}

std::vector<std::string> unmet_items(const OsaidVerdict& verdict, ItemState state) {
    std::vector<std::string> names;
    for (const OsaidItem& item : verdict.items)
        if (item.state == state)
            names.push_back(OpennessTables::embedded().checklist()[item.item].asks);
    return names;
}

void compare_mof_with_osaid(Openness& out) {
    const bool passed = out.osaid.word == OsaidWord::passed;
    if (passed && out.mof.mof_class != 1)
        out.differences.push_back(fmt::format(
            "Open source by OSAID, yet {} by MOF: the framework also asks for {}, with an open "
            "licence by SPDX id; OSAID asks for data information, code and weights only.",
            out.mof.mof_class == 0 ? "unclassified"
                                   : fmt::format("class {} of 3", out.mof.mof_class),
            fmt::join(names_of(out.mof.missing), ", ")));
    if (!passed && out.mof.mof_class > 0)
        out.differences.push_back(
            fmt::format("MOF class {}, yet not open source by OSAID: {} {}.", out.mof.mof_class,
                        out.osaid.word == OsaidWord::undetermined
                            ? "it could not be determined whether there is"
                            : "OSAID also asks for",
                        fmt::join(unmet_items(out.osaid, out.osaid.word == OsaidWord::undetermined
                                                             ? ItemState::unknown
                                                             : ItemState::unmet),
                                  "; ")));
}

void explain_terms(Openness& out) {
    bool code = false, terms = false;
    for (const OsaidItem& item : out.osaid.items) {
        if (item.state != ItemState::unmet) continue;
        (item.terms ? terms : code) = true;
    }
    if (out.osaid.word == OsaidWord::would_pass_with_changed_terms) {
        out.differences.push_back(fmt::format(
            "The data is described and the weights are there; {}{}{}.",
            terms ? "the licence is what keeps it from open source" : "",
            terms && code ? ", and " : "",
            code ? "what is not public would have to be published as well (OSI judged Falcon so in "
                   "2024)"
                 : ""));
    }
    if (out.level == 2 && out.osaid.word == OsaidWord::failed)
        out.differences.push_back(
            "Its training data is named in part, which is level 2; OSAID asks for a description of "
            "all of it.");
    if (out.level == 1 && !terms && out.osaid.word == OsaidWord::failed)
        out.differences.push_back(
            "Open licence, yet not open source: a licence of the weights does not publish the data "
            "information and code that made them.");
}

}  // namespace

Openness judge(const Release& release) {
    Openness out;
    out.mof = mof_verdict(release);
    out.osaid = osaid_verdict(release);
    set_level(release, out);
    set_cannot(release, out);
    compare_mof_with_osaid(out);
    explain_terms(out);
    return out;
}

const char* level_name(int level) {
    constexpr const char* names[] = {"closed", "open_weights", "open_weights_data_info",
                                     "open_source"};
    return names[std::clamp(level, 0, 3)];
}

}  // namespace heft::openness
