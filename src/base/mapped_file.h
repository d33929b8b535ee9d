// A file's bytes, mapped read-only: no copy, no memory until touched. Movable; the bytes stay where
// they are. Safe to read from many threads. A file that shrinks while mapped faults (SIGBUS).
#pragma once

#include <filesystem>

#include "base/bytes.h"

namespace heft {

class MappedFile {
  public:
    static Result<MappedFile> open(const std::filesystem::path& path);
    // The same, but with other bytes at its beginning, of this mapping alone.
    static Result<MappedFile> open_with(const std::filesystem::path& path, Bytes beginning);
    // Bytes that were never in a file, as if they had been.
    static Result<MappedFile> copy_of(Bytes bytes);

    MappedFile() = default;
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile();

    Bytes bytes() const { return bytes_; }

  private:
    static Result<MappedFile> map(const std::filesystem::path& path, int protection, int sharing);

    Bytes bytes_;
};

// Takes mapped bytes out of this process's memory; they come back from the file when they are
// touched. For reading a file through once. Bytes that are not mapped from a file must not be
// given.
void forget_mapped(Bytes bytes);

// Enters those mapped bytes that the system has in its memory into this process's tables, many
// pages at once: touched one by one, each few cost a fault. What is not there is left alone; but
// the system keeps to itself what it has of another user's file, which is then read.
void enter_mapped(Bytes bytes);

// A small text file, read whole. Refuses more than `limit` bytes.
Result<std::string> read_text(const std::filesystem::path& path, std::size_t limit = 1U << 28);

}  // namespace heft
