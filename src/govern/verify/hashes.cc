#include <algorithm>

#include <fmt/format.h>

#include "base/mapped_file.h"
#include "base/sha256.h"
#include "govern/openness/tables.h"
#include "govern/verify/verify.h"
#include "govern/words.h"

namespace heft::verify {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSumsBytes = 16U << 20;
constexpr std::size_t kDigits = 64;

struct Expected {
    std::string file, hash, by;  // by: what says so
};

bool is_hash(std::string_view text) {
    return text.size() == kDigits && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
           });
}

std::string_view next_line(std::string_view& rest) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

bool is_sums_file(const std::string& name) {
    const std::string own = fs::path(name).filename().string();
    return govern::matches("SHA256SUMS*", own) || govern::matches("sha256sum*", own)
           || govern::matches("*.sha256", own);
}

// Stays inside the folder: sums are text of a stranger's.
bool stays_inside(const fs::path& path) {
    if (path.is_absolute()) return false;
    return std::none_of(path.begin(), path.end(),
                        [](const fs::path& part) { return part == ".."; });
}

// "hash  name" per line, as sha256sum writes; or a hash alone, of the file that it is named after.
void read_sums(const govern::ReleaseFiles& files, const std::string& name,
               std::vector<Expected>& out, Report& report) {
    const auto text = read_text(files.folder / name, kSumsBytes);
    if (!text) {
        report.add(Severity::problem, "hash", name, text.error().what);
        return;
    }
    const fs::path folder = fs::path(name).parent_path();
    std::string_view rest = *text;
    while (!rest.empty()) {
        const std::string_view line = next_line(rest);
        const std::string_view hash = line.substr(0, kDigits);
        if (!is_hash(hash)) continue;
        const std::size_t start = line.find_first_not_of(" *", kDigits);
        const fs::path of = start == std::string_view::npos
                                ? fs::path(name).stem()
                                : fs::path(std::string(line.substr(start)));
        if (!stays_inside(of)) {
            report.add(Severity::warning, "hash", name,
                       fmt::format("names \"{}\", which is outside of the release", of.string()));
            continue;
        }
        out.push_back(
            {(folder / of).lexically_normal().generic_string(), openness::folded(hash), name});
    }
}

// What the hub's clients keep: `.cache/huggingface/download/F.metadata` has the file's SHA-256 in
// its second line (of large files; of small ones, a git hash); the cache's blobs are named by it.
void read_hub(const govern::ReleaseFiles& files, std::vector<Expected>& out) {
    for (const std::string& name : files.names) {
        std::error_code error;
        const fs::path target = fs::read_symlink(files.folder / name, error);
        if (!error && is_hash(target.filename().string()))
            out.push_back({name, openness::folded(target.filename().string()), "the hub's cache"});
        const fs::path kept =
            files.folder / ".cache" / "huggingface" / "download" / (name + ".metadata");
        if (!fs::is_regular_file(kept, error)) continue;
        const auto text = read_text(kept, 1U << 16);
        if (!text) continue;
        std::string_view rest = *text;
        next_line(rest);
        const std::string_view hash = next_line(rest);
        if (is_hash(hash)) out.push_back({name, openness::folded(hash), "the hub's metadata"});
    }
}

}  // namespace

Status check_hashes(const govern::ReleaseFiles& files, const Progress& progress, Report& report) {
    std::vector<Expected> expected;
    for (const std::string& name : files.names)
        if (is_sums_file(name)) read_sums(files, name, expected, report);
    read_hub(files, expected);
    std::stable_sort(expected.begin(), expected.end(),
                     [](const Expected& a, const Expected& b) { return a.file < b.file; });
    std::string hashed, hash;  // the last one
    for (const Expected& one : expected) {
        const fs::path path = files.folder / one.file;
        std::error_code error;
        if (!fs::is_regular_file(path, error)) {
            report.add(Severity::warning, "hash", one.file,
                       one.by + " lists it, and it is not here");
            continue;
        }
        if (hashed != one.file) {
            HEFT_TRY(hash, sha256_file(path, [&](std::uint64_t done, std::uint64_t total) {
                         return progress(one.file, done, total);
                     }));
            hashed = one.file;
            report.n_bytes += fs::file_size(path, error);
        }
        ++report.n_hashes;
        if (hash != one.hash)
            report.add(Severity::problem, "hash", one.file,
                       fmt::format("has SHA-256 {}, and {} says {}", hash, one.by, one.hash));
    }
    if (report.n_hashes == 0)
        report.add(Severity::note, "hash", {},
                   "nothing here says what the files' hashes should be");
    return {};
}

}  // namespace heft::verify
