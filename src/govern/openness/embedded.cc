#include "govern/openness/embedded.h"

#include <cstddef>

// NOLINTBEGIN(readability-identifier-naming): labels of embedded.S
extern "C" {
extern const char heft_openness_components_begin[];
extern const char heft_openness_components_end[];
extern const char heft_openness_licences_begin[];
extern const char heft_openness_licences_end[];
extern const char heft_openness_tiny_begin[];
extern const char heft_openness_tiny_end[];
}
// NOLINTEND(readability-identifier-naming)

namespace heft::openness {

namespace {

std::string_view between(const char* begin, const char* end) {
    return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace

std::string_view embedded_components() {
    return between(heft_openness_components_begin, heft_openness_components_end);
}

std::string_view embedded_licences() {
    return between(heft_openness_licences_begin, heft_openness_licences_end);
}

std::string_view embedded_tiny_record() {
    return between(heft_openness_tiny_begin, heft_openness_tiny_end);
}

}  // namespace heft::openness
