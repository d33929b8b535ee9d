#include "text/hash.h"

#include <random>

namespace heft::text {

std::uint64_t hash_seed() {
    static const std::uint64_t kSeed = [] {
        std::random_device device;
        return static_cast<std::uint64_t>(device()) << 32 | device();
    }();
    return kSeed;
}

}  // namespace heft::text
