// Where in a checkpoint the weight stands that an adapter's name means, across the two ways of
// naming and of ordering rows.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "arch/arch.h"
#include "format/checkpoint.h"
#include "model/adapter_files.h"

namespace heft::model {

// How rows of q and k, head by head, come from the adapter's order into the checkpoint's.
enum class RowOrder : std::uint8_t { same, interleave, separate };

struct Target {
    const TensorView* view = nullptr;
    RowOrder order = RowOrder::same;
    bool transposed = false;  // the checkpoint stores the matrix as [in, out]
};

// Errors: invalid (no such weight), unsupported (a weight that the other form stores otherwise).
Result<Target> find_target(const AdapterFiles& adapter, std::string_view tensor,
                           const format::Checkpoint& base, const arch::Config& config);

// The row of the adapter that becomes row `row` of the checkpoint.
std::int64_t source_row(RowOrder order, std::int64_t row, std::int64_t d_head);

// The numbers that stand for the "{}" of a pattern, if the name fits it.
std::optional<std::vector<int>> numbers_in(std::string_view pattern, std::string_view name);

}  // namespace heft::model
