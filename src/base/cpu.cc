#include "base/cpu.h"

#include <fstream>

namespace heft {

std::string cpu_field(std::string_view name) {
    std::ifstream file("/proc/cpuinfo");
    std::string line;
    while (std::getline(file, line)) {
        if (line.empty()) break;  // the next processor
        const std::size_t colon = line.find(": ");
        if (colon == std::string::npos) continue;
        const std::size_t end = line.find_last_not_of(" \t", colon - 1);
        if (end != std::string::npos && std::string_view(line).substr(0, end + 1) == name)
            return line.substr(colon + 2);
    }
    return {};
}

}  // namespace heft
