#include "format/packed/input_groups.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace heft::format::packed {

Result<InputGroups> InputGroups::listed(const TensorView& g_idx, std::int64_t groups) {
    HEFT_OK(expect_type(g_idx, {DType::i32, DType::i64}));
    if (g_idx.shape.size() != 1 || g_idx.shape[0] > std::numeric_limits<std::int32_t>::max())
        return wrong(g_idx, "has the shape " + shape_text(g_idx.shape)
                                + ", where one number for each input is needed");
    InputGroups out(g_idx.shape[0], 1);
    out.list_.resize(static_cast<std::size_t>(g_idx.shape[0]));
    for (std::size_t k = 0; k < out.list_.size(); ++k) {
        const std::int64_t g = g_idx.type == DType::i32
                                   ? load<std::int32_t>(g_idx.data.data() + k * 4)
                                   : load<std::int64_t>(g_idx.data.data() + k * 8);
        if (g < 0 || g >= groups)
            return wrong(g_idx, "puts input " + std::to_string(k) + " into group "
                                    + std::to_string(g) + " of " + std::to_string(groups));
        out.list_[k] = static_cast<std::int32_t>(g);
    }
    return out;
}

bool InputGroups::in_blocks(const std::vector<std::int32_t>& order) const {
    constexpr std::int64_t kBlock = quant::kGroupedWeights;
    if (inputs_ % kBlock != 0) return false;
    if (list_.empty()) return group_size_ % kBlock == 0 || group_size_ >= inputs_;
    const auto group = [&](std::int64_t k) {
        return of(order.empty() ? k : order[static_cast<std::size_t>(k)]);
    };
    for (std::int64_t k = 0; k < inputs_; ++k)
        if (group(k) != group(k / kBlock * kBlock)) return false;
    return true;
}

std::vector<std::int32_t> InputGroups::sorted() const {
    std::vector<std::int32_t> order(static_cast<std::size_t>(inputs_));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [this](std::int32_t a, std::int32_t b) { return of(a) < of(b); });
    return order;
}

void InputOrders::arrange(const InputGroups& groups, Grouped& whole) {
    whole.order = nullptr;
    whole.in_blocks = groups.in_blocks();
    if (whole.in_blocks || groups.inputs() % quant::kGroupedWeights != 0) return;
    std::vector<std::int32_t> order = groups.sorted();
    whole.in_blocks = groups.in_blocks(order);
    if (!whole.in_blocks) return;
    InputOrder& kept = kept_[order];
    if (!kept) kept = std::make_shared<const std::vector<std::int32_t>>(std::move(order));
    whole.order = kept;
}

}  // namespace heft::format::packed
