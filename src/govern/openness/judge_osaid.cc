// The checklist of the Open Source AI Definition 1.0 (2024-10-28), item by item.

#include <fmt/format.h>

#include "govern/openness/judge.h"

namespace heft::openness {

namespace {

const ComponentKind& kind_of(std::size_t kind) {
    return OpennessTables::embedded().kinds()[kind];
}

OsaidItem licensed(const Component& component, std::size_t kind, const ChecklistItem& asked) {
    OsaidItem item;
    item.by = kind;
    const std::string& name = kind_of(kind).name;
    const std::string licence = component.licence.empty() ? "no licence" : component.licence;
    const std::string at = component.where.empty() ? "" : " (" + component.where + ")";
    switch (component.terms) {
        case Terms::osi:
            item.state = ItemState::met;
            item.why = fmt::format("{}{}: {}", name, at, licence);
            return item;
        case Terms::open:
            item.state = asked.terms == AskedTerms::open ? ItemState::met : ItemState::unmet;
            item.terms = item.state == ItemState::unmet;
            item.why = item.terms ? fmt::format("{}{}: {} is not approved by OSI for code", name,
                                                at, licence)
                                  : fmt::format("{}{}: {}", name, at, licence);
            return item;
        case Terms::not_open:
            item.state = ItemState::unmet;
            item.terms = true;
            item.why = fmt::format("{}{}: {} is not an open source licence", name, at, licence);
            return item;
        case Terms::unlicensed:
        case Terms::unknown:
            item.state = ItemState::unknown;
            item.terms = true;
            item.why =
                component.licence.empty() || component.terms == Terms::unlicensed
                    ? fmt::format("{}{} is there, under no licence that was found", name, at)
                    : fmt::format("{}{}: whether \"{}\" is open is not known", name, at, licence);
            return item;
    }
    return item;
}

// What one component says about an item.
OsaidItem said_by(const Release& release, std::size_t kind, const ChecklistItem& asked) {
    const Component& component = release.at(kind);
    const std::string& name = kind_of(kind).name;
    switch (component.presence) {
        case Presence::present: return licensed(component, kind, asked);
        case Presence::partial:
            if (asked.partly) return licensed(component, kind, asked);
            return {.state = ItemState::unmet, .by = kind, .why = name + ": in part only"};
        case Presence::absent:
            return {.state = ItemState::unmet, .by = kind, .why = name + ": not released"};
        case Presence::unknown:
            return {
                .state = ItemState::unknown, .by = kind, .why = name + ": could not be determined"};
    }
    return {};
}

int rank(const OsaidItem& item) {
    switch (item.state) {
        case ItemState::met: return 4;
        case ItemState::unknown: return item.terms ? 3 : 2;
        case ItemState::unmet: return item.terms ? 1 : 0;
    }
    return 0;
}

// Components whose existence alone does not tell whether they say enough.
std::optional<std::size_t> weak_hope(const Release& release, const ChecklistItem& asked) {
    for (const std::size_t kind : asked.weak)
        if (release.at(kind).presence == Presence::present) return kind;
    for (const std::size_t kind : asked.weak)
        if (release.at(kind).presence == Presence::unknown) return kind;
    return std::nullopt;
}

OsaidItem judge_item(const Release& release, std::size_t number) {
    const ChecklistItem& asked = OpennessTables::embedded().checklist()[number];
    OsaidItem best = said_by(release, asked.any_of.front(), asked);
    for (const std::size_t kind : asked.any_of) {
        OsaidItem other = said_by(release, kind, asked);
        if (rank(other) > rank(best)) best = std::move(other);
    }
    if (best.state == ItemState::unknown && !best.terms && !asked.weak.empty()) {
        const auto hope = weak_hope(release, asked);
        if (!hope) {
            best.state = ItemState::unmet;
            best.why = "nothing that describes the training data is released";
        } else if (release.at(*hope).presence == Presence::present) {
            best.by = *hope;
            best.why = kind_of(*hope).name
                       + " is there; whether it describes the data well enough could not be "
                         "determined";
        }
    }
    best.item = number;
    return best;
}

OsaidWord verdict_of(const std::vector<OsaidItem>& items) {
    bool unmet = false, unknown = false, open_question = false;
    for (const OsaidItem& item : items) {
        const ChecklistItem& asked = OpennessTables::embedded().checklist()[item.item];
        if (item.state == ItemState::unmet && !item.terms && !asked.changeable)
            return OsaidWord::failed;
        unmet = unmet || item.state == ItemState::unmet;
        unknown = unknown || item.state == ItemState::unknown;
        open_question =
            open_question || (item.state == ItemState::unknown && !item.terms && !asked.changeable);
    }
    if (!unmet) return unknown ? OsaidWord::undetermined : OsaidWord::passed;
    // Something excludes it as it stands; whether other terms would be enough is another question.
    return open_question ? OsaidWord::failed : OsaidWord::would_pass_with_changed_terms;
}

}  // namespace

OsaidVerdict osaid_verdict(const Release& release) {
    OsaidVerdict verdict;
    const std::size_t n = OpennessTables::embedded().checklist().size();
    for (std::size_t i = 0; i < n; ++i) verdict.items.push_back(judge_item(release, i));
    verdict.word = verdict_of(verdict.items);
    return verdict;
}

const char* state_name(ItemState state) {
    switch (state) {
        case ItemState::met: return "met";
        case ItemState::unmet: return "unmet";
        case ItemState::unknown: return "unknown";
    }
    return "";
}

const char* word_name(OsaidWord word) {
    switch (word) {
        case OsaidWord::passed: return "passed";
        case OsaidWord::would_pass_with_changed_terms: return "would_pass_with_changed_terms";
        case OsaidWord::failed: return "failed";
        case OsaidWord::undetermined: return "undetermined";
    }
    return "";
}

}  // namespace heft::openness
