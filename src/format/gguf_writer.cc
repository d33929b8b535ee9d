#include "format/gguf_writer.h"

#include <algorithm>
#include <bit>
#include <system_error>

#include "base/sha256.h"
#include "format/gguf.h"
#include "format/names.h"
#include "format/output_file.h"
#include "format/resumable_file.h"

namespace heft::format {

namespace {

constexpr std::size_t kMaxRank = 4;
constexpr std::uint32_t kDefaultAlignment = 32;
constexpr std::string_view kAlignmentKey = "general.alignment";

template <class T>
void append(std::string& to, T value) {
    to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_string(std::string& to, std::string_view text) {
    append(to, std::uint64_t{text.size()});
    to += text;
}

template <class T>
std::string encoded_number(T value) {
    return encoded({meta_type_of<T>(), MetaType::u8, 1, std::as_bytes(std::span(&value, 1))});
}

Error invalid(Error error) {
    error.code = Code::invalid;
    return error;
}

}  // namespace

std::string encoded(const MetaValue& value) {
    std::string out;
    append(out, static_cast<std::uint32_t>(value.type));
    if (value.type == MetaType::array) {
        append(out, static_cast<std::uint32_t>(value.item_type));
        append(out, value.count);
    }
    if (value.type == MetaType::string) append(out, std::uint64_t{value.data.size()});
    out += as_text(value.data);
    return out;
}

void GgufWriter::put(std::string_view key, const MetaValue& value) {
    if (key == kAlignmentKey || key.starts_with("split.")) return;
    const auto same = std::find_if(keys_.begin(), keys_.end(),
                                   [key](const Key& entry) { return entry.name == key; });
    if (same == keys_.end())
        keys_.push_back({std::string(key), encoded(value)});
    else
        same->value = encoded(value);
}

void GgufWriter::set_string(std::string_view key, std::string_view value) {
    put(key, {MetaType::string, MetaType::u8, 1, as_bytes(value)});
}

void GgufWriter::set_strings(std::string_view key, std::span<const std::string> items) {
    std::string bytes;
    for (const std::string& item : items) append_string(bytes, item);
    put(key, {MetaType::array, MetaType::string, items.size(), as_bytes(bytes)});
}

std::uint64_t GgufWriter::aligned(std::uint64_t bytes) const {
    const std::uint64_t mask = alignment_ - 1;
    return (bytes + mask) & ~mask;
}

Result<std::vector<std::uint64_t>> GgufWriter::check() const {
    if (!std::has_single_bit(alignment_))
        return Error{Code::invalid,
                     "an alignment of " + std::to_string(alignment_) + " is not a power of two"};
    std::vector<std::string_view> names;
    std::vector<std::uint64_t> sizes;
    for (const TensorSource& tensor : tensors_) {
        if (auto good = check_name("a tensor's name", tensor.name, kMaxTensorName); !good)
            return invalid(std::move(good.error()));
        names.emplace_back(tensor.name);
        const std::string who = "tensor " + in_quotes(tensor.name);
        const bool empty =
            std::find(tensor.shape.begin(), tensor.shape.end(), 0) != tensor.shape.end();
        if (tensor.shape.size() > kMaxRank || empty || dtype_info(tensor.type).gguf_id < 0)
            return Error{Code::invalid, who + " of type " + dtype_info(tensor.type).name
                                            + " and shape " + shape_text(tensor.shape)
                                            + " cannot be stored in GGUF"};
        auto bytes = tensor_bytes(tensor.type, tensor.shape);
        if (!bytes) return invalid(within(who, std::move(bytes.error())));
        sizes.push_back(*bytes);
    }
    if (auto unique = check_unique("tensor", std::move(names)); !unique)
        return invalid(std::move(unique.error()));
    return sizes;
}

std::vector<GgufWriter::Key> GgufWriter::part_keys(const Part& part) const {
    std::vector<Key> keys;
    if (part.number == 0) keys = keys_;
    if (alignment_ != kDefaultAlignment)
        keys.push_back({std::string(kAlignmentKey), encoded_number(alignment_)});
    if (part.count > 1) {
        keys.push_back({"split.no", encoded_number(static_cast<std::uint16_t>(part.number))});
        keys.push_back({"split.count", encoded_number(static_cast<std::uint16_t>(part.count))});
        keys.push_back(
            {"split.tensors.count", encoded_number(static_cast<std::int32_t>(tensors_.size()))});
        keys.push_back({std::string(kWholeKey),
                        encoded({MetaType::string, MetaType::u8, 1, as_bytes(part.whole)})});
    }
    return keys;
}

std::string GgufWriter::header(const Part& part, const std::vector<std::uint64_t>& bytes) const {
    const std::vector<Key> keys = part_keys(part);
    std::string out = "GGUF";
    append(out, std::uint32_t{3});
    append(out, std::uint64_t{part.end - part.begin});
    append(out, std::uint64_t{keys.size()});
    for (const Key& key : keys) {
        append_string(out, key.name);
        out += key.value;
    }
    std::uint64_t offset = 0;
    for (std::size_t i = part.begin; i < part.end; ++i) {
        const TensorSource& tensor = tensors_[i];
        append_string(out, tensor.name);
        append(out, static_cast<std::uint32_t>(tensor.shape.size()));
        for (auto extent = tensor.shape.rbegin(); extent != tensor.shape.rend(); ++extent)
            append(out, *extent);
        append(out, static_cast<std::uint32_t>(dtype_info(tensor.type).gguf_id));
        append(out, offset);
        offset += aligned(bytes[i]);
    }
    out.resize(aligned(out.size()), '\0');
    return out;
}

Status GgufWriter::emit(const Part& part, const std::vector<std::uint64_t>& bytes,
                        const ByteSink& out) const {
    HEFT_OK(out(as_bytes(header(part, bytes))));
    for (std::size_t i = part.begin; i < part.end; ++i) {
        HEFT_OK(produce_exactly(tensors_[i], bytes[i], out));
        HEFT_OK(pad(aligned(bytes[i]) - bytes[i], out));
    }
    return {};
}

Pieces GgufWriter::pieces_of(const Part& part, const std::vector<std::uint64_t>& bytes) const {
    Pieces pieces{header(part, bytes), {}};
    for (std::size_t i = part.begin; i < part.end; ++i)
        pieces.tensors.push_back({&tensors_[i], bytes[i], aligned(bytes[i])});
    return pieces;
}

Status GgufWriter::write_at_once(const std::filesystem::path& path, const Part& part,
                                 const std::vector<std::uint64_t>& bytes) const {
    HEFT_TRY(OutputFile file, OutputFile::create(path));
    HEFT_OK(emit(part, bytes, [&file](Bytes piece) { return file.write(piece); }));
    return file.commit();
}

Status GgufWriter::write(const std::filesystem::path& path, Writing how) const {
    HEFT_TRY(const auto bytes, check());
    const Part all{0, tensors_.size()};
    return how == Writing::resumable ? write_resumably(path, pieces_of(all, bytes))
                                     : write_at_once(path, all, bytes);
}

Finish GgufWriter::finish_of(const Saying& saying, const Part& part,
                             const std::vector<std::uint64_t>& bytes,
                             const TensorHashes& hashes) const {
    return [this, &saying, &part, &bytes, &hashes](Bytes file) -> Result<std::string> {
        HEFT_TRY(const std::string value, saying.text(file, hashes.tensors()));
        GgufWriter said = *this;
        said.set_string(saying.key, value);
        return said.header(part, bytes);
    };
}

Status GgufWriter::write_with(const std::filesystem::path& path, const Saying& saying) const {
    HEFT_TRY(const auto bytes, check());
    const Part all{0, tensors_.size()};
    TensorHashes hashes(saying.n_threads);
    return write_resumably(path, pieces_of(all, bytes), finish_of(saying, all, bytes, hashes),
                           &hashes);
}

Result<std::uint64_t> GgufWriter::tensor_bytes_in_all() const {
    HEFT_TRY(const auto bytes, check());
    std::uint64_t all = 0;
    for (const std::uint64_t one : bytes) all += aligned(one);
    return all;
}

Result<std::vector<std::byte>> GgufWriter::to_memory() const {
    HEFT_TRY(const auto bytes, check());
    std::vector<std::byte> out;
    HEFT_OK(emit({0, tensors_.size()}, bytes, [&out](Bytes piece) -> Status {
        out.insert(out.end(), piece.begin(), piece.end());
        return {};
    }));
    return out;
}

Result<std::vector<GgufWriter::Part>> GgufWriter::parts(
    const std::filesystem::path& stem, std::uint64_t max_bytes,
    const std::vector<std::uint64_t>& bytes) const {
    std::vector<Part> parts;
    std::uint64_t filled = 0;
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
        if (parts.empty() || filled + aligned(bytes[i]) > max_bytes) {
            parts.push_back({i, i, parts.size()});
            filled = 0;
        }
        parts.back().end = i + 1;
        filled += aligned(bytes[i]);
    }
    if (parts.empty()) parts.emplace_back();
    if (parts.size() > UINT16_MAX)
        return Error{Code::invalid, "more than 65535 parts would be needed"};
    HEFT_TRY(const std::string whole, sha256(as_bytes(header({0, tensors_.size()}, bytes))));
    for (Part& part : parts) {
        part.count = parts.size();
        part.whole = whole;
        part.file = gguf_part_name(stem.string(), static_cast<int>(part.number) + 1,
                                   static_cast<int>(parts.size()));
    }
    return parts;
}

Result<std::vector<std::filesystem::path>> GgufWriter::part_names(const std::filesystem::path& stem,
                                                                  std::uint64_t max_bytes) const {
    HEFT_TRY(const auto bytes, check());
    HEFT_TRY(const auto all, parts(stem, max_bytes, bytes));
    std::vector<std::filesystem::path> files;
    files.reserve(all.size());
    for (const Part& part : all) files.push_back(part.file);
    return files;
}

Result<std::vector<std::filesystem::path>> GgufWriter::write_parts(
    const std::filesystem::path& stem, std::uint64_t max_bytes) const {
    HEFT_TRY(const auto bytes, check());
    HEFT_TRY(const auto all, parts(stem, max_bytes, bytes));
    for (const Part& part : all) HEFT_OK(write_at_once(part.file, part, bytes));
    return part_names(stem, max_bytes);
}

Status GgufWriter::write_all(const std::vector<Part>& parts, const Saying& saying,
                             const std::vector<std::uint64_t>& bytes) const {
    TensorHashes hashes(saying.n_threads);
    for (const Part& part : parts)
        HEFT_OK(prepare_resumably(part.file, pieces_of(part, bytes), &hashes));
    std::error_code ignored;
    std::filesystem::remove(parts.front().file, ignored);
    for (std::size_t i = parts.size() - 1; i > 0; --i)
        HEFT_OK(write_resumably(parts[i].file, pieces_of(parts[i], bytes)));
    const Part& first = parts.front();
    return write_resumably(first.file, pieces_of(first, bytes),
                           finish_of(saying, first, bytes, hashes));
}

Result<std::vector<std::filesystem::path>> GgufWriter::write_parts_with(
    const std::filesystem::path& stem, std::uint64_t max_bytes, const Saying& saying) const {
    HEFT_TRY(const auto bytes, check());
    HEFT_TRY(const auto all, parts(stem, max_bytes, bytes));
    Status written = write_all(all, saying, bytes);
    if (!written) {
        std::error_code ignored;
        if (written.error().code != Code::cancelled)
            for (const Part& part : all)
                std::filesystem::remove(ResumableFile::unfinished(part.file), ignored);
        return std::move(written.error());
    }
    return part_names(stem, max_bytes);
}

}  // namespace heft::format
