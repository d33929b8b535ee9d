#include "convert/weight.h"

#include <algorithm>

#include "tensor/rows.h"

namespace heft::convert {

std::uint64_t Weight::work() const {
    auto numbers = static_cast<std::uint64_t>(n_rows) * static_cast<std::uint64_t>(n_cols);
    for (const auto& part : prepared) numbers += part->preparation();
    return numbers;
}

Status Weight::prepare(const Repack::Advance& advance) const {
    for (const auto& part : prepared) HEFT_OK(part->prepare(advance));
    return {};
}

void prepare_for(const TensorView& view, Weight& weight) {
    const auto is_known = std::find(weight.prepared.begin(), weight.prepared.end(), view.repack);
    if (view.repack && is_known == weight.prepared.end()) weight.prepared.push_back(view.repack);
}

Weight weight_of(const TensorView& view, bool is_mapped) {
    Weight out;
    out.name = view.name;
    out.shape = view.shape;
    out.stored = view.type;
    out.matrix = view.shape.size() > 1;
    out.n_rows = rows_of(view);
    out.n_cols = columns_of(view);
    prepare_for(view, out);
    out.read = [view](std::int64_t first, std::int64_t count, float* to) {
        read_rows(view, first, count, to);
    };
    if (view.input_order == nullptr && !is_in_memory_only(view.type))
        out.copy = [view](std::int64_t first, std::int64_t count, std::byte* to) {
            read_stored_rows(view, first, count, to);
        };
    if (is_mapped && view.repack == nullptr) {
        out.mapped = {view.data};
        out.mapped_in_order = true;
    }
    return out;
}

}  // namespace heft::convert
