#include "convert/hf_tensor.h"

#include <algorithm>
#include <utility>

#include "tensor/quant/quant.h"
#include "tensor/rows.h"

namespace heft::convert {

namespace {

using arch::Load;

// The row of the view that holds row `row` of a part.
std::int64_t view_row(const HfPart& part, std::int64_t expert, std::int64_t row) {
    if (part.interleaved_head > 0) {
        const std::int64_t half = part.interleaved_head / 2;
        const std::int64_t within = row % part.interleaved_head;
        row += (within < half ? 2 * within : 2 * (within - half) + 1) - within;
    }
    return expert * part.at.stored_rows + part.at.source_row(row);
}

class Reader {
  public:
    explicit Reader(HfTensor tensor) : t_(std::move(tensor)) {}

    void read(std::int64_t first, std::int64_t count, float* to) const {
        if (t_.load == Load::transposed && !t_.is_vector) return read_turned(first, count, to);
        for (std::int64_t done = 0; done < count;) {
            const PartRows::Place place = t_.rows.place(first + done);
            const HfPart& part = t_.parts[place.part];
            std::int64_t n = 1;
            if (part.turned_head > 0)
                n = read_turned_head(part, place.row, count - done, to);
            else
                read_row(first + done, to);
            if (t_.load == Load::plus_one)
                std::for_each(to, to + n * t_.cols, [](float& x) { x -= 1; });
            done += n;
            to += n * t_.cols;
        }
    }

    void copy(std::int64_t first, std::int64_t count, std::byte* to) const {
        const DType type = t_.parts.front().at.view->type;
        const auto size = static_cast<std::size_t>(t_.cols / dtype_info(type).block)
                          * static_cast<std::size_t>(dtype_info(type).block_bytes);
        for (std::int64_t r = first; r < first + count; ++r, to += size) {
            const auto [view, row] = find(r);
            if (t_.is_vector)
                std::copy_n(view->data.begin() + row * static_cast<std::int64_t>(size), size, to);
            else
                read_stored_rows(*view, row, 1, to);
        }
    }

  private:
    std::pair<const TensorView*, std::int64_t> find(std::int64_t r) const {
        const PartRows::Place place = t_.rows.place(r);
        const HfPart& part = t_.parts[place.part];
        return {part.at.view, view_row(part, t_.first_expert + place.matrix, place.row)};
    }

    void read_row(std::int64_t r, float* to) const {
        const auto [view, row] = find(r);
        if (t_.is_vector)
            read_numbers(*view, row, 1, to);
        else
            read_rows(*view, row, 1, to);
    }

    // Rows of one head, columns of what the file has, as far as the head goes.
    std::int64_t read_turned_head(const HfPart& part, std::int64_t row, std::int64_t count,
                                  float* to) const {
        const std::int64_t head = row / part.turned_head;
        const std::int64_t from = row % part.turned_head;
        const std::int64_t n = std::min(count, part.turned_head - from);
        std::vector<float> stored(static_cast<std::size_t>(part.turned_head));
        for (std::int64_t c = 0; c < t_.cols; ++c) {
            read_rows(*part.at.view, head * t_.cols + c, 1, stored.data());
            for (std::int64_t i = 0; i < n; ++i)
                to[i * t_.cols + c] = stored[static_cast<std::size_t>(from + i)];
        }
        return n;
    }

    // The numbers of a view from one on, of which the first begins a block.
    static void read_numbers(const TensorView& view, std::int64_t first, std::int64_t count,
                             float* to) {
        const DTypeInfo& info = dtype_info(view.type);
        codec(view.type)->dequantise(view.data.data() + first / info.block * info.block_bytes,
                                     count, to);
    }

    // Rows of [in, out] matrices are columns of what the file has: of each of its rows the blocks
    // that hold some of them.
    void read_turned(std::int64_t first, std::int64_t count, float* to) const {
        const std::int64_t n_out = t_.rows.total();
        std::vector<float> some;
        std::vector<float> whole(static_cast<std::size_t>(t_.cols));
        while (count > 0) {
            const std::int64_t matrix = first / t_.cols;
            const std::int64_t from = first % t_.cols;
            const std::int64_t n = std::min(count, t_.cols - from);
            for (std::int64_t out = 0; out < n_out; ++out) {
                const auto [view, row] = find(matrix * n_out + out);
                if (view->repack != nullptr) {
                    read_rows(*view, row, 1, whole.data());
                    for (std::int64_t i = 0; i < n; ++i)
                        to[i * n_out + out] = whole[static_cast<std::size_t>(from + i)];
                    continue;
                }
                const std::int64_t block = dtype_info(view->type).block;
                const std::int64_t begin = from / block * block;
                const std::int64_t end = (from + n + block - 1) / block * block;
                some.resize(static_cast<std::size_t>(end - begin));
                read_numbers(*view, row * t_.cols + begin, end - begin, some.data());
                for (std::int64_t i = 0; i < n; ++i)
                    to[i * n_out + out] = some[static_cast<std::size_t>(from - begin + i)];
            }
            to += n * n_out;
            first += n;
            count -= n;
        }
    }

    HfTensor t_;
};

}  // namespace

Weight weight_of(HfTensor tensor, std::string name) {
    Weight out;
    const TensorView& view = *tensor.parts.front().at.view;
    const bool is_turned = tensor.load == Load::transposed && !tensor.is_vector;
    out.name = std::move(name);
    out.stored = view.type;
    out.matrix = !tensor.is_vector;
    out.n_rows = tensor.n_stack * (is_turned ? tensor.cols : tensor.rows.total());
    out.n_cols = is_turned ? tensor.rows.total() : tensor.cols;
    if (tensor.is_stacked) out.shape.push_back(tensor.n_stack);
    out.shape.push_back(out.n_rows / tensor.n_stack);
    if (!tensor.is_vector) out.shape.push_back(out.n_cols);
    const bool same_type =
        std::all_of(tensor.parts.begin(), tensor.parts.end(),
                    [&view](const HfPart& part) { return part.at.view->type == view.type; });
    const bool has_turned = std::any_of(tensor.parts.begin(), tensor.parts.end(),
                                        [](const HfPart& part) { return part.turned_head > 0; });
    const bool can_copy = same_type && !is_turned && !has_turned && tensor.load != Load::plus_one
                          && (!tensor.is_vector || dtype_info(view.type).block == 1);
    for (const HfPart& part : tensor.parts) {
        const Bytes all = part.at.view->data;
        if (part.at.view->repack != nullptr) continue;
        const auto rows =
            static_cast<std::size_t>(std::max<std::int64_t>(rows_of(*part.at.view), 1));
        const auto from = static_cast<std::size_t>(tensor.first_expert * part.at.stored_rows);
        const auto count = static_cast<std::size_t>(tensor.n_stack * part.at.stored_rows);
        if (from + count <= rows)
            out.mapped.push_back(all.subspan(all.size() / rows * from, all.size() / rows * count));
    }
    const auto reader = std::make_shared<const Reader>(std::move(tensor));
    out.read = [reader](std::int64_t first, std::int64_t count, float* to) {
        reader->read(first, count, to);
    };
    if (can_copy)
        out.copy = [reader](std::int64_t first, std::int64_t count, std::byte* to) {
            reader->copy(first, count, to);
        };
    return out;
}

}  // namespace heft::convert
