#include "arch/adapter_target.h"

#include <charconv>

#include "format/names.h"

namespace heft::arch {

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

Error no_such_weight(const format::AdapterFiles& adapter, const std::string& tensor) {
    const std::string_view base = std::string_view(adapter.base).substr(0, 200);
    return {Code::invalid, "changes " + tensor
                               + ", which this model does not have; the adapter was made for "
                               + (base.empty() ? "another base" : format::in_quotes(base))};
}

std::optional<AdapterRow> match(const Tensor& row, const std::vector<std::string>& names, Kind kind,
                                std::optional<int> expert, const Config& config) {
    const char* pattern = kind == Kind::gguf ? row.gguf : row.hf;
    if (pattern == nullptr || row.cols == Dim::none) return {};
    for (const std::string& name : names) {
        const auto numbers = numbers_in(pattern, name);
        if (!numbers) continue;
        AdapterRow out{&row, 0, 0};
        if (!numbers->empty()) out.layer = numbers->front();
        if (numbers->size() > 1) out.expert = numbers->back();
        const bool is_stack = row.per_expert && numbers->size() < 2;
        if (is_stack != expert.has_value()) return {};
        if (is_stack) out.expert = *expert;
        if (out.layer >= config.n_layer || !in_layer(row, config, out.layer)) return {};
        if (row.per_expert && out.expert >= config.experts.n) return {};
        return out;
    }
    return {};
}

// What the model has under the role, whichever row of the table describes it there.
Result<Located> locate(const AdapterRow& match, const format::Checkpoint& base,
                       const Config& config) {
    for (const Tensor& row : config.family->tensors) {
        if (row.role != match.row->role) continue;
        HEFT_TRY(Located at, arch::locate(base, config, row, match.layer, match.expert));
        if (at.view != nullptr) return at;
    }
    return Located{};
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

std::vector<AdapterRow> rows_named(Kind kind, const std::string& tensor, std::optional<int> expert,
                                   const Config& config) {
    const std::vector<std::string> names = spellings(tensor, kind);
    std::vector<AdapterRow> out;
    for (const Tensor& row : config.family->tensors)
        if (const auto found = match(row, names, kind, expert, config)) out.push_back(*found);
    return out;
}

RowOrder row_order(Role role, Kind from, Kind to, const Config& config) {
    const bool rotated = role == Role::attn_q || role == Role::attn_k;
    if (from == to || !rotated || !config.family->gguf_interleaves_qk) return RowOrder::same;
    return to == Kind::gguf ? RowOrder::interleave : RowOrder::separate;
}

Status check_architecture(const format::AdapterFiles& adapter, const Config& config) {
    const std::string own = config.family->gguf;
    if (adapter.kind != Kind::gguf || adapter.architecture == own) return {};
    return Error{Code::invalid,
                 "was made for architecture "
                     + format::in_quotes(std::string_view(adapter.architecture).substr(0, 64))
                     + ", but this model is " + own};
}

Result<std::vector<AdapterTarget>> find_targets(const format::AdapterFiles& adapter,
                                                const format::LowRankPair& pair,
                                                const format::Checkpoint& base,
                                                const Config& config) {
    HEFT_OK(check_architecture(adapter, config));
    std::vector<AdapterTarget> out;
    for (const AdapterRow& found : rows_named(adapter.kind, pair.tensor, pair.expert, config)) {
        HEFT_TRY(const Located at, locate(found, base, config));
        if (at.view == nullptr) continue;
        const Tensor& row = *found.row;
        AdapterTarget target;
        target.role = row.role;
        target.layer = found.layer;
        target.expert = found.expert;
        target.tensor = at.view->name;
        target.rows = at.rows;
        target.cols = at.cols;
        target.walk =
            row_walk(adapter.kind == Kind::gguf ? row.gguf_fused : row.fused, at.rows, config);
        target.stored_rows = target.walk.unit_stride * target.walk.units;
        target.order = row_order(row.role, adapter.kind, base.kind(), config);
        out.push_back(std::move(target));
    }
    if (out.empty()) return no_such_weight(adapter, pair.tensor);
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

std::int64_t AdapterTarget::source_row(std::int64_t row, std::int64_t d_head) const {
    return walk(order == RowOrder::same ? row : reordered_row(order, row, d_head));
}

}  // namespace heft::arch
