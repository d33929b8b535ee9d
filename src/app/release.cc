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

bool is_record(const fs::path& path) {
    const std::string extension = path.extension().string();
    return extension == ".yml" || extension == ".yaml" || extension == ".json";
}

Result<openness::Release> read_record(const fs::path& path, const std::string& id) {
    HEFT_TRY(const std::string text, read_text(path, kRecordBytes));
    auto release = openness::read_release(text, id);
    if (!release) return within(path.string(), release.error());
    return release;
}

std::string record_beside(const openness::ReleaseFiles& files) {
    for (const char* name : {"openness.yaml", "mof.yaml", "mof.yml"})
        if (std::binary_search(files.files.begin(), files.files.end(), name)) return name;
    return {};
}

}  // namespace

Result<LocalRelease> open_local_release(const std::string& reference) {
    LocalRelease out;
    auto opened = open_description(reference);
    if (opened)
        out.engine.emplace(std::move(*opened));
    else
        out.why_not_opened = opened.error().what;
    const bool embedded = out.engine && out.engine->embedded();
    if (embedded) {
        out.files.name = reference;
    } else {
        HEFT_TRY(out.files, openness::list_release(reference));
    }
    static const format::Metadata kNone;
    out.declared = openness::declared_by(out.files.front_matter,
                                         out.engine ? out.engine->checkpoint().metadata() : kNone);
    return out;
}

Result<openness::Release> release_of(const LocalRelease& local) {
    if (local.engine && local.engine->embedded())
        return openness::read_release(openness::embedded_tiny_record());
    const std::string record = record_beside(local.files);
    if (!record.empty()) return read_record(local.files.folder / record, {});
    openness::ScanOptions options;
    options.licence_of = openness::declared_licence(local.declared);
    if (local.engine) {
        const auto config = local.engine->config();
        if (config) {
            options.architecture = (*config)->family->name;
            options.engine_licence = kOwnLicence;
        }
    }
    openness::Release release = openness::scan_release(local.files, local.declared, options);
    if (!local.engine) release.notes.push_back("weights: " + local.why_not_opened);
    return release;
}

Result<openness::Release> open_release(const std::string& reference) {
    const std::size_t hash = reference.rfind('#');
    const fs::path path = reference.substr(0, hash);
    const std::string id = hash == std::string::npos ? "" : reference.substr(hash + 1);
    std::error_code error;
    if (is_record(path) && !fs::is_directory(path, error)) return read_record(path, id);
    HEFT_TRY(const LocalRelease local, open_local_release(reference));
    return release_of(local);
}

}  // namespace heft::app
