#include "base/mapped_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace heft {

namespace {

Error failed(const std::filesystem::path& path) {
    return {Code::not_found, path.string() + ": " + std::strerror(errno)};
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
    return map(path, PROT_READ, MAP_SHARED);
}

Result<MappedFile> MappedFile::open_with(const std::filesystem::path& path, Bytes beginning) {
    HEFT_TRY(MappedFile file, map(path, PROT_READ | PROT_WRITE, MAP_PRIVATE));
    if (beginning.size() > file.bytes_.size())
        return Error{Code::corrupt, path.string() + ": is shorter than its beginning"};
    std::memcpy(const_cast<std::byte*>(file.bytes_.data()), beginning.data(), beginning.size());
    return file;
}

Result<MappedFile> MappedFile::copy_of(Bytes bytes) {
    MappedFile file;
    if (bytes.empty()) return file;
    void* at =
        ::mmap(nullptr, bytes.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return Error{Code::exhausted, "no memory for " + std::to_string(bytes.size()) + " bytes"};
    std::memcpy(at, bytes.data(), bytes.size());
    file.bytes_ = {static_cast<const std::byte*>(at), bytes.size()};
    return file;
}

Result<MappedFile> MappedFile::map(const std::filesystem::path& path, int protection, int sharing) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return failed(path);
    struct stat info {};
    if (::fstat(fd, &info) != 0) {
        Error error = failed(path);
        ::close(fd);
        return error;
    }
    if (!S_ISREG(info.st_mode)) {
        ::close(fd);
        return Error{Code::invalid, path.string() + ": is not a regular file"};
    }
    MappedFile file;
    if (info.st_size > 0) {
        const auto size = static_cast<std::size_t>(info.st_size);
        void* at = ::mmap(nullptr, size, protection, sharing, fd, 0);
        if (at == MAP_FAILED) {
            Error error = failed(path);
            ::close(fd);
            return error;
        }
        file.bytes_ = {static_cast<const std::byte*>(at), size};
    }
    ::close(fd);
    return file;
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
}

MappedFile::~MappedFile() {
    if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

namespace {

std::uintptr_t page_bytes() {
    static const auto kSize = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    return kSize;
}

// The address at or after `address` where a page begins.
std::uintptr_t page_from(std::uintptr_t address) {
    return (address + page_bytes() - 1) & ~(page_bytes() - 1);
}

bool all_in_memory(void* from, std::size_t size, std::vector<unsigned char>& pages) {
    pages.resize((size + page_bytes() - 1) / page_bytes());
    return ::mincore(from, size, pages.data()) == 0
           && std::all_of(pages.begin(), pages.end(), [](unsigned char p) { return (p & 1) != 0; });
}

}  // namespace

// Advice, here and below: that it may fail matters to nobody.
void forget_mapped(Bytes bytes) {
    const auto at = reinterpret_cast<std::uintptr_t>(bytes.data());
    const auto begin = page_from(at);
    const auto end = (at + bytes.size()) & ~(page_bytes() - 1);
    if (begin < end) (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

void enter_mapped(Bytes bytes) {
#ifdef MADV_POPULATE_READ  // Linux 5.14
    constexpr std::uintptr_t kStretch = 1U << 21;
    std::vector<unsigned char> pages;
    const auto at = reinterpret_cast<std::uintptr_t>(bytes.data());
    const auto end = at + bytes.size();
    for (auto begin = at & ~(page_bytes() - 1); begin < end; begin += kStretch) {
        void* const from = reinterpret_cast<void*>(begin);
        const std::size_t size = std::min(kStretch, end - begin);
        if (all_in_memory(from, size, pages)) (void)::madvise(from, size, MADV_POPULATE_READ);
    }
#endif
}

Result<std::string> read_text(const std::filesystem::path& path, std::size_t limit) {
    HEFT_TRY(const MappedFile file, MappedFile::open(path));
    if (file.bytes().size() > limit)
        return Error{Code::corrupt, path.string() + ": has " + std::to_string(file.bytes().size())
                                        + " bytes, more than " + std::to_string(limit)
                                        + " that such a file may have"};
    return std::string(as_text(file.bytes()));
}

}  // namespace heft
