// Our own bugs end the program, always, with the place. Never for anything that input can cause.
#pragma once

namespace heft {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace heft

#define HEFT_CHECK(condition) \
    ((condition) ? static_cast<void>(0) : ::heft::check_failed(#condition, __FILE__, __LINE__))
