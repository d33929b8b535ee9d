#include "app/machine.h"

#include <fstream>

#include <sys/resource.h>
#include <unistd.h>

#include "base/cpu.h"

namespace heft::app {

namespace {

constexpr std::int64_t kKibibyte = 1024;

std::int64_t of_this_process(const char* field) {
    std::ifstream file("/proc/self/status");
    std::string word;
    std::int64_t kibibytes = 0;
    while (file >> word)
        if (word == field && file >> kibibytes) return kibibytes * kKibibyte;
    return 0;
}

}  // namespace

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

std::int64_t memory_in_use_bytes() {
    return of_this_process("VmRSS:");
}

std::int64_t peak_memory_bytes() {
    if (const std::int64_t peak = of_this_process("VmHWM:"); peak > 0) return peak;
    rusage usage{};
    return ::getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss * kKibibyte : 0;
}

bool forget_peak_memory() {
    std::ofstream file("/proc/self/clear_refs");  // proc(5): 5 resets the peak
    return file << 5 && file.flush();
}

}  // namespace heft::app
