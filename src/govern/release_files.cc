#include "govern/release_files.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/mapped_file.h"
#include "govern/words.h"

namespace heft::govern {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostTexts = 64;
constexpr std::size_t kMostBytes = 1U << 20;
constexpr std::size_t kMostFiles = 20'000;
constexpr int kDeepest = 2;  // folders below the first

// Names of files that are read, as repository_name() writes them.
constexpr std::string_view kTexts[] = {"*license*",        "*licence*",           "copying*",
                                       "notice*",          "*use-policy*",        "*usage-policy*",
                                       "*prohibited-use*", "readme.md",           "*model-card*.md",
                                       "config.json",      "adapter-config.json", "modelcard.md"};
constexpr std::string_view kNotText[] = {"*.pdf", "*.png", "*.jpg", "*.safetensors", "*.gguf"};
constexpr std::string_view kRecord = "openness.yaml";

// Files of weights that lie in a folder of their own, with a configuration beside them.
constexpr std::string_view kWeights[] = {".safetensors", ".bin", ".pt", ".pth"};

bool speaks_of_licence(const std::string& file) {
    const std::string name = repository_name(file);
    const auto fits = [&name](std::string_view pattern) { return matches(pattern, name); };
    return std::any_of(std::begin(kTexts), std::end(kTexts), fits)
           && std::none_of(std::begin(kNotText), std::end(kNotText), fits);
}

bool is_hidden(const fs::path& path) {
    return path.filename().string().starts_with('.');
}

void walk(ReleaseFiles& out) {
    std::error_code error;
    fs::recursive_directory_iterator at(out.folder, fs::directory_options::skip_permission_denied,
                                        error);
    for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
        std::error_code ignored;
        if (is_hidden(at->path()) || at.depth() >= kDeepest) at.disable_recursion_pending();
        if (is_hidden(at->path()) || at->is_directory(ignored)) continue;
        if (out.names.size() >= kMostFiles) {
            out.notes.push_back(
                fmt::format("more than {} files; the rest is left out", kMostFiles));
            break;
        }
        out.names.push_back(at->path().lexically_relative(out.folder).generic_string());
    }
}

void list_beside(const fs::path& file, ReleaseFiles& out) {
    out.names.push_back(file.filename().string());
    std::error_code error;
    std::size_t seen = 0;
    for (fs::directory_iterator at(out.folder, error);
         !error && at != fs::directory_iterator() && seen < kMostFiles;
         at.increment(error), ++seen) {
        const std::string name = at->path().filename().string();
        std::error_code ignored;
        if ((speaks_of_licence(name) || name == kRecord) && at->is_regular_file(ignored))
            out.names.push_back(name);
    }
}

// A file that is too large or unreadable is left out: it is then missing, and said to be.
void read_texts(ReleaseFiles& out) {
    std::error_code ignored;
    for (const std::string& name : out.names) {
        if (out.texts.size() >= kMostTexts) break;
        if (name.find('/') != std::string::npos || !speaks_of_licence(name)) continue;
        if (!fs::is_regular_file(out.folder / name, ignored)) continue;
        auto text = read_text(out.folder / name, kMostBytes);
        if (text)
            out.texts.push_back({name, std::move(*text)});
        else
            out.notes.push_back(text.error().what);
    }
}

std::string own_name(const fs::path& folder) {
    std::error_code error;
    fs::path absolute = fs::absolute(folder, error).lexically_normal();
    if (!absolute.has_filename()) absolute = absolute.parent_path();
    return absolute.filename().string();
}

}  // namespace

Result<ReleaseFiles> read_release(const fs::path& path) {
    ReleaseFiles out;
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status))
        return Error{Code::not_found, fmt::format("{}: no such file or folder", path.string())};
    const bool is_folder = fs::is_directory(status);
    out.folder = is_folder ? path : path.has_parent_path() ? path.parent_path() : fs::path(".");
    out.name = own_name(is_folder ? path : out.folder);
    const std::string extension = path.extension().string();
    if (is_folder) {
        walk(out);
    } else if (std::find(std::begin(kWeights), std::end(kWeights), extension)
               != std::end(kWeights)) {
        list_beside(path, out);
    } else {
        out.names.push_back(path.filename().string());
        out.name = extension == ".gguf" ? path.stem().string() : path.filename().string();
        if (extension == ".gguf") return out;
        HEFT_TRY(std::string text, read_text(path, kMostBytes));
        out.texts.push_back({path.filename().string(), std::move(text)});
        return out;
    }
    std::sort(out.names.begin(), out.names.end());
    out.names.erase(std::unique(out.names.begin(), out.names.end()), out.names.end());
    read_texts(out);
    return out;
}

namespace {

std::string first_of(const format::Metadata& metadata, const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
        std::string text(metadata.string(key).value_or(""));
        if (!text.empty()) return text;
    }
    return {};
}

// general.base_model.0.repo_url, general.dataset.0.name and so on.
std::vector<std::string> numbered(const format::Metadata& metadata, const std::string& what) {
    constexpr std::int64_t most = 100;
    std::vector<std::string> list;
    const std::int64_t n = metadata.integer("general." + what + ".count").value_or(0);
    for (std::int64_t i = 0; i < std::min(n, most); ++i) {
        const std::string key = fmt::format("general.{}.{}", what, i);
        std::string name = first_of(metadata, {key + ".repo_url", key + ".name"});
        if (!name.empty()) list.push_back(std::move(name));
    }
    return list;
}

}  // namespace

MetadataTexts metadata_texts(const format::Metadata& metadata) {
    MetadataTexts out;
    out.licence = first_of(metadata, {"general.license"});
    out.licence_name = first_of(metadata, {"general.license.name"});
    out.licence_link = first_of(metadata, {"general.license.link"});
    out.name = first_of(metadata, {"general.name"});
    out.author = first_of(metadata, {"general.organization", "general.author"});
    out.version = first_of(metadata, {"general.version"});
    out.description = first_of(metadata, {"general.description"});
    out.url = first_of(metadata, {"general.repo_url", "general.url"});
    out.base_models = numbered(metadata, "base_model");
    out.datasets = numbered(metadata, "dataset");
    for (const std::string_view tag : metadata.strings("general.tags")) out.tags.emplace_back(tag);
    return out;
}

ReleaseFiles built_in_release(const Catalogue& catalogue) {
    ReleaseFiles release;
    release.name = "tiny";
    for (const auto& [name, text] : catalogue.built_in_texts())
        release.texts.push_back({name, text});
    return release;
}

}  // namespace heft::govern
