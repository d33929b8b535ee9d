#include "govern/openness/scan.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "govern/tree.h"
#include "govern/words.h"

namespace heft::openness {

namespace {

// What of a release a sign is looked for in.
struct Evidence {
    const govern::ReleaseFiles& files;
    const govern::Declared& declared;
    std::vector<std::string> headings;  // of the card, folded
    std::string card;                   // folded, with the card's tags
};

Evidence evidence_of(const govern::ReleaseFiles& files, const govern::Declared& declared) {
    Evidence out{
        .files = files,
        .declared = declared,
        .headings = {},
        .card = folded(fmt::format("{}\n{}", declared.card, fmt::join(declared.tags, "\n")))};
    std::string_view rest = declared.card;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = rest.substr(0, end);
        if (line.starts_with('#')) out.headings.push_back(folded(line));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return out;
}

// Where a sign was seen. What lies elsewhere has a licence of its own, which nobody looked at.
struct Seen {
    std::string where;  // empty: nowhere
    enum class Lies { here, elsewhere } lies = Lies::here;
};

Seen seen(const Evidence& evidence, const Sign& sign) {
    for (const std::string& pattern : sign.files)
        for (const std::string& file : evidence.files.names)
            if (govern::matches(pattern, file)) return {file, Seen::Lies::here};
    // A field that shows a part only is a list of names, such as those of datasets.
    const auto named = sign.partial ? Seen::Lies::elsewhere : Seen::Lies::here;
    for (const std::string& field : sign.fields)
        if (govern::member(evidence.declared.front_matter, field) != nullptr)
            return {fmt::format("the card's \"{}\"", field), named};
    for (const std::string& word : sign.headings)
        for (const std::string& heading : evidence.headings)
            if (heading.find(word) != std::string::npos)
                return {fmt::format("the card's section \"{}\"",
                                    heading.substr(heading.find_first_not_of("# "))),
                        Seen::Lies::here};
    for (const std::string& link : sign.links)
        if (evidence.card.find(link) != std::string::npos)
            return {fmt::format("a link in the card ({})", link), Seen::Lies::elsewhere};
    return {};
}

void take_engine(Release& release, const ScanOptions& options) {
    if (options.architecture.empty()) return;
    for (const char* key : {"model_architecture", "inference_code", "supporting_tools"}) {
        Component& component = release.at(*OpennessTables::embedded().by_key(key));
        if (component.presence == Presence::present) continue;
        component.presence = Presence::present;
        component.listed = true;
        component.where = fmt::format("heft and others run {}", options.architecture);
        set_licence(component, options.engine_licence);
    }
}

}  // namespace

Release scan_release(const govern::ReleaseFiles& files, const govern::Declared& declared,
                     const ScanOptions& options) {
    const OpennessTables& tables = OpennessTables::embedded();
    Release release;
    release.source = "files";
    release.name = files.name;
    release.notes = files.notes;
    release.notes.insert(release.notes.end(), declared.problems.begin(), declared.problems.end());
    const Evidence evidence = evidence_of(files, declared);
    for (const Sign& sign : tables.signs()) {
        Component& component = release.at(sign.kind);
        if (component.presence == Presence::present) continue;
        Seen found = seen(evidence, sign);
        if (found.where.empty()) continue;
        const bool of_fine_tuning = sign.partial && !declared.base_models.empty();
        component.where = std::move(found.where);
        if (of_fine_tuning) {
            // Says what the last step used; the base model's data is another question.
            component.where += ", which tells of the last training step only";
            continue;
        }
        component.presence = sign.partial ? Presence::partial : Presence::present;
        component.listed = !sign.partial;
        if (found.lies == Seen::Lies::elsewhere || !options.licence_of) continue;
        FoundLicence licence = options.licence_of(tables.kinds()[sign.kind]);
        component.licence = std::move(licence.name);
        component.terms = licence.terms;
    }
    take_engine(release, options);
    return release;
}

}  // namespace heft::openness
