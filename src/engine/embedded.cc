#include "engine/embedded.h"

// NOLINTBEGIN(readability-identifier-naming): labels of embedded.S
extern "C" {
extern const std::byte heft_embedded_begin[];
extern const std::byte heft_embedded_end[];
}
// NOLINTEND(readability-identifier-naming)

namespace heft::engine {

Bytes embedded_model() {
    return {heft_embedded_begin, static_cast<std::size_t>(heft_embedded_end - heft_embedded_begin)};
}

}  // namespace heft::engine
