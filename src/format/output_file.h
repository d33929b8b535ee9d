// A file that appears whole or not at all: it is written under no name or a temporary one in the
// same folder and takes its place when it is complete. Devices and pipes are written directly.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace heft::format {

class OutputFile {
  public:
    static Result<OutputFile> create(const std::filesystem::path& path);

    OutputFile(OutputFile&& other) noexcept;
    OutputFile& operator=(OutputFile&& other) = delete;
    ~OutputFile();  // without commit(): as if it had never been

    Status write(Bytes bytes);  // buffered

    // Puts the file in its place. Errors (a full disk, say) name the file; nothing is left then.
    Status commit();

  private:
    OutputFile() = default;
    Status flush();
    Status write_all(Bytes bytes);
    Error failed(const char* doing) const;
    Status name_it();

    std::filesystem::path path_;       // where it belongs
    std::filesystem::path temporary_;  // where it stands; empty while it has no name
    std::string buffer_;
    int fd_ = -1;
    bool in_place_ = false;  // a device or pipe: nothing to rename
};

// All of a file at once.
Status write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace heft::format
