// The parts that read_config() reads one after the other. Each may rely on those before it.
#pragma once

#include "arch/arch.h"
#include "arch/config_source.h"

namespace heft::arch {

// Larger than any published model by far; small enough that no product of two overflows.
inline constexpr std::int64_t kMostWidth = 1 << 22;
inline constexpr std::int64_t kMostLayers = 4096;
inline constexpr std::int64_t kMostContext = std::int64_t{1} << 30;

// The family of a checkpoint, and the object of config.json that describes it when it is part of a
// larger model.
struct FoundFamily {
    const Family* family = nullptr;
    std::string nested;
};
Result<FoundFamily> find_family(const format::Checkpoint& checkpoint);

// Reads a size that must be there (fallback < 0) or may be, within 1 … most.
Result<std::int64_t> size_of(const ConfigSource& source, std::string_view hf, std::string_view gguf,
                             std::int64_t most, std::int64_t fallback = -1);

Status read_latent(const ConfigSource& source, Config& config);
Status read_windows(const ConfigSource& source, Config& config);
Status read_experts(const ConfigSource& source, Config& config);

Status read_rope(const ConfigSource& source, Config& config);

}  // namespace heft::arch
