#include "shape/imatrix.h"

#include <algorithm>
#include <cmath>

#include "base/mapped_file.h"
#include "format/gguf.h"
#include "format/gguf_writer.h"
#include "format/names.h"
#include "format/output_file.h"
#include "tensor/rows.h"

namespace heft::shape {

namespace {

constexpr std::string_view kSums = ".in_sum2";
constexpr std::string_view kCounts = ".counts";
constexpr std::uint64_t kMostColumns = 1U << 26;  // of all experts

bool are_sane(const std::vector<float>& values) {
    for (const float value : values)
        if (!std::isfinite(value) || value < 0) return false;
    return true;
}

Status check(const std::string& name, const Imatrix::Entry& entry) {
    if (entry.counts.empty() || entry.sums.size() % entry.counts.size() != 0)
        return Error{Code::corrupt, "the sums of " + format::in_quotes(name)
                                        + " are not so many for each of its counts"};
    if (!are_sane(entry.sums) || !are_sane(entry.counts))
        return Error{Code::corrupt,
                     "the sums of " + format::in_quotes(name) + " are not all finite and positive"};
    // Sums divided by less than one token are no numbers any more.
    if (std::any_of(entry.counts.begin(), entry.counts.end(),
                    [](float count) { return count > 0 && count < 1; }))
        return Error{Code::corrupt,
                     "the counts of " + format::in_quotes(name) + " are not of whole tokens"};
    return {};
}

Result<std::vector<float>> floats_of(const TensorView& tensor) {
    if (tensor.type != DType::f32)
        return Error{Code::corrupt, "tensor " + format::in_quotes(tensor.name) + " is not F32"};
    const auto n = static_cast<std::size_t>(rows_of(tensor) * columns_of(tensor));
    std::vector<float> out(n);
    std::memcpy(out.data(), tensor.data.data(), n * sizeof(float));
    return out;
}

Result<Imatrix> from_gguf(Bytes bytes) {
    HEFT_TRY(const format::Gguf file, format::parse_gguf(bytes));
    if (file.metadata.string("general.type") != "imatrix")
        return Error{Code::invalid, "is a GGUF file, but none of an importance matrix"};
    Imatrix out;
    for (const std::string_view name : file.metadata.strings("imatrix.datasets"))
        out.datasets.emplace_back(name);
    out.chunks = static_cast<int>(file.metadata.integer("imatrix.chunk_count").value_or(0));
    out.chunk_size = static_cast<int>(file.metadata.integer("imatrix.chunk_size").value_or(0));
    for (const TensorView& tensor : file.tensors) {
        const std::string_view name = tensor.name;
        const bool sums = name.ends_with(kSums);
        if (!sums && !name.ends_with(kCounts)) continue;
        const std::string of(name.substr(0, name.size() - (sums ? kSums : kCounts).size()));
        Imatrix::Entry& entry = out.entries[of];
        HEFT_TRY((sums ? entry.sums : entry.counts), floats_of(tensor));
    }
    for (const auto& [name, entry] : out.entries) HEFT_OK(check(name, entry));
    return out;
}

Result<std::string> take_name(ByteReader& in) {
    HEFT_TRY(const auto length, in.take<std::int32_t>());
    if (length < 0 || static_cast<std::size_t>(length) > format::kMaxTensorName)
        return Error{Code::corrupt, "a name of " + std::to_string(length) + " characters"};
    HEFT_TRY(const Bytes text, in.take_bytes(static_cast<std::uint64_t>(length)));
    return std::string(as_text(text));
}

// count; for each: name, calls, n, n floats (means times calls); then the last chunk's number and
// the name of the text.
Result<Imatrix> from_dat(Bytes bytes) {
    ByteReader in(bytes);
    HEFT_TRY(const auto count, in.take<std::int32_t>());
    if (count <= 0)
        return Error{Code::corrupt, "is not an importance matrix: it would have "
                                        + std::to_string(count) + " entries"};
    Imatrix out;
    for (std::int32_t i = 0; i < count; ++i) {
        HEFT_TRY(const std::string name, take_name(in));
        HEFT_TRY(const auto calls, in.take<std::int32_t>());
        HEFT_TRY(const auto n, in.take<std::int32_t>());
        if (calls <= 0 || n <= 0 || static_cast<std::uint64_t>(n) > kMostColumns)
            return Error{Code::corrupt,
                         "the entry " + format::in_quotes(name) + " has impossible numbers"};
        HEFT_TRY(const Bytes values, in.take_array(static_cast<std::uint64_t>(n), sizeof(float)));
        Imatrix::Entry& entry = out.entries[name];
        entry.sums.resize(static_cast<std::size_t>(n));
        std::memcpy(entry.sums.data(), values.data(), values.size());
        entry.counts = {static_cast<float>(calls)};
        HEFT_OK(check(name, entry));
    }
    if (in.left() == 0) return out;  // the oldest files end here
    HEFT_TRY(out.chunks, in.take<std::int32_t>());
    HEFT_TRY(out.datasets.emplace_back(), take_name(in));
    return out;
}

template <class T>
void append(std::string& to, T value) {
    to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_text(std::string& to, const std::string& text) {
    append(to, static_cast<std::int32_t>(text.size()));
    to += text;
}

// How many chunks a matrix was part of: what the older format counts.
std::int32_t calls_of(const Imatrix& imatrix, const Imatrix::Entry& entry) {
    const double tokens = *std::max_element(entry.counts.begin(), entry.counts.end());
    const double calls = std::ceil(tokens / std::max(imatrix.chunk_size, 1));
    return static_cast<std::int32_t>(std::clamp(calls, 1.0, 1e9));
}

std::string as_dat(const Imatrix& imatrix) {
    std::string out;
    append(out, static_cast<std::int32_t>(imatrix.entries.size()));
    for (const auto& [name, entry] : imatrix.entries) {
        const std::int32_t calls = calls_of(imatrix, entry);
        const std::size_t n_cols = entry.sums.size() / entry.counts.size();
        append_text(out, name);
        append(out, calls);
        append(out, static_cast<std::int32_t>(entry.sums.size()));
        for (std::size_t i = 0; i < entry.sums.size(); ++i) {
            const float count = entry.counts[i / n_cols];
            const float mean = count > 0 ? entry.sums[i] / count : 1;
            append(out, mean * static_cast<float>(calls));
        }
    }
    append(out, static_cast<std::int32_t>(imatrix.chunks));
    append_text(out, imatrix.datasets.empty() ? std::string() : imatrix.datasets.front());
    return out;
}

}  // namespace

std::vector<float> Imatrix::importance(std::string_view name, std::int64_t n_cols) const {
    const auto found = entries.find(name);
    if (found == entries.end()) return {};
    const Entry& entry = found->second;
    const std::size_t cols = entry.sums.size() / entry.counts.size();
    const auto wanted = static_cast<std::size_t>(n_cols);
    // Older files of mixtures have all experts under one count.
    const bool fits = cols == wanted || (entry.counts.size() == 1 && cols % wanted == 0);
    if (!fits) return {};
    std::vector<float> out(entry.sums.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
        const float count = entry.counts[i / cols];
        out[i] = count > 0 ? entry.sums[i] / count : 1;
    }
    return out;
}

Result<Imatrix> parse_imatrix(Bytes bytes) {
    return as_text(bytes).starts_with("GGUF") ? from_gguf(bytes) : from_dat(bytes);
}

Result<Imatrix> read_imatrix(const std::filesystem::path& path) {
    HEFT_TRY(const MappedFile file, MappedFile::open(path));
    auto out = parse_imatrix(file.bytes());
    if (!out) return within(path.string(), std::move(out.error()));
    return out;
}

Status write_imatrix(const Imatrix& imatrix, const std::filesystem::path& path) {
    if (path.extension() == ".dat") return format::write_file(path, as_dat(imatrix));
    format::GgufWriter writer;
    writer.set_string("general.type", "imatrix");
    writer.set_strings("imatrix.datasets", imatrix.datasets);
    writer.set("imatrix.chunk_count", static_cast<std::uint32_t>(imatrix.chunks));
    writer.set("imatrix.chunk_size", static_cast<std::uint32_t>(imatrix.chunk_size));
    const auto add = [&writer](std::string name, const std::vector<float>& values, Shape shape) {
        writer.add({std::move(name), DType::f32, std::move(shape),
                    [&values](const format::ByteSink& sink) {
                        return sink(std::as_bytes(std::span(values)));
                    }});
    };
    for (const auto& [name, entry] : imatrix.entries) {
        const auto n = static_cast<std::int64_t>(entry.counts.size());
        const auto all = static_cast<std::int64_t>(entry.sums.size());
        add(name + std::string(kSums), entry.sums, {n, all / n});
        add(name + std::string(kCounts), entry.counts, {n, 1});
    }
    return writer.write(path);
}

}  // namespace heft::shape
