// The program's exit codes, in one place. docs/cli.md lists them for users.
#pragma once

#include "base/result.h"

namespace heft::app {

inline constexpr int kExitNo = 1;  // the answer is no: a verdict, not an error
inline constexpr int kExitUsage = 2;
inline constexpr int kExitInternal = 70;

constexpr int exit_code(Code code) {
    switch (code) {
        case Code::invalid: return kExitUsage;
        case Code::not_found: return 3;
        case Code::corrupt: return 6;
        case Code::unsupported: return 7;
        case Code::exhausted: return 8;
        case Code::cancelled: return 130;
        case Code::internal: return kExitInternal;
    }
    return kExitInternal;
}

}  // namespace heft::app
