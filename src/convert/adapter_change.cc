#include "convert/adapter_change.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "arch/adapter_target.h"
#include "format/names.h"

namespace heft::convert {

namespace {

using arch::Role;
using format::Kind;
using format::LowRankPair;

const char* pattern_in(Kind form, const arch::Tensor& row) {
    return form == Kind::gguf ? row.gguf : row.hf;
}

const arch::Fused& fused_in(Kind form, const arch::Tensor& row) {
    return form == Kind::gguf ? row.gguf_fused : row.fused;
}

DType holding(DType type) {
    return type == DType::f16 || type == DType::bf16 ? type : DType::f32;
}

// A pair of the adapter, read.
struct Values {
    const LowRankPair* pair;
    std::vector<float> a, b;
    std::int64_t rank() const { return pair->a.rows(); }
};

// What it does to one matrix of the model: the rows of its b in the other form's order.
struct Piece {
    std::shared_ptr<const Values> values;
    arch::RowWalk walk;
    arch::RowOrder order = arch::RowOrder::same;
    std::int64_t d_head = 0;

    const float* b_row(std::int64_t row) const {
        if (order != arch::RowOrder::same) row = arch::reordered_row(order, row, d_head);
        return values->b.data() + walk(row) * values->rank();
    }
};

// A weight of the other form, and what of the adapter changes it.
struct Gathered {
    const arch::Tensor* row = nullptr;  // the first that named it
    int layer = 0;
    int expert = 0;
    bool is_stack = false;
    std::map<std::pair<int, Role>, Piece> pieces;  // by expert (0 outside of stacks)
};

// One matrix of those.
struct Matrix {
    std::int64_t rank = 0;
    std::vector<float> a, b;
    double scale = 1, alpha = 1;
    bool is_scaled = false;  // some of b was multiplied
};

class Gathering {
  public:
    Gathering(Kind form, const format::AdapterFiles& adapter, const arch::Config& config)
        : form_(form), adapter_(adapter), config_(config) {}

    Status add(const LowRankPair& pair) {
        if (!std::isfinite(pair.scale) || pair.scale == 0)
            return Error{Code::unsupported, "has a scale of 0 for " + pair.tensor
                                                + ", which other forms take for no scale at all"};
        const auto rows = arch::rows_named(adapter_.kind, pair.tensor, pair.expert, config_);
        if (rows.empty() || is_tied(rows.front().row->role)) return no_such_weight(pair.tensor);
        auto values = std::make_shared<Values>();
        values->pair = &pair;
        HEFT_TRY(values->a, format::values_of(pair.a));
        HEFT_TRY(values->b, format::values_of(pair.b));
        for (const arch::AdapterRow& at : rows) HEFT_OK(add_piece(values, at));
        return {};
    }

    Result<std::vector<AdapterChange>> take() const {
        std::vector<AdapterChange> out;
        for (const auto& key : order_) {
            HEFT_TRY(out.emplace_back(), change_of(gathered_.at(key)));
        }
        return out;
    }

  private:
    bool is_tied(Role role) const {
        return role == Role::output && config_.tied && adapter_.kind == Kind::huggingface;
    }

    Error no_such_weight(const std::string& tensor) const {
        return {Code::invalid, "changes " + format::in_quotes(tensor) + ", which the base, a "
                                   + config_.family->name
                                   + " model of this configuration, does not have"};
    }

    Status add_piece(const std::shared_ptr<const Values>& values, const arch::AdapterRow& at) {
        const LowRankPair& pair = *values->pair;
        const arch::Tensor* row = row_in_form(*at.row);
        if (row == nullptr)
            return Error{Code::unsupported,
                         "changes " + pair.tensor + ", for which "
                             + (form_ == Kind::gguf ? "GGUF files have" : "PEFT folders have")
                             + " no name"};
        Piece piece{
            values, {}, arch::row_order(row->role, adapter_.kind, form_, config_), config_.d_head};
        const std::int64_t rows = arch::extent(at.row->rows, config_);
        piece.walk = arch::row_walk(fused_in(adapter_.kind, *at.row), rows, config_);
        HEFT_OK(check_fit(pair, at, piece, rows));
        const char* pattern = pattern_in(form_, *row);
        const bool is_stack =
            row->per_expert && arch::tensor_name(pattern, 0, 0) == arch::tensor_name(pattern, 0, 1);
        if (is_stack && form_ == Kind::huggingface)
            return Error{Code::unsupported,
                         "changes " + pair.tensor
                             + ", which is a parameter of its own in Hugging Face models, where "
                               "PEFT's low-rank changes are those of modules"};
        const std::string name = arch::tensor_name(pattern, at.layer, at.expert);
        auto [found, is_new] = gathered_.try_emplace(name);
        Gathered& into = found->second;
        if (is_new) {
            order_.push_back(name);
            into = {row, at.layer, at.expert, is_stack, {}};
        }
        const auto key = std::pair(is_stack ? at.expert : 0, row->role);
        if (!into.pieces.emplace(key, std::move(piece)).second)
            return Error{Code::corrupt, "changes " + pair.tensor + " twice"};
        return {};
    }

    Status check_fit(const LowRankPair& pair, const arch::AdapterRow& at, const Piece& piece,
                     std::int64_t rows) const {
        const Shape changed = {pair.b.rows(), pair.a.cols()};
        const Shape wanted = {piece.walk.unit_stride * piece.walk.units,
                              arch::extent(at.row->cols, config_)};
        if (changed != wanted)
            return Error{Code::invalid, "changes " + pair.tensor + " of shape "
                                            + shape_text(changed) + ", but the base has it of "
                                            + shape_text(wanted)};
        const int head = config_.d_head;
        if (piece.order != arch::RowOrder::same && (head < 2 || head % 2 != 0 || rows % head != 0))
            return Error{Code::unsupported, "changes " + pair.tensor
                                                + ", whose rows are no whole heads of an even "
                                                  "size, and cannot be put in another order"};
        return {};
    }

    // The row of the table by which the form has the matrix.
    const arch::Tensor* row_in_form(const arch::Tensor& row) const {
        if (pattern_in(form_, row) != nullptr) return &row;
        for (const arch::Tensor& other : config_.family->tensors)
            if (other.role == row.role && pattern_in(form_, other) != nullptr) return &other;
        return nullptr;
    }

    // The parts that the form keeps as one, each once.
    std::vector<const arch::Tensor*> parts_of(const arch::Tensor& row) const {
        std::vector<const arch::Tensor*> out;
        const std::string_view name = pattern_in(form_, row);
        for (const arch::Tensor& tensor : config_.family->tensors) {
            const char* own = pattern_in(form_, tensor);
            const bool is_known =
                std::any_of(out.begin(), out.end(),
                            [&](const arch::Tensor* part) { return part->role == tensor.role; });
            if (own != nullptr && own == name && !is_known) out.push_back(&tensor);
        }
        return out;
    }

    // Whether all are of one a, so that the pair stays one of its rank.
    static bool is_one(const std::vector<const Piece*>& pieces) {
        const Values& first = *pieces.front()->values;
        return std::all_of(pieces.begin(), pieces.end(), [&first](const Piece* piece) {
            const Values& own = *piece->values;
            return &own == &first
                   || (own.pair->alpha == first.pair->alpha && own.rank() == first.rank()
                       && own.a == first.a);
        });
    }

    // One pair of the pieces: their rows below each other where they have one a; else each has
    // columns of its own, which are zero in the rows of the others.
    Matrix joined(const Gathered& from, int expert) const {
        const auto parts = parts_of(*from.row);
        std::vector<const arch::Tensor*> changed;
        std::vector<const Piece*> pieces;
        for (const arch::Tensor* part : parts) {
            const auto found = from.pieces.find({expert, part->role});
            if (found == from.pieces.end()) continue;
            changed.push_back(part);
            pieces.push_back(&found->second);
        }
        const bool one = is_one(pieces);
        const LowRankPair& first = *pieces.front()->values->pair;
        Matrix out;
        for (const Piece* piece : pieces) {
            if (one && piece != pieces.front()) continue;
            out.rank += piece->values->rank();
            out.a.insert(out.a.end(), piece->values->a.begin(), piece->values->a.end());
        }
        out.scale = first.scale;
        out.alpha = one ? first.alpha : first.scale * static_cast<double>(out.rank);
        out.b.assign(static_cast<std::size_t>(out_rows(*from.row) * out.rank), 0);
        std::int64_t column = 0;
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            const double factor = pieces[i]->values->pair->scale / first.scale;
            out.is_scaled |= factor != 1;
            place(*pieces[i], *changed[i], factor, column, out);
            if (!one) column += pieces[i]->values->rank();
        }
        return out;
    }

    void place(const Piece& piece, const arch::Tensor& part, double factor, std::int64_t column,
               Matrix& out) const {
        const std::int64_t rows = arch::extent(part.rows, config_);
        const arch::RowWalk walk = arch::row_walk(fused_in(form_, part), rows, config_);
        const std::int64_t rank = piece.values->rank();
        for (std::int64_t r = 0; r < rows; ++r) {
            const float* from = piece.b_row(r);
            float* to = out.b.data() + walk(r) * out.rank + column;
            for (std::int64_t k = 0; k < rank; ++k)
                to[k] = factor == 1 ? from[k] : static_cast<float>(from[k] * factor);
        }
    }

    std::int64_t out_rows(const arch::Tensor& row) const {
        const auto walk =
            arch::row_walk(fused_in(form_, row), arch::extent(row.rows, config_), config_);
        return walk.unit_stride * walk.units;
    }

    Result<AdapterChange> change_of(const Gathered& from) const {
        AdapterChange out;
        out.tensor = arch::tensor_name(pattern_in(form_, *from.row), from.layer, from.expert);
        out.role = from.row->role;
        out.is_transposed = from.row->load == arch::Load::transposed;
        out.out = out_rows(*from.row);
        out.in = arch::extent(from.row->cols, config_);
        set_origin(from, out);
        if (!from.is_stack) {
            Matrix matrix = joined(from, 0);
            if (matrix.is_scaled) out.b_type = DType::f32;
            out.rank = matrix.rank;
            out.scale = matrix.scale;
            out.alpha = matrix.alpha;
            out.a = std::move(matrix.a);
            out.b = std::move(matrix.b);
            return out;
        }
        HEFT_OK(stack(from, out));
        return out;
    }

    Status stack(const Gathered& from, AdapterChange& out) const {
        out.n_stack = config_.experts.n;
        for (int expert = 0; expert < config_.experts.n; ++expert) {
            const auto any = from.pieces.lower_bound({expert, Role{}});
            const bool is_there = any != from.pieces.end() && any->first.first == expert;
            Matrix matrix = is_there ? joined(from, expert) : Matrix{};
            if (expert == 0) {
                out.rank = matrix.rank;
                out.scale = matrix.scale;
                out.alpha = matrix.alpha;
            }
            if (!is_there || matrix.rank != out.rank)
                return Error{Code::unsupported,
                             "changes some experts of a layer only, or by different ranks; a GGUF "
                             "file has the changes of all experts in one "
                                 + out.tensor};
            const double factor = matrix.scale / out.scale;
            if (factor != 1 || matrix.is_scaled) out.b_type = DType::f32;
            for (float& x : matrix.b) x = factor == 1 ? x : static_cast<float>(x * factor);
            out.a.insert(out.a.end(), matrix.a.begin(), matrix.a.end());
            out.b.insert(out.b.end(), matrix.b.begin(), matrix.b.end());
        }
        return {};
    }

    static void set_origin(const Gathered& from, AdapterChange& out) {
        std::optional<DType> a;
        std::optional<DType> b;
        const auto join = [](std::optional<DType>& into, DType type) {
            into = into && *into != type ? DType::f32 : type;
        };
        for (const auto& [key, piece] : from.pieces) {
            const LowRankPair* pair = piece.values->pair;
            join(a, holding(pair->a.view.type));
            join(b, holding(pair->b.view.type));
            if (std::find(out.made_of.begin(), out.made_of.end(), pair) == out.made_of.end())
                out.made_of.push_back(pair);
        }
        out.a_type = *a;
        out.b_type = *b;
    }

    Kind form_;
    const format::AdapterFiles& adapter_;
    const arch::Config& config_;
    std::map<std::string, Gathered> gathered_;  // by the weight's name
    std::vector<std::string> order_;
};

}  // namespace

Result<std::vector<AdapterChange>> changes_as(Kind form, const format::AdapterFiles& adapter,
                                              const arch::Config& config) {
    HEFT_OK(arch::check_architecture(adapter, config));
    Gathering gathering(form, adapter, config);
    for (const LowRankPair& pair : adapter.pairs) HEFT_OK(gathering.add(pair));
    return gathering.take();
}

void multiply_b(double factor, AdapterChange& change) {
    for (float& x : change.b) x = static_cast<float>(x * factor);
    change.b_type = DType::f32;
}

FolderWeight weight_of(std::string name, Shape shape, DType type, std::vector<float> values) {
    FolderWeight out;
    out.type = type;
    out.weight.name = std::move(name);
    out.weight.stored = type;
    out.weight.n_cols = shape.back();
    out.weight.n_rows =
        static_cast<std::int64_t>(values.size()) / std::max<std::int64_t>(1, shape.back());
    out.weight.shape = std::move(shape);
    const auto held = std::make_shared<const std::vector<float>>(std::move(values));
    out.weight.read = [held, n = out.weight.n_cols](std::int64_t first, std::int64_t count,
                                                    float* to) {
        std::copy_n(held->begin() + first * n, count * n, to);
    };
    return out;
}

std::vector<float> turned(const std::vector<float>& matrix, std::int64_t rows, std::int64_t cols) {
    std::vector<float> out(matrix.size());
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t c = 0; c < cols; ++c)
            out[static_cast<std::size_t>(c * rows + r)] =
                matrix[static_cast<std::size_t>(r * cols + c)];
    return out;
}

}  // namespace heft::convert
