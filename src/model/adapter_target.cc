#include "model/adapter_target.h"

#include <charconv>

#include "format/names.h"

namespace heft::model {

namespace {

using format::Kind;

// Ways to spell a weight of the text model: bare decoders lack the first part of the name, models
// inside larger ones have one more.
std::vector<std::string> spellings(const std::string& name, Kind kind) {
    std::vector<std::string> out = {name};
    if (kind == Kind::gguf) return out;
    constexpr std::string_view kInner = "language_model.";
    if (const auto at = name.find(kInner); at != std::string::npos)
        out.push_back(std::string(name).erase(at, kInner.size()));
    const std::string last = out.back();
    for (const std::string_view prefix : {"model.", "transformer.", "gpt_neox."})
        out.push_back(std::string(prefix) + last);
    return out;
}

Error no_such_weight(const AdapterFiles& adapter, const std::string& tensor) {
    const std::string_view base = std::string_view(adapter.base).substr(0, 200);
    return {Code::invalid, "changes " + tensor
                               + ", which this model does not have; the adapter was made for "
                               + (base.empty() ? "another base" : format::in_quotes(base))};
}

// A row of the family's table that the adapter's name fits.
struct Match {
    const arch::Tensor* row = nullptr;
    int layer = 0;
    int expert = 0;
};

std::optional<Match> match(const arch::Tensor& row, const std::vector<std::string>& names,
                           Kind kind, const arch::Config& config) {
    const char* pattern = kind == Kind::gguf ? row.gguf : row.hf;
    if (pattern == nullptr || row.cols == arch::Dim::none) return {};
    for (const std::string& name : names) {
        const auto numbers = numbers_in(pattern, name);
        if (!numbers) continue;
        Match out{&row, 0, 0};
        if (!numbers->empty()) out.layer = numbers->front();
        if (numbers->size() > 1) out.expert = numbers->back();
        const bool stack = row.per_expert && numbers->size() < 2;
        if (stack || out.layer >= config.n_layer || !arch::in_layer(row, config, out.layer))
            return {};
        if (row.per_expert && out.expert >= config.experts.n) return {};
        return out;
    }
    return {};
}

// What the model has under the role, whichever row of the table describes it there.
Result<arch::Located> locate(const Match& match, const format::Checkpoint& base,
                             const arch::Config& config) {
    for (const arch::Tensor& row : config.family->tensors) {
        if (row.role != match.row->role) continue;
        HEFT_TRY(arch::Located at, arch::locate(base, config, row, match.layer, match.expert));
        if (at.view != nullptr) return at;
    }
    return arch::Located{};
}

RowOrder order_of(const Match& match, Kind from, Kind to, const arch::Config& config) {
    const bool rotated =
        match.row->role == arch::Role::attn_q || match.row->role == arch::Role::attn_k;
    if (from == to || !rotated || !config.family->gguf_interleaves_qk) return RowOrder::same;
    return to == Kind::gguf ? RowOrder::interleave : RowOrder::separate;
}

}  // namespace

std::optional<std::vector<int>> numbers_in(std::string_view pattern, std::string_view name) {
    constexpr std::string_view kHole = "{}";
    constexpr std::size_t kMaxDigits = 6;
    std::vector<int> out;
    for (;;) {
        const std::size_t hole = pattern.find(kHole);
        const std::string_view literal = pattern.substr(0, hole);
        if (!name.starts_with(literal)) return {};
        name.remove_prefix(literal.size());
        if (hole == std::string_view::npos) break;
        pattern.remove_prefix(hole + kHole.size());
        const std::string_view digits = name.substr(0, name.find_first_not_of("0123456789"));
        if (digits.empty() || digits.size() > kMaxDigits) return {};
        int number = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
        name.remove_prefix(digits.size());
        out.push_back(number);
    }
    if (!name.empty()) return {};
    return out;
}

Result<std::vector<Target>> find_targets(const AdapterFiles& adapter, const std::string& tensor,
                                         const format::Checkpoint& base,
                                         const arch::Config& config) {
    const std::string own = config.family->gguf;
    if (adapter.kind == Kind::gguf && adapter.architecture != own)
        return Error{Code::invalid,
                     "was made for architecture "
                         + format::in_quotes(std::string_view(adapter.architecture).substr(0, 64))
                         + ", but this model is " + own};
    const std::vector<std::string> names = spellings(tensor, adapter.kind);
    std::vector<Target> out;
    for (const arch::Tensor& row : config.family->tensors) {
        const auto found = match(row, names, adapter.kind, config);
        if (!found) continue;
        HEFT_TRY(const arch::Located at, locate(*found, base, config));
        if (at.view == nullptr) continue;
        Target target;
        target.role = row.role;
        target.layer = found->layer;
        target.expert = found->expert;
        target.tensor = at.view->name;
        target.rows = at.rows;
        target.cols = at.cols;
        target.walk = arch::row_walk(adapter.kind == Kind::gguf ? row.gguf_fused : row.fused,
                                     at.rows, config);
        target.stored_rows = target.walk.unit_stride * target.walk.units;
        target.order = order_of(*found, adapter.kind, base.kind(), config);
        out.push_back(std::move(target));
    }
    if (out.empty()) return no_such_weight(adapter, tensor);
    return out;
}

std::int64_t reordered_row(RowOrder order, std::int64_t row, std::int64_t d_head) {
    const std::int64_t within = row % d_head;
    const std::int64_t half = d_head / 2;
    switch (order) {
        case RowOrder::same: break;
        case RowOrder::interleave: return row - within + within / 2 + within % 2 * half;
        case RowOrder::separate: return row - within + within % half * 2 + within / half;
    }
    return row;
}

std::int64_t Target::source_row(std::int64_t row, std::int64_t d_head) const {
    return walk(order == RowOrder::same ? row : reordered_row(order, row, d_head));
}

}  // namespace heft::model
