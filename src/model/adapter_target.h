// Which of the model's matrices an adapter's name means, and where each of their rows stands in the
// adapter's matrix: through the family's table, whatever form adapter and model have.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arch/tensors.h"
#include "model/adapter_files.h"

namespace heft::model {

// How rows of q and k, head by head, come from the adapter's order into the model's.
enum class RowOrder : std::uint8_t { same, interleave, separate };

// One matrix of the model; a fused tensor of the adapter means several.
struct Target {
    arch::Role role = arch::Role::token_embd;
    int layer = 0;
    int expert = 0;
    std::string tensor;     // the checkpoint's name for what holds it
    std::int64_t rows = 0;  // of the model's matrix
    std::int64_t cols = 0;
    std::int64_t stored_rows = 0;  // of the adapter's, which may hold more
    arch::RowWalk walk;            // where its rows stand in the adapter's
    RowOrder order = RowOrder::same;

    std::int64_t source_row(std::int64_t row, std::int64_t d_head) const;
};

// Errors: invalid (no such weight, or an adapter for another architecture), unsupported (a weight
// that this model keeps in another form).
Result<std::vector<Target>> find_targets(const AdapterFiles& adapter, const std::string& tensor,
                                         const format::Checkpoint& base,
                                         const arch::Config& config);

// The row that becomes row `row`, heads being `d_head` rows each.
std::int64_t reordered_row(RowOrder order, std::int64_t row, std::int64_t d_head);

// The numbers that stand for the "{}" of a pattern, if the name fits it.
std::optional<std::vector<int>> numbers_in(std::string_view pattern, std::string_view name);

}  // namespace heft::model
