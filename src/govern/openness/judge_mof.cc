// The class rule as the Model Openness Tool computes it: classes are cumulative; a component counts
// when its licence, by exact SPDX id, is open; an open paper takes the report's place.
#include "govern/openness/judge.h"

namespace heft::openness {

namespace {

MofPart part_of(const Release& release, std::size_t kind) {
    const OpennessTables& tables = OpennessTables::embedded();
    const Component& component = release.at(kind);
    MofPart part{.kind = kind};
    if (!component.listed) {
        part.counted =
            component.presence == Presence::unknown ? Counted::undetermined : Counted::missing;
        return part;
    }
    switch (tables.licences().exact(component.licence)) {
        case Terms::osi:
        case Terms::open: part.counted = Counted::included; break;
        case Terms::unlicensed: part.counted = Counted::unlicensed; break;
        case Terms::not_open:
        case Terms::unknown: part.counted = Counted::invalid; break;
    }
    part.suits = part.counted != Counted::included
                 || tables.licences().suits(component.licence, tables.kinds()[kind].content);
    return part;
}

bool asked_for(const ComponentKind& kind, int mof_class) {
    return kind.required && kind.mof_class >= mof_class;
}

struct Tally {
    int counted = 0, asked = 0;
};

Tally tally(const std::vector<MofPart>& parts, int mof_class) {
    const OpennessTables& tables = OpennessTables::embedded();
    Tally sum;
    bool report = false, paper = false;
    for (const MofPart& part : parts) {
        const bool included = part.counted == Counted::included;
        report = report || (included && part.kind == tables.report());
        paper = paper || (included && part.kind == tables.paper());
        if (!asked_for(tables.kinds()[part.kind], mof_class)) continue;
        ++sum.asked;
        sum.counted += included ? 1 : 0;
    }
    if (paper && !report) {
        // Class I asks for the paper itself: there the report is dropped instead of replaced.
        if (mof_class > 1)
            ++sum.counted;
        else
            --sum.asked;
    }
    return sum;
}

}  // namespace

MofVerdict mof_verdict(const Release& release) {
    const OpennessTables& tables = OpennessTables::embedded();
    MofVerdict verdict;
    for (std::size_t kind = 0; kind < tables.kinds().size(); ++kind)
        if (tables.kinds()[kind].mof_class > 0) verdict.parts.push_back(part_of(release, kind));
    for (int mof_class = 3; mof_class >= 1; --mof_class) {
        const Tally sum = tally(verdict.parts, mof_class);
        verdict.progress[static_cast<std::size_t>(mof_class - 1)] =
            sum.asked > 0 ? 100.0 * sum.counted / sum.asked : 0;
        if (sum.counted < sum.asked) break;  // the classes above stay at 0
        verdict.mof_class = mof_class;
    }
    verdict.next_class = verdict.mof_class == 0 ? 3 : verdict.mof_class - 1;
    if (verdict.next_class == 0) return verdict;
    const bool paper = release.at(tables.paper()).listed
                       && part_of(release, tables.paper()).counted == Counted::included;
    for (const MofPart& part : verdict.parts) {
        if (part.counted == Counted::included) continue;
        if (!asked_for(tables.kinds()[part.kind], verdict.next_class)) continue;
        if (part.kind == tables.report() && paper) continue;
        verdict.missing.push_back(part);
    }
    return verdict;
}

const char* counted_name(Counted counted) {
    switch (counted) {
        case Counted::included: return "included";
        case Counted::missing: return "missing";
        case Counted::unlicensed: return "unlicensed";
        case Counted::invalid: return "invalid";
        case Counted::undetermined: return "undetermined";
    }
    return "";
}

}  // namespace heft::openness
