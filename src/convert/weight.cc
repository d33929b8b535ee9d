#include "convert/weight.h"

#include "tensor/rows.h"

namespace heft::convert {

Weight weight_of(const TensorView& view, bool is_mapped) {
    Weight out;
    out.name = view.name;
    out.shape = view.shape;
    out.stored = view.type;
    out.matrix = view.shape.size() > 1;
    out.n_rows = rows_of(view);
    out.n_cols = columns_of(view);
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
