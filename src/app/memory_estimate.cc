#include "app/memory_estimate.h"

#include <algorithm>

namespace heft::app {

namespace {

struct Mix {
    const char* type;
    double bits;  // per weight, over a whole file
};

// Of single types the bits of a block; of mixes what a file of 8 billion weights comes to. Small
// models with large vocabularies come out larger, for mixes keep the output matrix at more bits.
constexpr Mix kMixes[] = {{"F16", 16.0},    {"Q8_0", 8.5},  {"Q6_K", 6.5625}, {"Q5_K_M", 5.70},
                          {"Q4_K_M", 4.89}, {"Q4_0", 4.65}, {"Q3_K_M", 4.00}, {"Q2_K", 3.16}};

}  // namespace

std::vector<MemoryAt> memory_estimate(const arch::Config& config, std::int64_t n_weight) {
    constexpr double bits_of_byte = 8;
    constexpr double bytes_of_half = 2;
    const double n_ctx =
        static_cast<double>(std::min<std::int64_t>(config.n_ctx, kEstimatedContext));
    const double row =
        static_cast<double>(config.n_layer) * static_cast<double>(config.cache_row());
    std::vector<MemoryAt> out;
    for (const Mix& mix : kMixes)
        out.push_back(
            {mix.type,
             static_cast<std::uint64_t>(static_cast<double>(n_weight) * mix.bits / bits_of_byte),
             static_cast<std::uint64_t>(row * bytes_of_half * n_ctx)});
    return out;
}

}  // namespace heft::app
