// Where the reference data stands that is not part of the project. Tests that use it run when it is
// there; under CI its absence is an error.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace heft::testing {

inline std::filesystem::path shared_data() {
    if (const char* at = std::getenv("HEFT_SHARED")) return std::filesystem::path(at) / "data";
    return std::filesystem::path(HEFT_SOURCE_DIR) / ".." / "shared" / "data";
}

}  // namespace heft::testing

#define HEFT_NEED_SHARED(path)                                                        \
    do {                                                                              \
        if (!std::filesystem::exists(path)) {                                         \
            if (std::getenv("CI")) FAIL() << "reference data is missing: " << (path); \
            GTEST_SKIP() << "needs " << (path);                                       \
        }                                                                             \
    } while (false)
