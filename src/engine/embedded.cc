#include "engine/embedded.h"

extern "C" {
extern const std::byte heft_embedded_begin[];
extern const std::byte heft_embedded_end[];
}

namespace heft::engine {

Bytes embedded_model() {
    return {heft_embedded_begin, static_cast<std::size_t>(heft_embedded_end - heft_embedded_begin)};
}

}  // namespace heft::engine
