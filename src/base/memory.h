// How much memory there is to have.
#pragma once

#include <cstdint>

namespace heft {

// What this process may still take without pushing out what others use: of the machine and of its
// control group, whichever is less. 0 where the system does not say.
std::int64_t free_memory_bytes();

}  // namespace heft
