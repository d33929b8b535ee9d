// Which group of scales each input of a matrix belongs to, and the order of inputs in which groups
// are contiguous (act-order).
#pragma once

#include <map>

#include "format/packed/grouped_rows.h"
#include "format/packed/parts.h"

namespace heft::format::packed {

class InputGroups {
  public:
    // One group after the other; the last may be shorter.
    InputGroups(std::int64_t inputs, std::int64_t group_size)
        : inputs_(inputs), group_size_(group_size) {}
    // As a list of one group per input says: I32 or I64 [inputs].
    static Result<InputGroups> listed(const TensorView& g_idx, std::int64_t groups);

    std::int64_t inputs() const { return inputs_; }
    std::int64_t of(std::int64_t input) const {
        return list_.empty() ? input / group_size_ : list_[static_cast<std::size_t>(input)];
    }
    // Whether blocks of 32 inputs, taken in `order` (empty: as they come), lie within groups.
    bool in_blocks(const std::vector<std::int32_t>& order = {}) const;
    std::vector<std::int32_t> sorted() const;  // inputs by group, otherwise as they come

  private:
    std::int64_t inputs_ = 0;
    std::int64_t group_size_ = 1;
    std::vector<std::int32_t> list_ = {};
};

// The orders of a checkpoint, each kept once, so that matrices with the same order share it.
class InputOrders {
  public:
    // Sets `in_blocks` and `order` of a matrix with these groups.
    void arrange(const InputGroups& groups, Grouped& whole);

  private:
    std::map<std::vector<std::int32_t>, InputOrder> kept_;
};

}  // namespace heft::format::packed
