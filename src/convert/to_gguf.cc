#include "convert/to_gguf.h"

#include <unordered_set>

#include "arch/tensors.h"
#include "convert/gguf_keys.h"
#include "format/gguf_writer.h"
#include "tensor/quant/quant.h"

namespace heft::convert {

namespace {

using arch::Role;

bool is_interleaved(Role role) {
    return role == Role::attn_q || role == Role::attn_k || role == Role::attn_q_bias
           || role == Role::attn_k_bias;
}

// Reads rows of a stored tensor as floats, changed as GGUF wants them.
struct RowReader {
    const TensorView* view;
    const Codec* codec;
    std::int64_t cols;
    std::int64_t stride;
    arch::Load load;
    int interleaved_head = 0;  // > 0: rows of each head of this many go (0, n/2, 1, n/2 + 1, …)

    std::int64_t source_row(std::int64_t row) const {
        if (interleaved_head == 0) return row;
        const std::int64_t within = row % interleaved_head;
        return row - within + within / 2 + (within % 2) * (interleaved_head / 2);
    }

    Bytes raw(std::int64_t row) const {
        return view->data.subspan(static_cast<std::size_t>(source_row(row) * stride),
                                  static_cast<std::size_t>(stride));
    }

    void read(std::int64_t row, float* out) const {
        codec->dequantise(raw(row).data(), cols, out);
        if (load == arch::Load::plus_one)
            for (std::int64_t i = 0; i < cols; ++i) out[i] += 1;
    }
};

Result<RowReader> reader_of(const arch::Located& at, const arch::Tensor& tensor,
                            const arch::Config& config) {
    RowReader reader{};
    reader.view = at.view;
    reader.codec = codec(at.view->type);
    if (reader.codec == nullptr)
        return Error{Code::unsupported, "tensor " + at.view->name + " is of type "
                                            + dtype_info(at.view->type).name
                                            + ", which cannot be converted"};
    reader.cols = tensor.cols == arch::Dim::none ? 1 : at.cols;
    HEFT_TRY(const std::uint64_t stride,
             row_bytes(at.view->type, static_cast<std::uint64_t>(reader.cols)));
    reader.stride = static_cast<std::int64_t>(stride);
    reader.load = at.load;
    if (config.family->gguf_interleaves_qk && config.rope.pairs == arch::Pairs::half
        && is_interleaved(tensor.role))
        reader.interleaved_head = config.d_head;
    return reader;
}

DType target_type(const arch::Located& at, const arch::Tensor& tensor, const GgufOptions& options) {
    if (tensor.cols == arch::Dim::none) return DType::f32;
    const DType wanted = options.matrices.value_or(at.view->type);
    return at.cols % dtype_info(wanted).block == 0 ? wanted : DType::f16;
}

Status produce(const RowReader& reader, std::int64_t rows, DType type,
               const format::ByteSink& sink) {
    const bool same = type == reader.view->type && reader.load == arch::Load::as_is;
    std::vector<float> values(static_cast<std::size_t>(reader.cols));
    HEFT_TRY(const std::uint64_t bytes, row_bytes(type, static_cast<std::uint64_t>(reader.cols)));
    std::vector<std::byte> row(bytes);
    for (std::int64_t r = 0; r < rows; ++r) {
        if (same) {
            HEFT_OK(sink(reader.raw(r)));
            continue;
        }
        reader.read(r, values.data());
        codec(type)->quantise(values.data(), reader.cols, row.data());
        HEFT_OK(sink(row));
    }
    return {};
}

Status add_tensor(format::GgufWriter& writer, const arch::Located& at, const arch::Tensor& tensor,
                  const std::string& name, const arch::Config& config, const GgufOptions& options) {
    HEFT_TRY(const RowReader reader, reader_of(at, tensor, config));
    const DType type = target_type(at, tensor, options);
    if (codec(type) == nullptr || codec(type)->quantise == nullptr)
        return Error{Code::unsupported,
                     std::string("heft cannot write type ") + dtype_info(type).name};
    format::TensorSource source;
    source.name = name;
    source.type = type;
    source.shape = at.view->shape;  // fused matrices stay whole
    const std::int64_t rows = source.shape.front();
    source.produce = [reader, rows, type](const format::ByteSink& sink) {
        return produce(reader, rows, type, sink);
    };
    writer.add(std::move(source));
    return {};
}

void add_floats(format::GgufWriter& writer, const std::string& name, std::vector<float> values) {
    if (values.empty()) return;
    format::TensorSource source;
    source.name = name;
    source.shape = {static_cast<std::int64_t>(values.size())};
    source.produce = [values = std::move(values)](const format::ByteSink& sink) {
        return sink(std::as_bytes(std::span(values)));
    };
    writer.add(std::move(source));
}

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

}  // namespace

Status to_gguf(const format::Checkpoint& checkpoint, const arch::Config& config,
               const text::Tokenizer* tokenizer, const GgufOptions& options,
               const std::filesystem::path& path) {
    if (checkpoint.kind() == format::Kind::gguf)
        return Error{Code::invalid, checkpoint.name() + ": is a GGUF file already"};
    format::GgufWriter writer;
    HEFT_OK(set_config(writer, config));
    if (!options.name.empty()) writer.set_string("general.name", options.name);
    if (tokenizer != nullptr) set_tokenizer(writer, *tokenizer);
    if (!options.chat_template.empty())
        writer.set_string("tokenizer.chat_template", options.chat_template);
    for (const auto& [key, value] : options.sampling) writer.set("general.sampling." + key, value);

    std::unordered_set<std::string> written;  // fused matrices have several rows in the table
    for (const arch::Tensor& tensor : config.family->tensors) {
        if (tensor.gguf == nullptr) continue;
        if (tensor.hf == nullptr) {
            add_floats(writer, tensor.gguf, rope_values(tensor.role, config.rope, config.n_ctx));
            continue;
        }
        const int layers = arch::per_layer(tensor) ? config.n_layer : 1;
        for (int layer = 0; layer < layers; ++layer) {
            HEFT_TRY(const arch::Located at, arch::locate(checkpoint, config, tensor, layer));
            const std::string name = arch::tensor_name(tensor.gguf, layer);
            if (at.view == nullptr || !written.insert(name).second) continue;
            HEFT_OK(add_tensor(writer, at, tensor, name, config, options));
        }
    }
    return writer.write(path);
}

}  // namespace heft::convert
