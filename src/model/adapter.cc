#include "model/adapter.h"

#include <algorithm>
#include <set>

#include "model/adapter_files.h"
#include "model/adapter_target.h"
#include "tensor/quant/quant.h"

namespace heft::model {

namespace {

Result<std::vector<float>> values_of(const StoredMatrix& matrix) {
    const TensorView& view = matrix.view;
    const Codec* from = codec(view.type);
    if (from == nullptr)
        return Error{Code::unsupported, "tensor " + view.name + " is of type "
                                            + dtype_info(view.type).name
                                            + ", which heft cannot compute with"};
    const std::int64_t n = view.shape[0] * view.shape[1];
    std::vector<float> stored(static_cast<std::size_t>(n));
    from->dequantise(view.data.data(), n, stored.data());
    if (!matrix.turned) return stored;
    std::vector<float> out(stored.size());
    for (std::int64_t r = 0; r < matrix.rows(); ++r)
        for (std::int64_t c = 0; c < matrix.cols(); ++c)
            out[static_cast<std::size_t>(r * matrix.cols() + c)] =
                stored[static_cast<std::size_t>(c * matrix.rows() + r)];
    return out;
}

Status check_shape(const LowRankPair& pair, const Target& target) {
    Shape wanted = {pair.b.rows(), pair.a.cols()};
    const bool embedding = pair.a.turned;  // a table of rows, however matrices are stored
    if (target.transposed && !embedding) std::swap(wanted[0], wanted[1]);
    if (wanted == target.view->shape) return {};
    return Error{Code::invalid, "the adapter's " + pair.tensor + " is for " + shape_text(wanted)
                                    + ", but this model's " + target.view->name + " is "
                                    + shape_text(target.view->shape)};
}

Result<LowRank> fit(const LowRankPair& pair, const Target& target, const arch::Config& config) {
    HEFT_OK(check_shape(pair, target));
    LowRank out;
    out.tensor = target.view->name;
    out.out = pair.b.rows();
    out.in = pair.a.cols();
    out.rank = pair.a.rows();
    HEFT_TRY(out.a, values_of(pair.a));
    HEFT_TRY(out.b, values_of(pair.b));
    if (target.order == RowOrder::same) return out;
    if (config.d_head < 2 || config.d_head % 2 != 0 || out.out % config.d_head != 0)
        return Error{Code::invalid,
                     "the adapter's " + pair.tensor + " has " + std::to_string(out.out)
                         + " rows, which are no whole heads of " + std::to_string(config.d_head)};
    const std::vector<float> rows = out.b;
    for (std::int64_t r = 0; r < out.out; ++r) {
        const auto from = rows.begin() + source_row(target.order, r, config.d_head) * out.rank;
        std::copy(from, from + out.rank, out.b.begin() + r * out.rank);
    }
    return out;
}

Result<std::vector<LowRank>> fit_all(const AdapterFiles& files, const format::Checkpoint& base,
                                     const arch::Config& config, float user_scale) {
    std::vector<LowRank> out;
    std::set<const TensorView*> changed;
    for (const LowRankPair& pair : files.pairs) {
        HEFT_TRY(const Target target, find_target(files, pair.tensor, base, config));
        if (!changed.insert(target.view).second)
            return Error{Code::corrupt, "changes " + target.view->name + " twice"};
        HEFT_TRY(LowRank change, fit(pair, target, config));
        change.scale = static_cast<float>(pair.scale * user_scale);
        out.push_back(std::move(change));
    }
    return out;
}

}  // namespace

const LowRank* Adapter::find(std::string_view tensor) const {
    const auto found = std::lower_bound(
        changes.begin(), changes.end(), tensor,
        [](const LowRank& change, std::string_view wanted) { return change.tensor < wanted; });
    return found == changes.end() || found->tensor != tensor ? nullptr : &*found;
}

Result<Adapter> load_adapter(const std::filesystem::path& path, const format::Checkpoint& base,
                             const arch::Config& config, float user_scale) {
    HEFT_TRY(const AdapterFiles files, open_adapter_files(path));
    auto changes = fit_all(files, base, config, user_scale);
    if (!changes) return within(path.string(), std::move(changes.error()));
    std::sort(changes->begin(), changes->end(),
              [](const LowRank& x, const LowRank& y) { return x.tensor < y.tensor; });
    return Adapter{path.string(), std::move(*changes)};
}

}  // namespace heft::model
