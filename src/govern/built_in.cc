#include "govern/built_in.h"

#include <cstddef>

// NOLINTBEGIN(readability-identifier-naming): labels of catalogue.S
extern "C" {
extern const char heft_catalogue_begin[];
extern const char heft_catalogue_end[];
}
// NOLINTEND(readability-identifier-naming)

namespace heft::govern {

std::string_view built_in_catalogue() {
    return {heft_catalogue_begin,
            static_cast<std::size_t>(heft_catalogue_end - heft_catalogue_begin)};
}

}  // namespace heft::govern
