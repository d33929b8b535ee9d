// heft license: which terms a model comes with, and what they say to a use.
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "app/license_document.h"
#include "app/page.h"
#include "app/release.h"
#include "app/use_flags.h"
#include "format/output_file.h"
#include "govern/duties_folder.h"
#include "govern/glance.h"
#include "govern/lineage.h"
#include "govern/openness/judge.h"

namespace heft::app {

namespace {

namespace fs = std::filesystem;

struct LicenseOptions {
    std::string model, duties, licences, html;
    UseFlags use;
    bool json = false;
};

// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct Subject {
    govern::Identification model;
    std::optional<LocalRelease> local;  // absent: only a name
};

Result<Subject> find_subject(const govern::Catalogue& catalogue, const std::string& reference) {
    Subject subject;
    std::error_code ignored;
    if (reference == "tiny" || fs::exists(reference, ignored)) {
        HEFT_TRY(subject.local, open_local_release(reference));
        HEFT_TRY(subject.model, licence_of(catalogue, *subject.local));
        return subject;
    }
    subject.model = govern::identify_name(catalogue, reference);
    const bool is_path =
        reference.starts_with('.') || reference.starts_with('/') || reference.ends_with(".gguf");
    if (subject.model.licences.empty() && is_path)
        return Error{Code::not_found, reference + ": no such file or folder"};
    return subject;
}

govern::Chain terms_of(const govern::Catalogue& catalogue, const Subject& subject) {
    return subject.local ? chain_of(catalogue, *subject.local, subject.model)
                         : govern::chain_of(catalogue, subject.model);
}

// One page: the card for this use, or for the usual ones where none was stated, and, of a model
// that is here, where it stands between closed and open.
Status write_page(const LicenseOptions& o, const Subject& subject,
                  const nlohmann::ordered_json& card) {
    if (!subject.local)
        return format::write_file(o.html, release_page(o.model, card, nullptr, nullptr));
    HEFT_TRY(const openness::Release release, components_of(*subject.local, subject.model));
    const openness::Openness verdict = openness::judge(release);
    return format::write_file(o.html, release_page(o.model, card, &release, &verdict));
}

std::vector<govern::LicenceCopy> copies_of(const Subject& subject) {
    std::vector<govern::LicenceCopy> copies;
    if (!subject.local) return copies;
    for (const auto& evidence : subject.model.evidence)
        for (const auto& file : subject.local->files.texts)
            if (file.name == evidence.where
                && (evidence.role == govern::Role::weights
                    || evidence.role == govern::Role::policy))
                copies.push_back({subject.model.name, file.name, file.text});
    for (const auto& file : subject.local->files.texts)
        if (file.name.starts_with("NOTICE"))
            copies.push_back({subject.model.name, file.name, file.text});
    return copies;
}

Status answer(const LicenseOptions& o) {
    HEFT_TRY(const govern::Catalogue catalogue, govern::Catalogue::open(o.licences));
    HEFT_TRY(govern::Use use, use_of(o.use, catalogue.vocabulary()));
    const bool has_use = !use.facts().empty();
    HEFT_TRY(const Subject subject, find_subject(catalogue, o.model));
    if (subject.model.is_multimodal)
        use.suggest("modality",
                    std::string(*subject.model.is_multimodal ? "multimodal" : "text-only"));
    const govern::Chain chain = terms_of(catalogue, subject);
    const auto documented = [&](const govern::Use& of) {
        return license_document(subject.model, govern::assess(catalogue, chain, of), of,
                                catalogue.vocabulary());
    };
    const auto assessment = govern::assess(catalogue, chain, use);
    const auto document = license_document(subject.model, assessment, use, catalogue.vocabulary());
    if (!o.html.empty())
        HEFT_OK(write_page(o, subject, has_use ? document : documented(govern::usual_use())));
    if (!o.duties.empty()) {
        HEFT_TRY(const auto written, govern::write_duties(assessment, subject.model.name,
                                                          copies_of(subject), o.duties));
        for (const std::string& name : written) say(o.duties + "/" + name);
    }
    if (o.json)
        put_json(document);
    else
        put(license_report(document));
    const govern::Verdict verdict = assessment.judgement.verdict;
    if (govern::is_no(verdict)) answer_no();
    if (govern::is_no(verdict) || govern::is_allowed(verdict)) return {};
    return Error{Code::invalid, ""};  // cannot tell: the report has said why
}

}  // namespace

void add_license(CLI::App& app, Action& action) {
    const auto o = std::make_shared<LicenseOptions>();
    CLI::App* verb =
        add_verb(app, "license",
                 "What a model's licence says to your use: exit 0 allowed, 1 no, 2 cannot tell.",
                 "heft license llama3.1 --commercial --users-at 2024-06=5000000");
    verb->add_option("MODEL", o->model, "a model, a licence or a repository's name")->required();
    add_use_flags(*verb, o->use);
    verb->add_option("--duties", o->duties, "writes what to ship: a new folder")->type_name("DIR");
    verb->add_option("--licences", o->licences, "licences of your own, in YAML")->type_name("DIR");
    verb->add_option("--html", o->html, "also one self-contained page")->type_name("F");
    verb->add_flag("--json", o->json, "one heft.license/1 document");
    verb->callback([o, &action] { action = [o] { return answer(*o); }; });
}

}  // namespace heft::app
