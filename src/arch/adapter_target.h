// Which of the model's matrices an adapter's name means, and where each of their rows stands in the
// adapter's matrix: through the family's table, whatever form adapter and model have.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arch/tensors.h"
#include "format/adapter_files.h"

namespace heft::arch {

// How rows of q and k, head by head, come from the adapter's order into the model's.
enum class RowOrder : std::uint8_t { same, interleave, separate };

// One matrix of the model; a fused tensor of the adapter means several.
struct AdapterTarget {
    Role role = Role::token_embd;
    int layer = 0;
    int expert = 0;
    std::string tensor;     // the checkpoint's name for what holds it
    std::int64_t rows = 0;  // of the model's matrix
    std::int64_t cols = 0;
    std::int64_t stored_rows = 0;  // of the adapter's, which may hold more
    RowWalk walk;                  // where its rows stand in the adapter's
    RowOrder order = RowOrder::same;

    std::int64_t source_row(std::int64_t row, std::int64_t d_head) const;
};

// A row of the family's table that an adapter's name fits.
struct AdapterRow {
    const Tensor* row = nullptr;
    int layer = 0;
    int expert = 0;
};
// Of a fused tensor, those of all its parts; empty: the model has no such weight. `expert`: which
// of a stack is meant, where the name is that of a stack.
std::vector<AdapterRow> rows_named(format::Kind kind, const std::string& tensor,
                                   std::optional<int> expert, const Config& config);

RowOrder row_order(Role role, format::Kind from, format::Kind to, const Config& config);

// Errors: invalid (no such weight, or an adapter for another architecture), unsupported (a weight
// that this model keeps in another form).
Result<std::vector<AdapterTarget>> find_targets(const format::AdapterFiles& adapter,
                                                const format::LowRankPair& pair,
                                                const format::Checkpoint& base,
                                                const Config& config);

// What an adapter was made for, against what it is to be used for.
Status check_architecture(const format::AdapterFiles& adapter, const Config& config);

// The row that becomes row `row`, heads being `d_head` rows each.
std::int64_t reordered_row(RowOrder order, std::int64_t row, std::int64_t d_head);

// The numbers that stand for the "{}" of a pattern, if the name fits it.
std::optional<std::vector<int>> numbers_in(std::string_view pattern, std::string_view name);

}  // namespace heft::arch
