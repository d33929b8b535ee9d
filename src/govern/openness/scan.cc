#include "govern/openness/scan.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "format/yaml.h"
#include "govern/words.h"

namespace heft::openness {

namespace {

// What of a release a sign is looked for in.
struct Evidence {
    const ReleaseFiles& files;
    std::vector<std::string> headings;  // of the card, folded
    std::string card;                   // folded
};

Evidence evidence_of(const ReleaseFiles& files) {
    Evidence out{.files = files, .headings = {}, .card = folded(files.card)};
    std::string_view rest = format::split_card(files.card).body;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = rest.substr(0, end);
        if (line.starts_with('#')) out.headings.push_back(folded(line));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return out;
}

// Where the sign was seen; empty: nowhere.
std::string seen(const Evidence& evidence, const Sign& sign) {
    for (const std::string& pattern : sign.files)
        for (const std::string& file : evidence.files.files)
            if (govern::matches(pattern, file)) return file;
    for (const std::string& field : sign.fields)
        if (evidence.files.front_matter.is_object() && evidence.files.front_matter.contains(field))
            return fmt::format("the card's \"{}\"", field);
    for (const std::string& word : sign.headings)
        for (const std::string& heading : evidence.headings)
            if (heading.find(word) != std::string::npos)
                return fmt::format("the card's section \"{}\"",
                                   heading.substr(heading.find_first_not_of("# ")));
    for (const std::string& link : sign.links)
        if (evidence.card.find(link) != std::string::npos)
            return fmt::format("a link in the card ({})", link);
    return {};
}

// Links lead elsewhere: what is there has a licence of its own, which nobody looked at.
bool elsewhere(const std::string& where) {
    return where.starts_with("a link") || where.starts_with("the card's \"datasets\"");
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

LicenceOf declared_licence(const Declared& declared) {
    // "other" and "unknown" say that the name or the text decides.
    const std::string tag = folded(declared.licence);
    const bool named = tag.empty() || tag == "other" || tag == "unknown";
    const std::string licence = named ? declared.licence_name : declared.licence;
    return [licence](const ComponentKind&) {
        return licence;  // NOLINT(performance-no-automatic-move): kept for the next component
    };
}

Release scan_release(const ReleaseFiles& files, const Declared& declared,
                     const ScanOptions& options) {
    const OpennessTables& tables = OpennessTables::embedded();
    Release release;
    release.source = "files";
    release.name = files.name;
    release.notes = files.notes;
    const Evidence evidence = evidence_of(files);
    for (const Sign& sign : tables.signs()) {
        Component& component = release.at(sign.kind);
        if (component.presence == Presence::present) continue;
        std::string where = seen(evidence, sign);
        if (where.empty()) continue;
        const bool of_fine_tuning = sign.partial && !declared.base_models.empty();
        component.where = std::move(where);
        if (of_fine_tuning) {
            // Says what the last step used; the base model's data is another question.
            component.where += ", which tells of the last training step only";
            continue;
        }
        component.presence = sign.partial ? Presence::partial : Presence::present;
        component.listed = !sign.partial;
        if (elsewhere(component.where)) continue;
        set_licence(component, options.licence_of ? options.licence_of(tables.kinds()[sign.kind])
                                                  : std::string());
    }
    take_engine(release, options);
    return release;
}

}  // namespace heft::openness
