#include "convert/source_notes.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

#include "arch/tensors.h"
#include "base/mapped_file.h"
#include "tensor/quant/quant.h"
#include "tensor/rows.h"

namespace heft::convert {

namespace {

constexpr std::string_view kTensors = "heft.source.tensors";
constexpr std::size_t kMostFileBytes = std::size_t{1} << 24;
constexpr std::string_view kTypes = "heft.source.types";

std::string file_key(std::string_view name) {
    return "heft.source.file." + std::string(name);
}

std::string exact_key(std::string_view tensor) {
    return "heft.source.exact." + std::string(tensor);
}

Bytes bytes_at(const format::Metadata& metadata, const std::string& key) {
    const format::MetaValue* value = metadata.find(key);
    const bool is_bytes = value != nullptr && value->type == format::MetaType::array
                          && value->item_type == format::MetaType::u8;
    return is_bytes ? value->data : Bytes{};
}

void set_bytes(format::GgufWriter& writer, const std::string& key, Bytes bytes) {
    writer.set_array<std::uint8_t>(
        key, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

// Whether GGUF's sum of one and a small number tells the number again.
bool comes_back(const TensorView& view) {
    const Codec* type = codec(view.type);
    if (type == nullptr || type->quantise == nullptr || view.repack != nullptr) return true;
    const auto size = static_cast<std::size_t>(dtype_info(view.type).block_bytes);
    std::byte again[sizeof(double)];
    for (std::size_t at = 0; at + size <= view.data.size(); at += size) {
        float value = 0;
        type->dequantise(view.data.data() + at, 1, &value);
        value += 1;
        value -= 1;
        type->quantise(&value, 1, again);
        if (!std::equal(again, again + size, view.data.data() + at)) return false;
    }
    return true;
}

Status note_exactly(format::GgufWriter& writer, const format::Checkpoint& checkpoint,
                    const arch::Config& config) {
    for (const arch::Tensor& tensor : config.family->tensors) {
        if (tensor.hf == nullptr || tensor.load != arch::Load::plus_one) continue;
        const int layers = arch::per_layer(tensor) ? config.n_layer : 1;
        for (int layer = 0; layer < layers; ++layer) {
            HEFT_TRY(const arch::Located at, arch::locate(checkpoint, config, tensor, layer));
            if (at.view != nullptr && !comes_back(*at.view)) note_exact(writer, *at.view);
        }
    }
    return {};
}

void note_tensors(format::GgufWriter& writer, const std::vector<TensorView>& tensors) {
    std::vector<std::string> names;
    std::vector<std::string> types;
    for (const TensorView& view : tensors) {
        names.push_back(view.name);
        types.emplace_back(dtype_info(view.type).name);
    }
    writer.set_strings(kTensors, names);
    writer.set_strings(kTypes, types);
}

std::optional<DType> type_named(std::string_view name) {
    for (const DTypeInfo& info : dtypes())
        if (name == info.name) return info.type;
    return {};
}

}  // namespace

std::vector<SourceTensor> SourceNotes::tensors() const {
    const auto names = metadata_->strings(kTensors);
    const auto types = metadata_->strings(kTypes);
    if (names.size() != types.size()) return {};
    std::vector<SourceTensor> out;
    out.reserve(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto type = type_named(types[i]);
        if (!type) return {};
        out.push_back({std::string(names[i]), *type});
    }
    return out;
}

Bytes SourceNotes::file(std::string_view name) const {
    return bytes_at(*metadata_, file_key(name));
}

Bytes SourceNotes::exact(std::string_view tensor) const {
    return bytes_at(*metadata_, exact_key(tensor));
}

Status note_source(format::GgufWriter& writer, const format::Checkpoint& checkpoint,
                   const arch::Config& config) {
    note_tensors(writer, checkpoint.tensors());
    const auto note_file = [&](std::string_view name) -> Status {
        const auto file = checkpoint.side_file(name);
        if (file) set_bytes(writer, file_key(name), file->bytes());
        if (file || file.error().code == Code::not_found) return {};
        return file.error();
    };
    HEFT_OK(note_file(kConfigFile));
    for (const std::string_view name : kTokenizerFiles) HEFT_OK(note_file(name));
    for (const std::string_view name : kOtherFiles) HEFT_OK(note_file(name));
    return note_exactly(writer, checkpoint, config);
}

Status note_adapter(format::GgufWriter& writer, const format::AdapterFiles& adapter,
                    std::string_view base) {
    note_tensors(writer, adapter.tensors);
    for (const std::string_view name : kAdapterFiles) {
        std::error_code error;
        if (!std::filesystem::is_regular_file(adapter.folder / name, error)) continue;
        HEFT_TRY(const std::string text, read_text(adapter.folder / name, kMostFileBytes));
        set_bytes(writer, file_key(name), as_bytes(text));
    }
    if (!base.empty()) set_bytes(writer, file_key(kConfigFile), as_bytes(base));
    return {};
}

void note_exact(format::GgufWriter& writer, const TensorView& view) {
    set_bytes(writer, exact_key(view.name), view.data);
}

}  // namespace heft::convert
