#include "app/merged_adapter.h"

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "tensor/quant/quant.h"
#include "tensor/rows.h"

namespace heft::app {

namespace {

using model::LowRank;

// A change of some rows of a stored matrix (columns, where it is stored turned).
struct Change {
    const LowRank* low_rank;
    arch::Located at;
};

// Adds scale * b A to a row; `b` is the row's of B.
void add_row(const LowRank& change, std::int64_t row, float* to) {
    const float* b = change.b.data() + row * change.rank;
    for (std::int64_t k = 0; k < change.rank; ++k) {
        const float factor = change.scale * b[k];
        const float* a = change.a.data() + k * change.in;
        for (std::int64_t i = 0; i < change.in; ++i) to[i] += factor * a[i];
    }
}

class Merged final : public Repack {
  public:
    Merged(TensorView stored, DType type, const std::vector<Change>& changes)
        : stored_(std::move(stored)), type_(type) {
        places_.resize(static_cast<std::size_t>(rows_of(stored_)));
        for (const Change& change : changes) add(change);
    }

    void rows(std::int64_t first, std::int64_t count, std::byte* to) const override {
        const std::int64_t n = columns_of(stored_);
        const auto size =
            static_cast<std::size_t>(n) * static_cast<std::size_t>(dtype_info(type_).block_bytes);
        std::vector<float> row(static_cast<std::size_t>(n));
        for (std::int64_t r = first; r < first + count; ++r, to += size) {
            read_rows(stored_, r, 1, row.data());
            for (const Place& place : places_[static_cast<std::size_t>(r)])
                if (place.is_turned)
                    add_column(place, row.data());
                else
                    add_row(*place.change->low_rank, place.row, row.data());
            codec(type_)->quantise(row.data(), n, to);
        }
    }

  private:
    struct Place {
        std::shared_ptr<const Change> change;
        std::int64_t row = 0;  // of B; of a turned matrix, column of A
        bool is_turned = false;
    };

    void add(const Change& change) {
        const auto shared = std::make_shared<const Change>(change);
        const arch::Located& at = change.at;
        const bool is_turned = at.load == arch::Load::transposed;
        const std::int64_t n = is_turned ? change.low_rank->in : change.low_rank->out;
        const std::int64_t before = at.expert * (is_turned ? at.cols : at.stored_rows);
        for (std::int64_t r = 0; r < n; ++r) {
            const std::int64_t row = before + (is_turned ? r : at.source_row(r));
            places_[static_cast<std::size_t>(row)].push_back({shared, r, is_turned});
        }
    }

    // Of an [in, out] matrix: row `place.row` gets scale * B a, a the column of A.
    static void add_column(const Place& place, float* to) {
        const LowRank& change = *place.change->low_rank;
        for (std::int64_t out = 0; out < change.out; ++out) {
            float sum = 0;
            for (std::int64_t k = 0; k < change.rank; ++k)
                sum += change.b[static_cast<std::size_t>(out * change.rank + k)]
                       * change.a[static_cast<std::size_t>(k * change.in + place.row)];
            to[place.change->at.source_row(out)] += change.scale * sum;
        }
    }

    TensorView stored_;
    DType type_;
    std::vector<std::vector<Place>> places_;  // by row of the view
};

// Rows made at once, for readers that go by columns.
class Held final : public Repack {
  public:
    Held(const Repack& from, std::int64_t n_rows, std::uint64_t row_bytes)
        : row_bytes_(static_cast<std::size_t>(row_bytes)),
          bytes_(row_bytes_ * static_cast<std::size_t>(n_rows)) {
        from.rows(0, n_rows, bytes_.data());
    }
    void rows(std::int64_t first, std::int64_t count, std::byte* to) const override {
        std::copy_n(bytes_.begin() + first * static_cast<std::int64_t>(row_bytes_),
                    count * static_cast<std::int64_t>(row_bytes_), to);
    }
    Bytes bytes() const { return bytes_; }

  private:
    std::size_t row_bytes_;
    std::vector<std::byte> bytes_;
};

bool is_plain(DType type) {
    return type == DType::f32 || type == DType::f16 || type == DType::bf16;
}

Result<Change> change_of(const LowRank& low_rank, const format::Checkpoint& checkpoint,
                         const arch::Config& config) {
    for (const arch::Tensor& tensor : config.family->tensors) {
        if (tensor.role != low_rank.role) continue;
        HEFT_TRY(const arch::Located at,
                 arch::locate(checkpoint, config, tensor, low_rank.layer, low_rank.expert));
        if (at.view != nullptr && at.rows == low_rank.out && at.cols == low_rank.in)
            return Change{&low_rank, at};
    }
    return Error{Code::unsupported,
                 "the adapter changes " + low_rank.tensor + ", which it cannot be merged into"};
}

Status check_tied(const model::Adapter& adapter, const arch::Config& config) {
    if (!config.tied || adapter.find(arch::Role::token_embd) == nullptr) return {};
    return Error{
        Code::unsupported,
        "the adapter changes the embedding, which is the output matrix, too, of this model; "
        "merged, it would change both"};
}

}  // namespace

Status merge_adapter(const model::Adapter& adapter, const format::Checkpoint& checkpoint,
                     const arch::Config& config, std::optional<DType> wanted,
                     convert::Overlay& overlay) {
    HEFT_OK(check_tied(adapter, config));
    std::map<const TensorView*, std::vector<Change>> by_tensor;
    for (const LowRank& low_rank : adapter.changes) {
        HEFT_TRY(Change change, change_of(low_rank, checkpoint, config));
        by_tensor[change.at.view].push_back(change);
    }
    for (const auto& [stored, changes] : by_tensor) {
        TensorView view = overlay.of(*stored);
        const DType type = wanted.value_or(is_plain(view.type) ? view.type : DType::f16);
        auto merged = std::make_shared<Merged>(view, type, changes);
        view.type = type;
        view.input_order = nullptr;  // rows are put in order as they are read
        view.data = {};
        view.repack = merged;
        if (changes.front().at.load == arch::Load::transposed) {
            HEFT_TRY(const std::uint64_t row,
                     row_bytes(type, static_cast<std::uint64_t>(columns_of(view))));
            const auto held = std::make_shared<Held>(*merged, rows_of(view), row);
            view.data = held->bytes();
            view.repack = held;
        }
        overlay.set(*stored, std::move(view));
    }
    return {};
}

}  // namespace heft::app
