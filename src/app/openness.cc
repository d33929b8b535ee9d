// heft openness: what was released, and where that stands between closed and open source.
#include <algorithm>
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "app/license_document.h"
#include "app/page.h"
#include "app/release.h"
#include "app/wrap.h"
#include "format/output_file.h"
#include "govern/glance.h"
#include "govern/openness/document.h"

namespace heft::app {

namespace {

struct OpennessOptions {
    std::string reference, html;
    std::vector<std::string> components;
    bool json = false;
};

void put_wrapped(const std::string& first, const std::string& text) {
    put(paragraph(first, text, first.size()));
}

const char* spoken_level(int level) {
    constexpr const char* words[] = {"closed", "open weights", "open weights + data information",
                                     "open source"};
    return words[level];
}

void put_level(const openness::Openness& found) {
    std::string rest;
    if (found.level_at_most > found.level)
        rest = fmt::format(" at least; {} if all that is unknown is there",
                           spoken_level(found.level_at_most));
    if (found.level == 0 && found.level_at_most > 0)
        put_wrapped("level     ", fmt::format("could not be determined: no weights are seen here{}",
                                              rest.substr(rest.find(';'))));
    else
        put_wrapped("level     ",
                    fmt::format("{} of 3, {}{}", found.level, spoken_level(found.level), rest));
}

void put_mof(const openness::Release& release, const openness::MofVerdict& mof) {
    constexpr const char* names[] = {"none", "I, open science", "II, open tooling",
                                     "III, open model"};
    constexpr const char* roman[] = {"", "I", "II", "III"};
    std::string text = names[mof.mof_class];
    if (mof.next_class > 0)
        text += fmt::format("; {:.0f} % of class {}",
                            mof.progress[static_cast<std::size_t>(mof.next_class - 1)],
                            roman[mof.next_class]);
    put_wrapped("MOF class ", text);
    for (const openness::MofPart& part : mof.missing)
        put_wrapped(
            "          - ",
            fmt::format("{}: {}", openness::OpennessTables::embedded().kinds()[part.kind].name,
                        openness::why_not(release, part)));
}

void put_osaid(const openness::OsaidVerdict& osaid) {
    std::string word = openness::word_name(osaid.word);
    std::replace(word.begin(), word.end(), '_', ' ');
    put(fmt::format("OSAID 1.0 {}\n", word));
    for (const openness::OsaidItem& item : osaid.items) {
        const auto& asked = openness::OpennessTables::embedded().checklist()[item.item];
        const char* mark = item.state == openness::ItemState::met     ? "yes"
                           : item.state == openness::ItemState::unmet ? "no "
                                                                      : "?  ";
        std::string id = asked.id;
        std::replace(id.begin(), id.end(), '_', ' ');
        put_wrapped(fmt::format("  {} {:<17}", mark, id), item.why);
    }
}

void put_components(const openness::Release& release) {
    put("components\n");
    const auto& kinds = openness::OpennessTables::embedded().kinds();
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        const openness::Component& component = release.at(i);
        std::string text = openness::presence_name(component.presence);
        if (!component.licence.empty()) text += ", " + component.licence;
        if (!component.where.empty()) text += "; " + component.where;
        put_wrapped(fmt::format("  {:<33} ", kinds[i].name), text);
    }
}

void put_report(const std::string& model, const openness::Release& release,
                const openness::Openness& found) {
    put_wrapped("release   ", release.name.empty() || release.name == model
                                  ? model
                                  : fmt::format("{} ({})", release.name, model));
    put_level(found);
    put_mof(release, found.mof);
    put_osaid(found.osaid);
    put_components(release);
    for (const std::string& why : found.differences) put_wrapped("why       ", why);
    if (!found.cannot.empty())
        put_wrapped("cannot    ", fmt::format("{}", fmt::join(found.cannot, "; ")));
    if (!found.unsure.empty())
        put_wrapped("unknown   ",
                    fmt::format("whether one can: {}", fmt::join(found.unsure, "; ")));
    for (const std::string& note : release.notes) put_wrapped("note      ", note);
}

// The licence card needs a model's files; a record has none.
struct Shown {
    openness::Release release;
    nlohmann::ordered_json licence;  // a heft.license/1 document, or null
};

Result<Shown> shown(const OpennessOptions& o) {
    Shown out;
    if (is_record(o.reference)) {
        HEFT_TRY(out.release, read_record(o.reference));
        return out;
    }
    HEFT_TRY(const govern::Catalogue catalogue, govern::Catalogue::open());
    HEFT_TRY(LocalRelease local, open_local_release(o.reference));
    HEFT_TRY(const govern::Identification licence, licence_of(catalogue, local));
    HEFT_TRY(out.release, components_of(local, licence));
    if (o.html.empty()) return out;
    const govern::Use use = govern::usual_use();
    out.licence = license_document(
        licence, govern::assess(catalogue, chain_of(catalogue, local, licence), use), use,
        catalogue.vocabulary());
    return out;
}

Status show_openness(const OpennessOptions& o) {
    HEFT_TRY(Shown found, shown(o));
    for (const std::string& flag : o.components) {
        const Status done = openness::apply_flag(found.release, flag);
        if (!done) return within("--component", done.error());
    }
    const openness::Openness verdict = openness::judge(found.release);
    if (!o.html.empty())
        HEFT_OK(format::write_file(
            o.html, release_page(o.reference, found.licence, &found.release, &verdict)));
    if (o.json)
        put_json(openness::openness_document(o.reference, found.release, verdict));
    else
        put_report(o.reference, found.release, verdict);
    return {};
}

}  // namespace

void add_openness(CLI::App& app, Action& action) {
    const auto o = std::make_shared<OpennessOptions>();
    CLI::App* verb = add_verb(
        app, "openness", "What was released, and where it stands between closed and open source.",
        "heft openness my-model/ --component training_code=no");
    verb->add_option("MODEL", o->reference, "a model, or a record (.yml, .json; FILE#ID)")
        ->required();
    verb->add_option("--component", o->components, "what you know: NAME=yes|no|partial[:LICENCE]")
        ->type_name("C");
    verb->add_option("--html", o->html, "also one self-contained page")->type_name("F");
    verb->add_flag("--json", o->json, "one heft.openness/1 document");
    verb->callback([o, &action] { action = [o] { return show_openness(*o); }; });
}

}  // namespace heft::app
