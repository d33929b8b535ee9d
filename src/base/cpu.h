// What the system says about the processor.
#pragma once

#include <string>
#include <string_view>

namespace heft {

// A field of the first processor in /proc/cpuinfo ("model name", "microcode"); empty: not there.
std::string cpu_field(std::string_view name);

}  // namespace heft
