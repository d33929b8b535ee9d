// heft license: which terms a model comes with, and what they say to a use.
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "app/license_document.h"
#include "app/use_flags.h"
#include "base/mapped_file.h"
#include "format/checkpoint.h"
#include "format/gguf.h"
#include "govern/duties_folder.h"
#include "govern/lineage.h"

namespace heft::app {

namespace {

namespace fs = std::filesystem;

struct LicenseOptions {
    std::string model, duties, licences;
    UseFlags use;
    bool json = false;
};

struct Subject {
    govern::Identification model;
    govern::ReleaseFiles files;
    fs::path folder;  // empty for a name
};

// A GGUF file speaks for itself: what stands beside it in a folder of downloads may belong to
// others.
Result<govern::ReleaseFiles> read_gguf(const fs::path& path) {
    HEFT_TRY(const MappedFile file, MappedFile::open(path));
    auto gguf = format::parse_gguf(file.bytes());
    if (!gguf) return within(path.string(), std::move(gguf.error()));
    govern::ReleaseFiles files;
    files.name = path.stem().string();
    govern::read_release(gguf->metadata, files);
    return files;
}

Result<govern::ReleaseFiles> read_files(const fs::path& path) {
    std::error_code ignored;
    if (path.extension() == ".gguf") return read_gguf(path);
    if (path.extension() == ".safetensors") return govern::read_release(path.parent_path());
    HEFT_TRY(govern::ReleaseFiles files, govern::read_release(path));
    if (!fs::is_directory(path, ignored)) return files;
    // A folder that holds a single GGUF model: what its metadata says counts as well.
    const auto opened = format::Checkpoint::open(path);
    if (opened) govern::read_release(opened->metadata(), files);
    return files;
}

Result<Subject> find_subject(const govern::Catalogue& catalogue, const std::string& reference) {
    Subject subject;
    std::error_code ignored;
    if (reference == "tiny") {
        subject.files = govern::built_in_release(catalogue);
    } else if (fs::exists(reference, ignored)) {
        HEFT_TRY(subject.files, read_files(reference));
        subject.folder = fs::is_directory(reference, ignored) ? fs::path(reference)
                                                              : fs::path(reference).parent_path();
    } else {
        subject.model = govern::identify_name(catalogue, reference);
        const bool is_path = reference.starts_with('.') || reference.starts_with('/')
                             || reference.ends_with(".gguf");
        if (subject.model.licences.empty() && is_path)
            return Error{Code::not_found, reference + ": no such file or folder"};
        return subject;
    }
    HEFT_TRY(subject.model, govern::identify(catalogue, subject.files));
    return subject;
}

std::vector<govern::LicenceCopy> copies_of(const Subject& subject) {
    std::vector<govern::LicenceCopy> copies;
    for (const auto& evidence : subject.model.evidence)
        for (const auto& file : subject.files.files)
            if (file.name == evidence.where
                && (evidence.role == govern::Role::weights
                    || evidence.role == govern::Role::policy))
                copies.push_back({subject.model.name, file.name, file.text});
    for (const auto& file : subject.files.files)
        if (file.name.starts_with("NOTICE"))
            copies.push_back({subject.model.name, file.name, file.text});
    return copies;
}

Status answer(const LicenseOptions& o) {
    HEFT_TRY(const govern::Catalogue catalogue, govern::Catalogue::open(o.licences));
    HEFT_TRY(govern::Use use, use_of(o.use, catalogue.vocabulary()));
    HEFT_TRY(const Subject subject, find_subject(catalogue, o.model));
    if (subject.model.is_multimodal)
        use.suggest("modality",
                    std::string(*subject.model.is_multimodal ? "multimodal" : "text-only"));
    const auto assessment = govern::assess(
        catalogue,
        govern::chain_of(catalogue, subject.model, "itself", subject.folder.parent_path()), use);
    const auto document = license_document(subject.model, assessment, use, catalogue.vocabulary());
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
    verb->add_flag("--json", o->json, "one heft.license/1 document");
    verb->callback([o, &action] { action = [o] { return answer(*o); }; });
}

}  // namespace heft::app
