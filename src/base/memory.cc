#include "base/memory.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace heft {

namespace {

std::int64_t available_bytes() {
    constexpr std::int64_t kibibyte = 1024;
    std::ifstream file("/proc/meminfo");
    std::string word;
    std::int64_t kibibytes = 0;
    while (file >> word)
        if (word == "MemAvailable:" && file >> kibibytes) return kibibytes * kibibyte;
    return 0;
}

// The file has a number, or a word where there is no limit.
std::int64_t number_in(const char* path, std::int64_t otherwise) {
    std::ifstream file(path);
    std::int64_t number = 0;
    return file >> number ? number : otherwise;
}

}  // namespace

std::int64_t free_memory_bytes() {
    const std::int64_t available = available_bytes();
    const std::int64_t most = number_in("/sys/fs/cgroup/memory.max", -1);
    if (most < 0) return available;
    const std::int64_t left =
        std::max<std::int64_t>(0, most - number_in("/sys/fs/cgroup/memory.current", 0));
    return available > 0 ? std::min(available, left) : left;
}

}  // namespace heft
