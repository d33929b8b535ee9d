// SHA-256 as 64 lower-case hex digits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace heft {

Result<std::string> sha256(Bytes bytes);

// Called now and then with the bytes hashed so far and in all; returning false cancels.
using HashProgress = std::function<bool(std::uint64_t done, std::uint64_t total)>;

// Reads the file in pieces; memory does not depend on its size. Errors: not_found, cancelled.
Result<std::string> sha256_file(const std::filesystem::path& path,
                                const HashProgress& progress = {});

// Of each, in their order; several at once, on as many threads as there are CPUs. `progress` is of
// them all and called from one thread at a time. Errors: as above, of the first that fails.
Result<std::vector<std::string>> sha256_files(const std::vector<std::filesystem::path>& paths,
                                              const HashProgress& progress = {});

}  // namespace heft
