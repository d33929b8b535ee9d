// A record of a release: whatever it says, it is read or refused, and judged within limits.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "govern/openness/document.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace openness = heft::openness;
    const auto release = openness::read_record({reinterpret_cast<const char*>(data), size});
    if (!release) return 0;
    const openness::Openness found = openness::judge(*release);
    HEFT_CHECK(found.level >= 0 && found.level <= found.level_at_most && found.level_at_most <= 3);
    openness::openness_document("x", *release, found);
    return 0;
}
