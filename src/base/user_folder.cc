#include "base/user_folder.h"

#include <cstdlib>

namespace heft {

std::filesystem::path user_folder(const char* variable, const char* under_home) {
    const char* folder = std::getenv(variable);
    if (folder != nullptr && *folder == '/') return folder;
    const char* home = std::getenv("HOME");
    if (home != nullptr && *home == '/') return std::filesystem::path(home) / under_home;
    return {};
}

}  // namespace heft
