#include "app/release.h"

#include <algorithm>
#include <filesystem>

#include "app/model_flags.h"
#include "base/mapped_file.h"
#include "govern/openness/embedded.h"
#include "govern/openness/scan.h"

namespace heft::app {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRecordBytes = 1U << 20;
constexpr const char* kOwnLicence = "Apache-2.0";  // of heft, which runs the architectures it knows

Result<openness::Release> read_record_file(const fs::path& path, const std::string& id) {
    HEFT_TRY(const std::string text, read_text(path, kRecordBytes));
    auto release = openness::read_record(text, id);
    if (!release) return within(path.string(), release.error());
    return release;
}

std::string record_among(const std::vector<std::string>& names) {
    for (const char* name : {"openness.yaml", "mof.yaml", "mof.yml"})
        if (std::binary_search(names.begin(), names.end(), name)) return name;
    return {};
}

bool is_embedded(const LocalRelease& local) {
    return local.engine && local.engine->embedded();
}

}  // namespace

Result<LocalRelease> local_release(const std::string& reference, Result<engine::Engine> opened) {
    LocalRelease out;
    if (opened)
        out.engine.emplace(std::move(*opened));
    else
        out.why_not_opened = opened.error().what;
    if (is_embedded(out)) {
        out.files.name = reference;
    } else {
        HEFT_TRY(out.files, govern::read_release(reference));
    }
    if (out.engine && out.engine->checkpoint().kind() == format::Kind::gguf)
        out.files.metadata = govern::metadata_texts(out.engine->checkpoint().metadata());
    out.declared = govern::declared_by(out.files);
    return out;
}

Result<LocalRelease> local_release(const std::string& reference,
                                   const format::AdapterFiles& adapter) {
    LocalRelease out;
    HEFT_TRY(out.files, govern::read_release(reference));
    if (adapter.gguf) out.files.metadata = govern::metadata_texts(adapter.gguf->metadata());
    out.declared = govern::declared_by(out.files);
    out.why_not_opened = "this is an adapter";
    return out;
}

Result<LocalRelease> open_local_release(const std::string& reference) {
    auto opened = open_description(reference);
    return local_release(reference, std::move(opened));
}

Result<govern::Identification> licence_of(const govern::Catalogue& catalogue, LocalRelease& local) {
    if (is_embedded(local)) local.files.texts = govern::built_in_release(catalogue).texts;
    return govern::identify(catalogue, local.files);
}

govern::Chain chain_of(const govern::Catalogue& catalogue, const LocalRelease& local,
                       const govern::Identification& licence) {
    return govern::chain_of(catalogue, licence, "itself", local.files.folder.parent_path());
}

Result<openness::Release> components_of(const LocalRelease& local,
                                        const govern::Identification& licence) {
    if (is_embedded(local)) return openness::read_record(openness::embedded_tiny_record());
    const std::string record = record_among(local.files.names);
    if (!record.empty()) return read_record_file(local.files.folder / record, {});
    openness::ScanOptions options;
    options.licence_of = openness::identified_licence(licence);
    if (local.engine) {
        const auto config = local.engine->config();
        if (config) {
            options.architecture = (*config)->family->name;
            options.engine_licence = kOwnLicence;
        }
    }
    openness::Release release = openness::scan_release(local.files, local.declared, options);
    for (const std::string& problem : licence.problems)
        release.notes.push_back("licence: " + problem);
    if (!local.engine) release.notes.push_back("weights: " + local.why_not_opened);
    return release;
}

bool is_record(const std::string& reference) {
    const fs::path path = reference.substr(0, reference.rfind('#'));
    const std::string extension = path.extension().string();
    std::error_code error;
    return (extension == ".yml" || extension == ".yaml" || extension == ".json")
           && !fs::is_directory(path, error);
}

Result<openness::Release> read_record(const std::string& reference) {
    const std::size_t hash = reference.rfind('#');
    return read_record_file(reference.substr(0, hash),
                            hash == std::string::npos ? "" : reference.substr(hash + 1));
}

}  // namespace heft::app
