// A file that takes long to make. It grows under a hidden name beside its place and takes its name
// when it is complete. A program that was stopped, even killed, finds it again and goes on where
// the last piece that is surely on the disk ends.
//
// The first eight bytes (of a GGUF file the magic and the version) are written last: until then
// they hold the number of bytes that are on the disk, so that no unfinished file can be taken for a
// finished one. What comes after them up to the end of the header says whether it is the same file.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "base/bytes.h"
#include "base/mapped_file.h"

namespace heft::format {

class ResumableFile {
  public:
    // `header`: the file's first bytes, at least eight; they must depend on everything that the
    // rest depends on. A file that was begun with the same header is gone on with, another is
    // begun anew. Errors: those of the disk, and invalid where another process is writing it.
    static Result<ResumableFile> open(const std::filesystem::path& path, std::string header);

    ResumableFile(ResumableFile&& other) noexcept;
    ResumableFile& operator=(ResumableFile&& other) = delete;
    ~ResumableFile();  // without commit() or discard(): stays, to be gone on with

    // The next so many bytes are there already: passes over them.
    bool skip(std::uint64_t bytes);
    Status write(Bytes bytes);  // unbuffered: pieces should be large

    // When all is written: the file as it will be, and another beginning for it, of the same length
    // as the header.
    Result<MappedFile> look() const;
    Status begin_with(const std::string& header);

    // Puts the file in its place.
    Status commit();
    // As if it had never been: nothing is left.
    void discard();

    std::uint64_t resumed_bytes() const { return kept_; }  // that were there at opening
    std::uint64_t position() const { return at_; }         // where the next byte goes
    int descriptor() const { return fd_; }                 // open for reading, too

    // Where it stands until then.
    static std::filesystem::path unfinished(const std::filesystem::path& path);

  private:
    ResumableFile() = default;
    Status begin(const std::string& header);
    Status checkpoint();
    Status write_at(Bytes bytes, std::uint64_t at);
    Error failed(const char* doing) const;

    std::filesystem::path path_, unfinished_;
    std::string first_;  // the first eight bytes, when it is complete
    int fd_ = -1;
    std::uint64_t at_ = 0;    // where the next byte goes
    std::uint64_t kept_ = 0;  // bytes that need not be made again
    std::uint64_t safe_ = 0;  // bytes that are on the disk
    std::chrono::steady_clock::time_point checked_;
};

// Bytes that a folder's disk has left for this user; of a folder that does not exist yet, its
// nearest parent's.
Result<std::uint64_t> free_bytes(const std::filesystem::path& folder);

}  // namespace heft::format
