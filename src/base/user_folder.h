// Where a person's files of one kind belong (the XDG base directory specification).
#pragma once

#include <filesystem>

namespace heft {

// The folder that the environment variable names, or `under_home` in the home folder; empty where
// neither is known. Relative paths in the environment are ignored, as the specification asks.
std::filesystem::path user_folder(const char* variable, const char* under_home);

}  // namespace heft
