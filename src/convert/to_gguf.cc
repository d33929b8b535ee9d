#include "convert/to_gguf.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

#include "arch/tensors.h"
#include "convert/gguf_keys.h"
#include "convert/part_rows.h"
#include "format/gguf_writer.h"
#include "tensor/quant/quant.h"
#include "tensor/rows.h"

namespace heft::convert {

namespace {

using arch::Role;

// Reads rows of one part of a tensor as floats, changed as GGUF wants them.
struct RowReader {
    arch::Located at;
    std::int64_t cols;
    bool is_vector = false;
    int interleaved_head = 0;  // > 0: rows of each head of this many go (0, n/2, 1, n/2 + 1, …)

    std::int64_t source_row(std::int64_t row) const {
        std::int64_t from = row;
        if (interleaved_head > 0) {
            const std::int64_t within = row % interleaved_head;
            from = row - within + within / 2 + (within % 2) * (interleaved_head / 2);
        }
        return at.source_row(from);
    }

    // Whether rows can go as they are.
    bool keeps(DType type) const {
        return type == at.view->type && at.load == arch::Load::as_is && !is_in_memory_only(type)
               && at.view->input_order == nullptr;
    }

    // Where a row stands that is stored as one.
    std::int64_t stored_row(std::int64_t expert, std::int64_t row) const {
        return expert * at.stored_rows + source_row(row);
    }
    bool is_stored_as_rows() const { return at.load != arch::Load::transposed && !is_vector; }

    void read(std::int64_t expert, std::int64_t row, float* out) const {
        if (at.load == arch::Load::transposed) return read_column(expert, row, out);
        if (is_vector) return read_number(expert, row, out);
        read_rows(*at.view, stored_row(expert, row), 1, out);
    }

    void read_number(std::int64_t expert, std::int64_t row, float* out) const {
        const std::int64_t size = dtype_info(at.view->type).block_bytes;
        const std::int64_t index = expert * at.stored_rows + source_row(row);
        codec(at.view->type)->dequantise(at.view->data.data() + index * size, 1, out);
        if (at.load == arch::Load::plus_one) *out += 1;
    }

    // Of [cols, stored_rows] single numbers.
    void read_column(std::int64_t expert, std::int64_t row, float* out) const {
        const Codec* from = codec(at.view->type);
        const std::int64_t size = dtype_info(at.view->type).block_bytes;
        const std::byte* base = at.view->data.data() + expert * cols * at.stored_rows * size;
        for (std::int64_t c = 0; c < cols; ++c)
            from->dequantise(base + (c * at.stored_rows + source_row(row)) * size, 1, out + c);
    }
};

// A GGUF tensor and what it is made of: the parts of a fused matrix, the experts of a stack.
struct Target {
    std::vector<RowReader> parts;  // in the order of their rows
    PartRows rows;
    std::vector<std::vector<arch::Located>> experts;  // [expert][part], where each has a tensor
    std::int64_t n_stack = 1;
    std::int64_t cols = 1;
    std::uint64_t stored_row_bytes = 0;  // of the stored type

    std::int64_t n_rows() const { return n_stack * rows.total(); }

    bool keeps(DType type) const {
        return std::all_of(parts.begin(), parts.end(),
                           [type](const RowReader& part) { return part.keeps(type); });
    }

    void read(std::int64_t first, std::int64_t count, float* to) const {
        for (std::int64_t r = first; r < first + count;) {
            const PartRows::Place at = rows.place(r);
            const RowReader part = part_of(at.matrix, at.part);
            std::int64_t n = 1;
            if (part.is_stored_as_rows()) {
                const Stretch stretch = stretch_from(r, first + count);
                n = stretch.count;
                read_rows(*stretch.view, stretch.row, n, to);
            } else {
                part.read(index_of(at.matrix), at.row, to);
            }
            r += n;
            to += n * cols;
        }
    }

    void copy(std::int64_t first, std::int64_t count, std::byte* to) const {
        for (std::int64_t r = first; r < first + count;) {
            const Stretch stretch = stretch_from(r, first + count);
            read_stored_rows(*stretch.view, stretch.row, stretch.count, to);
            r += stretch.count;
            to += static_cast<std::uint64_t>(stretch.count) * stored_row_bytes;
        }
    }

    std::vector<const TensorView*> views() const {
        std::vector<const TensorView*> out;
        for (const RowReader& part : parts) out.push_back(part.at.view);
        for (const auto& expert : experts)
            for (const arch::Located& part : expert) out.push_back(part.view);
        return out;
    }

  private:
    // Rows that stand one behind the other in a stored tensor, too: those are read together.
    struct Stretch {
        const TensorView* view;
        std::int64_t row;
        std::int64_t count;
    };
    Stretch stretch_from(std::int64_t first, std::int64_t end) const {
        Stretch out = one_row(first);
        for (std::int64_t r = first + 1; r < end; ++r, ++out.count) {
            const Stretch next = one_row(r);
            if (next.view != out.view || next.row != out.row + out.count) break;
        }
        return out;
    }
    Stretch one_row(std::int64_t row) const {
        const PartRows::Place at = rows.place(row);
        const RowReader part = part_of(at.matrix, at.part);
        return {part.at.view, part.stored_row(index_of(at.matrix), at.row), 1};
    }

    RowReader part_of(std::int64_t expert, std::size_t part) const {
        RowReader reader = parts[part];
        if (!experts.empty()) reader.at = experts[static_cast<std::size_t>(expert)][part];
        return reader;
    }
    // Of an expert within its stored tensor.
    std::int64_t index_of(std::int64_t expert) const { return experts.empty() ? expert : 0; }
};

Weight floats(const std::string& name, std::vector<float> values) {
    Weight out;
    out.name = name;
    out.n_cols = static_cast<std::int64_t>(values.size());
    out.n_rows = 1;
    out.shape = {out.n_cols};
    out.matrix = false;
    out.read = [values = std::move(values)](std::int64_t, std::int64_t count, float* to) {
        if (count > 0) std::copy(values.begin(), values.end(), to);
    };
    return out;
}

// Collects what a GGUF tensor is made of, beginning with the first row of the table that names it.
class TargetBuilder {
  public:
    TargetBuilder(const format::Checkpoint& checkpoint, const arch::Config& config,
                  const Overlay& overlay, const arch::Tensor& first, int layer)
        : checkpoint_(checkpoint),
          config_(config),
          overlay_(overlay),
          first_(first),
          layer_(layer) {}

    // Nothing where the checkpoint does not have it.
    Result<std::optional<Weight>> build(const std::string& name) {
        HEFT_TRY(const bool found, collect());
        if (!found) return std::optional<Weight>();
        const TensorView& view = *target_.parts.front().at.view;
        if (codec(view.type) == nullptr)
            return Error{Code::unsupported, "tensor " + view.name + " is of type "
                                                + dtype_info(view.type).name
                                                + ", which cannot be converted"};
        Weight out;
        out.name = name;
        out.shape = shape();
        out.stored = view.type;
        out.matrix = first_.cols != arch::Dim::none;
        out.n_rows = target_.n_rows();
        out.n_cols = target_.cols;
        const auto target = std::make_shared<const Target>(std::move(target_));
        out.read = [target](std::int64_t first, std::int64_t count, float* to) {
            target->read(first, count, to);
        };
        // GGUF has vectors as F32, whatever they were.
        if (out.matrix && target->keeps(view.type))
            out.copy = [target](std::int64_t first, std::int64_t count, std::byte* to) {
                target->copy(first, count, to);
            };
        for (const TensorView* part : target->views()) {
            prepare_for(*part, out);
            if (part->repack == nullptr && !checkpoint_.files().empty())
                out.mapped.push_back(part->data);
        }
        return std::optional(std::move(out));
    }

  private:
    Result<bool> collect() {
        for (const arch::Tensor& part : parts()) {
            HEFT_TRY(arch::Located at, arch::locate(checkpoint_, config_, part, layer_));
            if (at.view == nullptr) return false;
            at.view = &overlay_.of(*at.view);
            RowReader reader{at, at.cols, part.cols == arch::Dim::none};
            if (config_.family->gguf_interleaves_qk && config_.rope.pairs == arch::Pairs::half
                && is_interleaved(part.role))
                reader.interleaved_head = config_.d_head;
            target_.parts.push_back(reader);
            target_.rows.rows.push_back(at.rows);
            target_.cols = reader.cols;
            const auto bytes = row_bytes(at.view->type, static_cast<std::uint64_t>(at.cols));
            target_.stored_row_bytes = bytes ? *bytes : 0;
        }
        target_.rows.units = first_.gguf_fused.parts[0] == arch::Dim::none
                                 ? 1
                                 : arch::extent(first_.gguf_fused.units, config_);
        if (!first_.per_expert) return true;
        target_.n_stack = config_.experts.n;
        if (arch::copies(first_.hf, config_) == 1) return true;
        for (int expert = 0; expert < config_.experts.n; ++expert) {
            auto& located = target_.experts.emplace_back();
            for (const arch::Tensor& part : parts()) {
                HEFT_TRY(located.emplace_back(),
                         arch::locate(checkpoint_, config_, part, layer_, expert));
                if (located.back().view == nullptr) return false;
                located.back().view = &overlay_.of(*located.back().view);
            }
        }
        return true;
    }

    // The rows of the table that make up the tensor, in order.
    std::vector<arch::Tensor> parts() const {
        if (first_.gguf_fused.parts[0] == arch::Dim::none) return {first_};
        std::vector<arch::Tensor> out;
        for (const arch::Tensor& tensor : config_.family->tensors)
            if (tensor.hf != nullptr && tensor.gguf != nullptr
                && std::string_view(tensor.gguf) == first_.gguf
                && std::string_view(tensor.hf) == first_.hf)
                out.push_back(tensor);
        return out;
    }

    Shape shape() const {
        Shape out;
        if (first_.per_expert) out.push_back(config_.experts.n);
        out.push_back(target_.rows.total());
        if (first_.cols != arch::Dim::none) out.push_back(target_.cols);
        return out;
    }

    const format::Checkpoint& checkpoint_;
    const arch::Config& config_;
    const Overlay& overlay_;
    const arch::Tensor& first_;
    int layer_;
    Target target_;
};

// What config.json says in numbers and GGUF in tensors.
std::vector<float> rope_values(Role role, const arch::Rope& rope, std::int64_t n_ctx) {
    if (role == Role::rope_long) return rope.long_factors;
    if (role == Role::rope_short) return rope.short_factors;
    if (role != Role::rope_divisors || rope.scaling != arch::Scaling::llama3) return {};
    arch::Rope plain = rope;
    plain.scaling = arch::Scaling::none;
    const auto before = arch::rope_table(plain, n_ctx, false).frequency;
    const auto after = arch::rope_table(rope, n_ctx, false).frequency;
    std::vector<float> divisors;
    for (std::size_t i = 0; i < before.size(); ++i)
        divisors.push_back(static_cast<float>(before[i] / after[i]));
    return divisors;
}

DType type_for(const Weight& weight, const GgufOptions& options) {
    if (!weight.matrix) return DType::f32;
    const DType stored =
        dtype_info(weight.stored).gguf_id < 0 ? DType::f16 : weight.stored;  // not a GGUF type
    const DType wanted = options.matrices.value_or(stored);
    return weight.n_cols % dtype_info(wanted).block == 0 ? wanted : DType::f16;
}

// Row by row: no more memory than one takes.
Status produce_rows(const Weight& weight, DType type, const format::ByteSink& sink) {
    HEFT_TRY(const std::uint64_t bytes, row_bytes(type, static_cast<std::uint64_t>(weight.n_cols)));
    std::vector<float> values(static_cast<std::size_t>(weight.n_cols));
    std::vector<std::byte> row(bytes);
    for (std::int64_t r = 0; r < weight.n_rows; ++r) {
        if (weight.copy && type == weight.stored) {
            weight.copy(r, 1, row.data());
        } else {
            weight.read(r, 1, values.data());
            codec(type)->quantise(values.data(), weight.n_cols, row.data());
        }
        HEFT_OK(sink(row));
    }
    return {};
}

}  // namespace

Status set_model(format::GgufWriter& writer, const arch::Config& config,
                 const text::Tokenizer* tokenizer, const GgufOptions& options) {
    HEFT_OK(set_config(writer, config));
    if (!options.name.empty()) writer.set_string("general.name", options.name);
    if (tokenizer != nullptr) HEFT_OK(set_tokenizer(writer, *tokenizer, config.n_vocab));
    if (!options.chat_template.empty())
        writer.set_string("tokenizer.chat_template", options.chat_template);
    for (const auto& [key, value] : options.sampling) writer.set("general.sampling." + key, value);
    for (const auto& [key, value] : options.texts) writer.set_string(key, value);
    return {};
}

Result<std::vector<Weight>> gguf_weights(const format::Checkpoint& checkpoint,
                                         const arch::Config& config, const Overlay& overlay) {
    std::vector<Weight> out;
    std::unordered_set<std::string> written;
    for (const arch::Tensor& tensor : config.family->tensors) {
        if (tensor.gguf == nullptr) continue;
        if (tensor.hf == nullptr) {
            auto values = rope_values(tensor.role, config.rope, config.n_ctx);
            if (!values.empty()) out.push_back(floats(tensor.gguf, std::move(values)));
            continue;
        }
        const int layers = arch::per_layer(tensor) ? config.n_layer : 1;
        for (int layer = 0; layer < layers; ++layer) {
            const std::string name = arch::tensor_name(tensor.gguf, layer);
            if (written.contains(name)) continue;
            HEFT_TRY(auto weight,
                     TargetBuilder(checkpoint, config, overlay, tensor, layer).build(name));
            if (!weight) continue;
            out.push_back(std::move(*weight));
            written.insert(name);
        }
    }
    return out;
}

Status to_gguf(const format::Checkpoint& checkpoint, const arch::Config& config,
               const text::Tokenizer* tokenizer, const GgufOptions& options,
               const std::filesystem::path& path) {
    if (checkpoint.kind() == format::Kind::gguf)
        return Error{Code::invalid, checkpoint.name() + ": is a GGUF file already"};
    format::GgufWriter writer;
    HEFT_OK(set_model(writer, config, tokenizer, options));
    HEFT_TRY(std::vector<Weight> weights, gguf_weights(checkpoint, config));
    for (Weight& weight : weights) {
        format::TensorSource source;
        source.name = weight.name;
        source.type = type_for(weight, options);
        source.shape = weight.shape;
        if (codec(source.type) == nullptr || codec(source.type)->quantise == nullptr)
            return Error{Code::unsupported,
                         std::string("heft cannot write type ") + dtype_info(source.type).name};
        source.produce = [weight = std::move(weight),
                          type = source.type](const format::ByteSink& sink) {
            return produce_rows(weight, type, sink);
        };
        writer.add(std::move(source));
    }
    return writer.write(path);
}

}  // namespace heft::convert
