#include "format/pytorch.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "format/names.h"
#include "format/pickle.h"
#include "format/zip.h"

namespace heft::format {

namespace {

constexpr std::string_view kPickle = "data.pkl";
constexpr std::size_t kTarMagic = 257;  // where "ustar" stands

// A tensor that is a window or a transposition of its storage: row after row is gathered.
class StridedRows final : public Repack {
  public:
    StridedRows(const std::byte* first, const PickledTensor& tensor)
        : first_(first),
          shape_(tensor.shape),
          strides_(tensor.strides),
          size_(static_cast<std::size_t>(dtype_info(tensor.type).block_bytes)) {}

    void rows(std::int64_t first, std::int64_t count, std::byte* to) const override {
        const auto size = static_cast<std::int64_t>(size_);
        const std::int64_t step = strides_.back() * size;
        for (std::int64_t r = first; r < first + count; ++r) {
            const std::byte* from = first_ + begin_of(r) * size;
            for (std::int64_t k = 0; k < shape_.back(); ++k, to += size_)
                std::memcpy(to, from + k * step, size_);
        }
    }

  private:
    // Where row r begins, in numbers.
    std::int64_t begin_of(std::int64_t r) const {
        std::int64_t at = 0;
        for (std::size_t d = shape_.size() - 1; d-- > 0; r /= shape_[d])
            at += r % shape_[d] * strides_[d];
        return at;
    }

    const std::byte* first_;
    Shape shape_;
    Shape strides_;
    std::size_t size_;
};

// Whether the numbers lie end to end, outermost first; strides of single rows do not matter.
bool is_contiguous(const PickledTensor& tensor) {
    std::int64_t expected = 1;
    for (std::size_t d = tensor.shape.size(); d-- > 0;) {
        if (tensor.shape[d] != 1 && tensor.strides[d] != expected) return false;
        expected *= tensor.shape[d];  // fits: the product is a tensor's size
    }
    return true;
}

// The index of the last number that the tensor reaches, from its offset on.
Result<std::int64_t> reach(const PickledTensor& tensor) {
    std::int64_t at = tensor.offset;
    for (std::size_t d = 0; d < tensor.shape.size(); ++d) {
        std::int64_t part = 0;
        if (__builtin_mul_overflow(tensor.shape[d] - 1, tensor.strides[d], &part)
            || __builtin_add_overflow(at, part, &at))
            return Error{Code::corrupt, "its strides lead beyond any memory"};
    }
    return at;
}

struct Archive {
    std::vector<ZipEntry> entries;
    std::string prefix;  // "archive/"

    const ZipEntry* find(std::string_view name) const {
        return find_entry(entries, prefix + std::string(name));
    }
};

Result<Archive> open_archive(Bytes bytes) {
    Archive out;
    HEFT_TRY(out.entries, read_zip(bytes));
    const auto is_pickle = [](const ZipEntry& entry) {
        return entry.name == kPickle || entry.name.ends_with("/" + std::string(kPickle));
    };
    const auto pickle = std::find_if(out.entries.begin(), out.entries.end(), is_pickle);
    if (pickle == out.entries.end())
        return Error{Code::unsupported, "is a zip archive without data.pkl: no PyTorch checkpoint"};
    out.prefix = pickle->name.substr(0, pickle->name.size() - kPickle.size());
    const ZipEntry* order = out.find("byteorder");
    if (order != nullptr && as_text(order->data) != "little")
        return Error{
            Code::unsupported,
            "was saved on a big-endian machine, which is not read; save it as safetensors"};
    return out;
}

// Of a tensor without numbers, no storage is looked at.
bool is_empty(const Shape& shape) {
    return std::find(shape.begin(), shape.end(), 0) != shape.end();
}

// The bytes of the storage, of which the tensor may use `numbers`.
Result<Bytes> storage_of(const Archive& archive, const PickledTensor& tensor,
                         std::int64_t& numbers) {
    const ZipEntry* entry = archive.find("data/" + std::string(tensor.storage.key));
    if (entry == nullptr)
        return Error{Code::corrupt,
                     "its storage is not in the archive; was the download complete?"};
    const auto of = static_cast<std::uint64_t>(dtype_info(tensor.type).block_bytes);
    const std::uint64_t unit =
        tensor.storage.type
            ? static_cast<std::uint64_t>(dtype_info(*tensor.storage.type).block_bytes)
            : 1;
    const auto count = static_cast<std::uint64_t>(tensor.storage.count);
    if (count > entry->data.size() / unit)
        return Error{Code::corrupt, "its storage of " + std::to_string(count) + " numbers has only "
                                        + std::to_string(entry->data.size()) + " bytes"};
    numbers = static_cast<std::int64_t>(count * unit / of);
    return entry->data;
}

Result<TensorView> view_of(const Archive& archive, const PickledTensor& tensor) {
    TensorView out;
    out.name = tensor.name;
    out.type = tensor.type;
    out.shape = tensor.shape;
    HEFT_TRY(const std::uint64_t bytes, tensor_bytes(tensor.type, tensor.shape));
    if (is_empty(tensor.shape)) return out;
    std::int64_t numbers = 0;
    HEFT_TRY(const Bytes storage, storage_of(archive, tensor, numbers));
    HEFT_TRY(const std::int64_t last, reach(tensor));
    if (last >= numbers)
        return Error{Code::corrupt, "it reaches number " + std::to_string(last)
                                        + " of its storage of " + std::to_string(numbers)};
    const auto size = static_cast<std::uint64_t>(dtype_info(tensor.type).block_bytes);
    if (bytes / size > static_cast<std::uint64_t>(numbers))
        return Error{Code::unsupported,
                     "it repeats the numbers of its storage (an expanded tensor), which is not "
                     "read; save it with .contiguous()"};
    const Bytes from = storage.subspan(static_cast<std::size_t>(tensor.offset) * size);
    if (is_contiguous(tensor))
        out.data = from.first(bytes);
    else
        out.repack = std::make_shared<StridedRows>(from.data(), tensor);
    return out;
}

Error no_archive(Bytes bytes) {
    const std::string_view text = as_text(bytes.first(std::min<std::size_t>(bytes.size(), 512)));
    const bool bare_pickle = text.size() > 1 && text[0] == '\x80' && text[1] <= 5;
    if (bare_pickle || text.substr(std::min(text.size(), kTarMagic)).starts_with("ustar"))
        return {Code::unsupported,
                "is a PyTorch file in the format before version 1.6, which is not read; load it "
                "and save it again with a newer PyTorch, or as safetensors"};
    return {Code::corrupt,
            "is not a PyTorch checkpoint (no zip archive); was the download "
            "complete?"};
}

}  // namespace

Result<std::vector<TensorView>> parse_pytorch(Bytes bytes) {
    if (!as_text(bytes).starts_with("PK")) return no_archive(bytes);
    HEFT_TRY(const Archive archive, open_archive(bytes));
    const ZipEntry* pickle = archive.find(kPickle);
    HEFT_TRY(const std::vector<PickledTensor> tensors, read_pickle(pickle->data));
    std::vector<TensorView> out;
    for (const PickledTensor& tensor : tensors) {
        HEFT_OK(check_name("the name of tensor " + std::to_string(out.size()), tensor.name,
                           kMaxTensorName));
        auto view = view_of(archive, tensor);
        if (!view) return within("tensor " + in_quotes(tensor.name), std::move(view.error()));
        out.push_back(std::move(*view));
    }
    return out;
}

}  // namespace heft::format
