// What a name inside a model file (a tensor's, a metadata key's) may be, for every format: errors,
// tables and JSON documents print these names.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace heft::format {

// Longest tensor name that heft reads or writes. ggml's own limit is 63 bytes.
inline constexpr std::size_t kMaxTensorName = 1024;

// Refuses empty and over-long names, control characters and invalid UTF-8. `what` begins the
// sentence: "the name of tensor 7".
Status check_name(std::string_view what, std::string_view name, std::size_t limit);

// 'name', for error sentences.
std::string in_quotes(std::string_view name);

// Refuses names that occur twice. O(n log n) whatever the names. `what`: "tensor".
Status check_unique(std::string_view what, std::vector<std::string_view> names);

}  // namespace heft::format
