// What was built, from what, with what.
#pragma once

namespace heft::app {

struct BuildInfo {
    const char* version;
    const char* commit;      // "unknown" outside a checkout
    const char* compiler;    // "gcc 12.2.0"
    const char* build_type;  // "Release"
    const char* sanitizers;  // "" or "address,undefined"
};

const BuildInfo& build_info();

}  // namespace heft::app
