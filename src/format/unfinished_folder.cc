#include "format/unfinished_folder.h"

#include <system_error>
#include <utility>

#include "base/mapped_file.h"
#include "format/output_file.h"

namespace heft::format {

namespace {

namespace fs = std::filesystem;

constexpr const char* kState = ".heft-making";
constexpr const char* kRecord = "heft.json";
constexpr std::size_t kMostKey = 4096;

Error cannot(const fs::path& path, const char* doing, const std::error_code& error) {
    const bool full = error == std::errc::no_space_on_device;
    return {full ? Code::exhausted : Code::invalid,
            path.string() + ": cannot " + doing + ": " + error.message()};
}

}  // namespace

UnfinishedFolder::UnfinishedFolder(fs::path path, std::string key)
    : path_(std::move(path)), partial_(partial(path_)), key_(std::move(key)) {}

Status UnfinishedFolder::may_replace(const fs::path& path) {
    std::error_code error;
    if (!fs::is_directory(path, error) || fs::is_empty(path, error)
        || fs::exists(path / kRecord, error))
        return {};
    return Error{Code::invalid, path.string() + ": is a folder that heft did not make, which "
                                                "--force does not remove; name another result"};
}

fs::path UnfinishedFolder::partial(const fs::path& path) {
    return path.string() + ".partial";
}

bool UnfinishedFolder::is_begun() const {
    const auto state = read_text(partial_ / kState, kMostKey);
    return state && *state == key_;
}

Status UnfinishedFolder::begin() {
    if (is_begun()) return {};
    std::error_code error;
    // An attempt may have ended before it had left its mark, or when it had just taken it off.
    const bool is_ours = fs::exists(partial_ / kState, error)
                         || fs::exists(partial_ / kRecord, error) || fs::is_empty(partial_, error);
    if (fs::exists(partial_, error) && !is_ours)
        return Error{Code::invalid, partial_.string() + ": is in the way, and not an earlier "
                                                        "attempt; remove it"};
    fs::remove_all(partial_, error);
    fs::create_directories(partial_, error);
    if (error) return cannot(partial_, "make the folder", error);
    return write_file(partial_ / kState, key_);
}

Status UnfinishedFolder::commit(bool replace) {
    std::error_code error;
    fs::remove(partial_ / kState, error);
    fs::path old;
    if (replace && fs::exists(path_, error) && !fs::is_empty(path_, error)) {
        old = path_.string() + ".replaced";
        fs::remove_all(old, error);
        fs::rename(path_, old, error);
        if (error) return cannot(path_, "move it away", error);
    }
    fs::rename(partial_, path_, error);
    if (error) return cannot(path_, "put it in its place", error);
    if (!old.empty()) fs::remove_all(old, error);
    return {};
}

void UnfinishedFolder::discard() {
    std::error_code ignored;
    fs::remove_all(partial_, ignored);
}

}  // namespace heft::format
