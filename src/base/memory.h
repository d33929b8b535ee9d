// How much memory there is to have.
#pragma once

#include <cstdint>
#include <filesystem>

namespace heft {

// What this process may still take without pushing out what others use: of the machine and of its
// control groups, whichever is less. Pages of files count as free, for the system takes them back
// when they are needed. 0 where the system does not say. `root`: of the file system, for tests.
std::int64_t free_memory_bytes(const std::filesystem::path& root = "/");

// What this process holds that is in no file: only its end would give it back.
std::int64_t own_memory_bytes(const std::filesystem::path& root = "/");

}  // namespace heft
