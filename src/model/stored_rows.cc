#include "model/stored_rows.h"

#include <cstring>

#include "tensor/quant/quant.h"

namespace heft::model {

namespace {

using arch::Located;

Result<const Codec*> decoder(const TensorView& view) {
    if (const Codec* found = codec(view.type)) return found;
    return Error{Code::unsupported, "tensor " + view.name + " is of type "
                                        + dtype_info(view.type).name
                                        + ", which this version of heft cannot compute with"};
}

// `count` rows of the whole tensor from `first` on, as the file gives them.
void copy_rows(const TensorView& view, std::int64_t first, std::int64_t count, std::int64_t stride,
               std::byte* to) {
    if (view.repack != nullptr)
        view.repack->rows(first, count, to);
    else
        std::memcpy(to, view.data.data() + first * stride,
                    static_cast<std::size_t>(count * stride));
}

// The rows of one part, unit by unit.
void gather_rows(const Located& at, std::int64_t stride, std::byte* to) {
    const std::int64_t base = at.expert * at.stored_rows;
    for (std::int64_t row = 0; row < at.rows; row += at.walk.unit_rows)
        copy_rows(*at.view, base + at.source_row(row), at.walk.unit_rows, stride,
                  to + row * stride);
}

// From [cols, stored_rows] numbers of `size` bytes.
void gather_columns(const Located& at, std::size_t size, std::byte* to) {
    const std::byte* from = at.view->data.data()
                            + static_cast<std::size_t>(at.expert * at.cols * at.stored_rows) * size;
    for (std::int64_t row = 0; row < at.rows; ++row)
        for (std::int64_t col = 0; col < at.cols; ++col)
            std::memcpy(
                to + static_cast<std::size_t>(row * at.cols + col) * size,
                from + static_cast<std::size_t>(col * at.stored_rows + at.source_row(row)) * size,
                size);
}

}  // namespace

Result<Matrix> read_matrix(const Located& at) {
    const TensorView& view = *at.view;
    HEFT_TRY([[maybe_unused]] const Codec* known, decoder(view));
    HEFT_TRY(const std::uint64_t row, row_bytes(view.type, static_cast<std::uint64_t>(at.cols)));
    const auto stride = static_cast<std::int64_t>(row);
    Matrix out;
    out.weight.type = view.type;
    out.weight.rows = at.rows;
    out.weight.cols = at.cols;
    out.weight.row_stride = stride;
    if (view.input_order != nullptr) out.weight.input_order = view.input_order->data();
    const bool turned = at.load == arch::Load::transposed;
    if (!turned && view.repack == nullptr && at.contiguous()) {
        out.weight.data =
            view.data.data() + (at.expert * at.stored_rows + at.source_row(0)) * stride;
        return out;
    }
    const DTypeInfo& info = dtype_info(view.type);
    if (turned && (info.block != 1 || view.repack != nullptr))
        return Error{Code::unsupported, "tensor " + view.name + " is quantised, and stored the "
                                            "wrong way round for it"};
    out.owned = std::make_unique<std::byte[]>(static_cast<std::size_t>(at.rows * stride));
    if (turned)
        gather_columns(at, static_cast<std::size_t>(info.block_bytes), out.owned.get());
    else
        gather_rows(at, stride, out.owned.get());
    out.weight.data = out.owned.get();
    return out;
}

Result<std::vector<float>> read_vector(const Located& at) {
    HEFT_TRY(const Codec* from, decoder(*at.view));
    const DTypeInfo& info = dtype_info(at.view->type);
    if (info.block != 1 || at.view->repack != nullptr)
        return Error{Code::unsupported,
                     "tensor " + at.view->name + " is quantised, as no norm or bias should be"};
    std::vector<float> out(static_cast<std::size_t>(at.rows));
    const std::byte* base = at.view->data.data() + at.expert * at.stored_rows * info.block_bytes;
    for (std::int64_t row = 0; row < at.rows; row += at.walk.unit_rows)
        from->dequantise(base + at.source_row(row) * info.block_bytes, at.walk.unit_rows,
                         out.data() + row);
    if (at.load == arch::Load::plus_one)
        for (float& value : out) value += 1;
    return out;
}

Result<Matrix> turn_blocks(const op::Weight& weight, int n_block) {
    const std::int64_t rows = weight.rows / n_block;
    Matrix out;
    out.weight.type = DType::f32;
    out.weight.rows = n_block * weight.cols;
    out.weight.cols = rows;
    out.weight.row_stride = rows * static_cast<std::int64_t>(sizeof(float));
    const auto count = static_cast<std::size_t>(weight.rows * weight.cols);
    out.owned = std::make_unique<std::byte[]>(count * sizeof(float));
    out.weight.data = out.owned.get();
    std::vector<float> row(static_cast<std::size_t>(weight.cols));
    for (std::int64_t r = 0; r < weight.rows; ++r) {
        codec(weight.type)
            ->dequantise(weight.data + r * weight.row_stride, weight.cols, row.data());
        const std::int64_t block = r / rows;
        for (std::int64_t c = 0; c < weight.cols; ++c)
            std::memcpy(out.owned.get()
                            + static_cast<std::size_t>((block * weight.cols + c) * rows + r % rows)
                                  * sizeof(float),
                        &row[static_cast<std::size_t>(c)], sizeof(float));
    }
    return out;
}

}  // namespace heft::model
