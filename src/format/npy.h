// NumPy arrays, format version 1.0 (numpy.lib.format).
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "base/result.h"

namespace heft::format {

// Writes float32 [rows, columns], row after row. values.size() must be rows * columns. The file
// appears whole or not at all.
Status write_npy(const std::filesystem::path& path, std::span<const float> values,
                 std::uint64_t rows, std::uint64_t columns);

}  // namespace heft::format
