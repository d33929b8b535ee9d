#include "format/resumable_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/check.h"

namespace heft::format {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFirst = 8;
constexpr mode_t kMode = 0666;                     // less the umask
constexpr std::uint64_t kUnfinished = 1ULL << 63;  // set in the first eight bytes until the end
// How much work may be lost to a power cut.
constexpr std::uint64_t kBytesBetween = 256U << 20;
constexpr auto kTimeBetween = std::chrono::seconds(2);

Bytes bytes_of(const std::uint64_t& value) {
    return std::as_bytes(std::span(&value, 1));
}

}  // namespace

fs::path ResumableFile::unfinished(const fs::path& path) {
    return path.parent_path() / ("." + path.filename().string() + ".part");
}

Error ResumableFile::failed(const char* doing) const {
    const Code code = errno == ENOENT                                        ? Code::not_found
                      : errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? Code::exhausted
                                                                             : Code::invalid;
    return {code, path_.string() + ": cannot " + doing + ": " + std::strerror(errno)};
}

Result<ResumableFile> ResumableFile::open(const fs::path& path, std::string header) {
    HEFT_CHECK(header.size() >= kFirst);
    ResumableFile file;
    std::error_code error;
    file.path_ = fs::is_symlink(path, error) ? fs::weakly_canonical(path, error) : path;
    if (fs::is_directory(file.path_, error))
        return Error{Code::invalid, path.string() + ": is a folder, not a file to write"};
    file.unfinished_ = unfinished(file.path_);
    file.first_ = header.substr(0, kFirst);
    // Not through a link that somebody else may have put there.
    file.fd_ = ::open(file.unfinished_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kMode);
    if (file.fd_ < 0) return file.failed("create it");
    if (::flock(file.fd_, LOCK_EX | LOCK_NB) != 0)
        return Error{Code::invalid, path.string() + ": is being written by another process"};
    HEFT_OK(file.begin(header));
    return file;
}

Status ResumableFile::begin(const std::string& header) {
    struct stat info {};
    if (::fstat(fd_, &info) != 0) return failed("look at it");
    const auto size = static_cast<std::uint64_t>(info.st_size);
    std::uint64_t mark = 0;
    std::string there(header.size(), '\0');
    const auto got = ::pread(fd_, there.data(), there.size(), 0);
    if (got == static_cast<ssize_t>(header.size())) std::memcpy(&mark, there.data(), sizeof mark);
    const std::uint64_t safe = std::min(mark & ~kUnfinished, size);
    const bool same = (mark & kUnfinished) != 0 && safe >= header.size()
                      && std::equal(header.begin() + kFirst, header.end(), there.begin() + kFirst);
    at_ = header.size();
    kept_ = same ? safe : at_;
    safe_ = kept_;
    checked_ = std::chrono::steady_clock::now();
    if (same) return {};
    if (::ftruncate(fd_, 0) != 0) return failed("begin it");
    HEFT_OK(write_at(as_bytes(std::string_view(header).substr(kFirst)), kFirst));
    return write_at(bytes_of(kUnfinished), 0);
}

ResumableFile::ResumableFile(ResumableFile&& other) noexcept
    : path_(std::move(other.path_)),
      unfinished_(std::move(other.unfinished_)),
      first_(std::move(other.first_)),
      fd_(std::exchange(other.fd_, -1)),
      at_(other.at_),
      kept_(other.kept_),
      safe_(other.safe_),
      checked_(other.checked_) {}

ResumableFile::~ResumableFile() {
    if (fd_ < 0) return;
    // What was written so far need not be made again. Failing to say so only costs that work.
    (void)checkpoint();
    ::close(fd_);
}

bool ResumableFile::skip(std::uint64_t bytes) {
    if (at_ > kept_ || bytes > kept_ - at_) {
        kept_ = std::min(kept_, at_);
        return false;
    }
    at_ += bytes;
    return true;
}

Status ResumableFile::write_at(Bytes bytes, std::uint64_t at) {
    while (!bytes.empty()) {
        const ssize_t written = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return failed("write to it");
        bytes = bytes.subspan(static_cast<std::size_t>(written));
        at += static_cast<std::uint64_t>(written);
    }
    return {};
}

Status ResumableFile::write(Bytes bytes) {
    HEFT_OK(write_at(bytes, at_));
    at_ += bytes.size();
    const auto now = std::chrono::steady_clock::now();
    if (at_ - safe_ < kBytesBetween && now - checked_ < kTimeBetween) return {};
    HEFT_OK(checkpoint());
    checked_ = now;
    return {};
}

Status ResumableFile::checkpoint() {
    if (at_ <= safe_) return {};
    if (::fdatasync(fd_) != 0) return failed("write it to the disk");
    safe_ = at_;
    return write_at(bytes_of(safe_ | kUnfinished), 0);
}

Result<MappedFile> ResumableFile::look() const {
    return MappedFile::open_with(unfinished_, as_bytes(first_));
}

Status ResumableFile::begin_with(const std::string& header) {
    return write_at(as_bytes(std::string_view(header).substr(kFirst)), kFirst);
}

Status ResumableFile::commit() {
    if (::ftruncate(fd_, static_cast<off_t>(at_)) != 0) return failed("end it");
    HEFT_OK(write_at(as_bytes(first_), 0));
    if (::fsync(fd_) != 0) return failed("write it to the disk");
    if (::rename(unfinished_.c_str(), path_.c_str()) != 0) return failed("put it in its place");
    if (::close(std::exchange(fd_, -1)) != 0) return failed("close it");
    return {};
}

void ResumableFile::discard() {
    if (fd_ < 0) return;
    ::unlink(unfinished_.c_str());
    ::close(std::exchange(fd_, -1));
}

Result<std::uint64_t> free_bytes(const fs::path& folder) {
    std::error_code error;
    fs::path at = fs::absolute(folder, error);
    while (!fs::exists(at, error) && at.has_parent_path() && at != at.parent_path())
        at = at.parent_path();
    struct statvfs info {};
    if (::statvfs(at.c_str(), &info) != 0)
        return Error{Code::not_found, at.string() + ": " + std::strerror(errno)};
    return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

}  // namespace heft::format
