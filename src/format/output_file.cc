#include "format/output_file.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace heft::format {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBuffer = 1U << 20;
constexpr mode_t kMode = 0666;  // less the umask

fs::path temporary_name(const fs::path& path) {
    static std::atomic<unsigned> counter{0};
    const std::string mark =
        "." + std::to_string(::getpid()) + "-" + std::to_string(counter.fetch_add(1)) + ".part";
    return path.parent_path() / ("." + path.filename().string() + mark);
}

}  // namespace

Error OutputFile::failed(const char* doing) const {
    const Code code = errno == ENOENT                                        ? Code::not_found
                      : errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? Code::exhausted
                                                                             : Code::invalid;
    return {code, path_.string() + ": cannot " + doing + ": " + std::strerror(errno)};
}

Result<OutputFile> OutputFile::create(const fs::path& path) {
    OutputFile file;
    std::error_code error;
    file.path_ = fs::is_symlink(path, error) ? fs::weakly_canonical(path, error) : path;
    struct stat info {};
    const bool exists = ::stat(file.path_.c_str(), &info) == 0;
    if (exists && S_ISDIR(info.st_mode))
        return Error{Code::invalid, path.string() + ": is a folder, not a file to write"};
    if (exists && !S_ISREG(info.st_mode)) {
        file.in_place_ = true;
        file.fd_ = ::open(file.path_.c_str(), O_WRONLY | O_CLOEXEC);
        if (file.fd_ < 0) return file.failed("open it for writing");
        return file;
    }
    const fs::path folder = file.path_.has_parent_path() ? file.path_.parent_path() : fs::path(".");
    // Without a name there is nothing to clean up, however the program ends.
    file.fd_ = ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, kMode);
    if (file.fd_ >= 0) return file;
    const fs::path temporary = temporary_name(file.path_);
    file.fd_ = ::open(temporary.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, kMode);
    if (file.fd_ < 0) return file.failed("create it");
    file.temporary_ = temporary;
    return file;
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      buffer_(std::move(other.buffer_)),
      fd_(std::exchange(other.fd_, -1)),
      in_place_(other.in_place_) {}

OutputFile::~OutputFile() {
    if (fd_ >= 0) ::close(fd_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Status OutputFile::write_all(Bytes bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return failed("write to it");
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

Status OutputFile::flush() {
    Status status = write_all(as_bytes(buffer_));
    buffer_.clear();
    return status;
}

Status OutputFile::write(Bytes bytes) {
    if (buffer_.size() + bytes.size() > kBuffer) HEFT_OK(flush());
    if (bytes.size() > kBuffer) return write_all(bytes);
    buffer_ += as_text(bytes);
    return {};
}

Status OutputFile::name_it() {
    const fs::path temporary = temporary_name(path_);
    const std::string self = "/proc/self/fd/" + std::to_string(fd_);
    if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, temporary.c_str(), AT_SYMLINK_FOLLOW) != 0)
        return failed("give it its name");
    temporary_ = temporary;
    return {};
}

Status OutputFile::commit() {
    HEFT_OK(flush());
    if (!in_place_) {
        if (::fsync(fd_) != 0) return failed("write it to the disk");
        if (temporary_.empty()) HEFT_OK(name_it());
    }
    if (::close(std::exchange(fd_, -1)) != 0) return failed("close it");
    if (in_place_) return {};
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) return failed("put it in its place");
    temporary_.clear();
    return {};
}

Status write_file(const std::filesystem::path& path, std::string_view text) {
    HEFT_TRY(OutputFile file, OutputFile::create(path));
    HEFT_OK(file.write({reinterpret_cast<const std::byte*>(text.data()), text.size()}));
    return file.commit();
}

}  // namespace heft::format
