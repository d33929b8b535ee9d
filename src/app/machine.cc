#include "app/machine.h"

#include <fstream>

#include <sys/resource.h>
#include <unistd.h>

#include "base/cpu.h"

namespace heft::app {

std::string cpu_name() {
    const std::string name = cpu_field("model name");
    return name.empty() ? "unknown" : name;
}

std::int64_t memory_bytes() {
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long size = ::sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? std::int64_t{pages} * size : 0;
}

std::int64_t last_level_cache_bytes() {
    const long bytes = ::sysconf(_SC_LEVEL3_CACHE_SIZE);
    return bytes > 0 ? bytes : 0;
}

std::int64_t peak_memory_bytes() {
    constexpr std::int64_t kibibyte = 1024;
    std::ifstream file("/proc/self/status");
    std::string word;
    std::int64_t kibibytes = 0;
    while (file >> word)
        if (word == "VmHWM:" && file >> kibibytes) return kibibytes * kibibyte;
    rusage usage{};
    return ::getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss * kibibyte : 0;
}

bool forget_peak_memory() {
    std::ofstream file("/proc/self/clear_refs");  // proc(5): 5 resets the peak
    return file << 5 && file.flush();
}

}  // namespace heft::app
