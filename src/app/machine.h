// What the program runs on, for reports.
#pragma once

#include <cstdint>
#include <string>

namespace heft::app {

std::string cpu_name();                 // "unknown" where the system does not say
std::int64_t memory_bytes();            // 0 where the system does not say
std::int64_t last_level_cache_bytes();  // 0 where the system does not say
std::int64_t memory_in_use_bytes();     // of this process now, mapped file pages included
std::int64_t peak_memory_bytes();       // of this process so far, mapped file pages included
bool forget_peak_memory();              // counts the peak anew; false: the system does not let us

}  // namespace heft::app
