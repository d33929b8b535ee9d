#include "model/adapter.h"

#include <algorithm>
#include <tuple>

#include "arch/adapter_target.h"
#include "format/adapter_files.h"

namespace heft::model {

namespace {

Status check_fit(const format::LowRankPair& pair, const arch::AdapterTarget& target,
                 const arch::Config& config) {
    const Shape changed = {pair.b.rows(), pair.a.cols()};
    const Shape wanted = {target.stored_rows, target.cols};
    if (changed != wanted)
        return Error{Code::invalid, "the adapter's " + pair.tensor + " is for "
                                        + shape_text(changed) + ", but this model's "
                                        + target.tensor + " is " + shape_text(wanted)};
    if (target.order != arch::RowOrder::same
        && (config.d_head < 2 || config.d_head % 2 != 0 || target.rows % config.d_head != 0))
        return Error{Code::unsupported, "the rows of " + target.tensor
                                            + " are no whole heads of an even size, and cannot be "
                                              "put in the model's order"};
    return {};
}

struct Values {
    std::vector<float> a, b;  // as the adapter holds them
};

LowRank part_of(const format::LowRankPair& pair, const Values& values,
                const arch::AdapterTarget& target, std::int64_t d_head) {
    LowRank out;
    out.role = target.role;
    out.layer = target.layer;
    out.expert = target.expert;
    out.tensor = target.tensor;
    out.out = target.rows;
    out.in = target.cols;
    out.rank = pair.a.rows();
    out.a = values.a;
    out.b.reserve(static_cast<std::size_t>(out.out * out.rank));
    for (std::int64_t r = 0; r < out.out; ++r) {
        const auto row = values.b.begin() + target.source_row(r, d_head) * out.rank;
        out.b.insert(out.b.end(), row, row + out.rank);
    }
    return out;
}

auto place(const LowRank& change) {
    return std::tuple(change.role, change.layer, change.expert);
}

Result<std::vector<LowRank>> fit_all(const format::AdapterFiles& files,
                                     const format::Checkpoint& base, const arch::Config& config,
                                     float user_scale) {
    std::vector<LowRank> out;
    for (const format::LowRankPair& pair : files.pairs) {
        HEFT_TRY(const auto targets, arch::find_targets(files, pair, base, config));
        for (const arch::AdapterTarget& target : targets) HEFT_OK(check_fit(pair, target, config));
        Values values;
        HEFT_TRY(values.a, format::values_of(pair.a));
        HEFT_TRY(values.b, format::values_of(pair.b));
        for (const arch::AdapterTarget& target : targets) {
            out.push_back(part_of(pair, values, target, config.d_head));
            out.back().scale = static_cast<float>(pair.scale * user_scale);
        }
    }
    std::sort(out.begin(), out.end(),
              [](const LowRank& x, const LowRank& y) { return place(x) < place(y); });
    const auto twice =
        std::adjacent_find(out.begin(), out.end(),
                           [](const LowRank& x, const LowRank& y) { return place(x) == place(y); });
    if (twice != out.end()) return Error{Code::corrupt, "changes " + twice->tensor + " twice"};
    return out;
}

}  // namespace

const LowRank* Adapter::find(arch::Role role, int layer, int expert) const {
    const auto wanted = std::tuple(role, layer, expert);
    const auto found =
        std::lower_bound(changes.begin(), changes.end(), wanted,
                         [](const LowRank& x, const auto& key) { return place(x) < key; });
    return found == changes.end() || place(*found) != wanted ? nullptr : &*found;
}

std::uint64_t bytes_of(const Adapter& adapter) {
    std::uint64_t bytes = 0;
    for (const LowRank& change : adapter.changes)
        bytes += (change.a.size() + change.b.size()) * sizeof(float);
    return bytes;
}

Result<Adapter> load_adapter(const std::filesystem::path& path, const format::Checkpoint& base,
                             const arch::Config& config, float user_scale) {
    HEFT_TRY(const format::AdapterFiles files, format::open_adapter_files(path));
    auto changes = fit_all(files, base, config, user_scale);
    if (!changes) return within(path.string(), std::move(changes.error()));
    return Adapter{path.string(), std::move(*changes)};
}

}  // namespace heft::model
