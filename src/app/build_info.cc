#include "app/build_info.h"

#if defined(__clang__)
#define HEFT_COMPILER "clang " __clang_version__
#else
#define HEFT_COMPILER "gcc " __VERSION__
#endif

namespace heft::app {

const BuildInfo& build_info() {
    static constexpr BuildInfo kInfo = {HEFT_VERSION, HEFT_COMMIT, HEFT_COMPILER, HEFT_BUILD_TYPE,
                                        HEFT_SANITIZERS};
    return kInfo;
}

}  // namespace heft::app
