#include "govern/openness/release_files.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/mapped_file.h"
#include "format/yaml.h"
#include "govern/tree.h"
#include "govern/words.h"

namespace heft::openness {

namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::size_t kMostFiles = 20'000;
constexpr int kDeepest = 2;  // folders below the first
constexpr std::size_t kCardBytes = 4U << 20;

bool hidden(const fs::path& path) {
    return path.filename().string().starts_with('.');
}

void walk(ReleaseFiles& out) {
    std::error_code error;
    fs::recursive_directory_iterator at(out.folder, fs::directory_options::skip_permission_denied,
                                        error);
    for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
        std::error_code ignored;
        if (hidden(at->path()) || at.depth() >= kDeepest) at.disable_recursion_pending();
        if (hidden(at->path()) || at->is_directory(ignored)) continue;
        if (out.files.size() >= kMostFiles) {
            out.notes.push_back(
                fmt::format("more than {} files; the rest is left out", kMostFiles));
            break;
        }
        out.files.push_back(at->path().lexically_relative(out.folder).generic_string());
    }
}

// Beside a single file, only what speaks about a model: the folder may hold many.
bool speaks_of_it(const std::string& name) {
    constexpr std::string_view patterns[] = {"README.md",    "LICENSE*",    "LICENCE*",
                                             "NOTICE*",      "USE_POLICY*", "config.json",
                                             "openness.yaml"};
    return std::any_of(std::begin(patterns), std::end(patterns),
                       [&](std::string_view pattern) { return govern::matches(pattern, name); });
}

void list_beside(const fs::path& file, ReleaseFiles& out) {
    out.files.push_back(file.filename().string());
    std::error_code error;
    std::size_t seen = 0;
    for (fs::directory_iterator at(out.folder, error);
         !error && at != fs::directory_iterator() && seen < kMostFiles;
         at.increment(error), ++seen) {
        const std::string name = at->path().filename().string();
        std::error_code ignored;
        if (speaks_of_it(name) && at->is_regular_file(ignored)) out.files.push_back(name);
    }
}

void read_card(ReleaseFiles& out) {
    if (!std::binary_search(out.files.begin(), out.files.end(), "README.md")) return;
    auto text = read_text(out.folder / "README.md", kCardBytes);
    if (!text) {
        out.notes.push_back(text.error().what);
        return;
    }
    out.card = std::move(*text);
    const format::Card card = format::split_card(out.card);
    if (!card.front_matter) return;
    auto front = format::read_yaml(*card.front_matter);
    if (front)
        out.front_matter = std::move(*front);
    else
        out.notes.push_back("README.md: " + front.error().what);
}

void fill(std::string& to, const format::Metadata& metadata, std::string_view key) {
    const auto value = metadata.string(key);
    if (to.empty() && value) to = *value;
}

// general.base_model.0.repo_url … and general.dataset.0.… of GGUF.
std::vector<std::string> numbered(const format::Metadata& metadata, const std::string& what) {
    std::vector<std::string> list;
    const std::int64_t n = metadata.integer("general." + what + ".count").value_or(0);
    for (std::int64_t i = 0; i < std::clamp<std::int64_t>(n, 0, 100); ++i) {
        std::string name;
        fill(name, metadata, fmt::format("general.{}.{}.repo_url", what, i));
        fill(name, metadata, fmt::format("general.{}.{}.name", what, i));
        if (!name.empty()) list.push_back(std::move(name));
    }
    return list;
}

}  // namespace

Result<ReleaseFiles> list_release(const fs::path& path) {
    ReleaseFiles out;
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (fs::is_directory(status)) {
        out.folder = path;
        const fs::path named = fs::weakly_canonical(path, error);
        out.name = named.filename().string();
        walk(out);
    } else if (fs::exists(status)) {
        out.folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
        out.name = path.filename().string();
        list_beside(path, out);
    } else {
        return Error{Code::not_found, fmt::format("{}: no such file or folder", path.string())};
    }
    std::sort(out.files.begin(), out.files.end());
    out.files.erase(std::unique(out.files.begin(), out.files.end()), out.files.end());
    read_card(out);
    return out;
}

Declared declared_by(const Json& front, const format::Metadata& metadata) {
    Declared out;
    const std::vector<std::string> licences = govern::texts_of(front, "license");
    if (!licences.empty()) out.licence = licences.front();
    out.licence_name = govern::text_of(front, "license_name");
    out.licence_link = govern::text_of(front, "license_link");
    out.base_models = govern::texts_of(front, "base_model");
    out.relation = govern::text_of(front, "base_model_relation");
    out.datasets = govern::texts_of(front, "datasets");
    out.tags = govern::texts_of(front, "tags");
    out.task = govern::text_of(front, "pipeline_tag");
    out.library = govern::text_of(front, "library_name");
    fill(out.licence, metadata, "general.license");
    fill(out.licence_name, metadata, "general.license.name");
    fill(out.licence_link, metadata, "general.license.link");
    fill(out.author, metadata, "general.organization");
    fill(out.author, metadata, "general.author");
    fill(out.version, metadata, "general.version");
    fill(out.description, metadata, "general.description");
    fill(out.url, metadata, "general.repo_url");
    fill(out.url, metadata, "general.url");
    if (out.base_models.empty()) out.base_models = numbered(metadata, "base_model");
    if (out.datasets.empty()) out.datasets = numbered(metadata, "dataset");
    if (out.tags.empty())
        for (const std::string_view tag : metadata.strings("general.tags"))
            out.tags.emplace_back(tag);
    return out;
}

}  // namespace heft::openness
