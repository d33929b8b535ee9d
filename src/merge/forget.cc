#include "merge/forget.h"

#include <cstdint>

#include <sys/mman.h>
#include <unistd.h>

namespace heft::merge {

void forget(Bytes mapped) {
    static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto at = reinterpret_cast<std::uintptr_t>(mapped.data());
    const std::uintptr_t begin = (at + page - 1) / page * page;
    const std::uintptr_t end = (at + mapped.size()) / page * page;
    // Advice: that it may fail matters to nobody.
    if (begin < end) (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace heft::merge
