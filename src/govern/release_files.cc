// The files of a release that say something about its licence.
#include <algorithm>

#include "base/mapped_file.h"
#include "govern/identify.h"
#include "govern/words.h"

namespace heft::govern {

namespace {

constexpr std::size_t kMostFiles = 64;
constexpr std::size_t kMostBytes = 1U << 20;
constexpr std::size_t kMostEntries = 100'000;

// Names of files that are read, as repository_name() writes them.
constexpr std::string_view kPatterns[] = {
    "*license*",           "*licence*",        "copying*",  "notice*",         "*use-policy*",
    "*usage-policy*",      "*prohibited-use*", "readme.md", "*model-card*.md", "config.json",
    "adapter-config.json", "modelcard.md"};
constexpr std::string_view kNotText[] = {"*.pdf", "*.png", "*.jpg", "*.safetensors", "*.gguf"};

bool concerns_licence(const std::string& file) {
    const std::string name = repository_name(file);
    const auto fits = [&name](std::string_view pattern) { return matches(pattern, name); };
    return std::any_of(std::begin(kPatterns), std::end(kPatterns), fits)
           && std::none_of(std::begin(kNotText), std::end(kNotText), fits);
}

// A file that is too large or unreadable is left out: it is then missing, and said to be.
void take(const std::filesystem::path& file, ReleaseFiles& release) {
    auto text = read_text(file, kMostBytes);
    if (text) release.files.push_back({file.filename().string(), std::move(*text)});
}

}  // namespace

Result<ReleaseFiles> read_release(const std::filesystem::path& path) {
    ReleaseFiles release;
    std::error_code error;
    auto absolute = std::filesystem::absolute(path, error).lexically_normal();
    if (!absolute.has_filename()) absolute = absolute.parent_path();
    release.name = absolute.filename().string();
    if (!std::filesystem::is_directory(path, error)) {
        HEFT_TRY(std::string text, read_text(path, kMostBytes));
        release.files.push_back({path.filename().string(), std::move(text)});
        return release;
    }
    std::vector<std::filesystem::path> files;
    std::size_t n_seen = 0;
    for (std::filesystem::directory_iterator entry(path, error), end;
         !error && entry != end && n_seen < kMostEntries; entry.increment(error), ++n_seen)
        if (entry->is_regular_file(error) && concerns_licence(entry->path().filename().string()))
            files.push_back(entry->path());
    std::sort(files.begin(), files.end());
    if (files.size() > kMostFiles) files.resize(kMostFiles);
    for (const auto& file : files) take(file, release);
    return release;
}

void read_release(const format::Metadata& metadata, ReleaseFiles& files) {
    const auto text = [&metadata](std::string_view key) {
        return std::string(metadata.string(key).value_or(""));
    };
    files.gguf_license = text("general.license");
    files.gguf_license_name = text("general.license.name");
    files.gguf_license_link = text("general.license.link");
    files.gguf_name = text("general.name");
    constexpr std::int64_t kMostBases = 16;
    const auto n_base = metadata.integer("general.base_model.count").value_or(0);
    for (std::int64_t i = 0; i < std::min(n_base, kMostBases); ++i) {
        const std::string key = "general.base_model." + std::to_string(i);
        const std::string url = text(key + ".repo_url");
        const std::string name = text(key + ".name");
        if (!url.empty() || !name.empty())
            files.gguf_base_models.push_back(url.empty() ? name : url);
    }
}

ReleaseFiles built_in_release(const Catalogue& catalogue) {
    ReleaseFiles release;
    release.name = "tiny";
    for (const auto& [name, text] : catalogue.built_in_texts())
        release.files.push_back({name, text});
    return release;
}

}  // namespace heft::govern
