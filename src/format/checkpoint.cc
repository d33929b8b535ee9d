#include "format/checkpoint.h"

#include <algorithm>
#include <numeric>
#include <system_error>

#include "format/gguf.h"
#include "format/names.h"
#include "format/packed/packed.h"
#include "format/pytorch.h"
#include "format/safetensors.h"

namespace heft::format {

namespace {

void append(std::vector<TensorView>& to, std::vector<TensorView>&& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

// What a part says of the split that it belongs to must agree with the files' names.
Status check_split(const Metadata& metadata, std::size_t part, std::size_t parts) {
    const auto count = metadata.integer("split.count");
    const auto number = metadata.integer("split.no");
    if (!count && parts == 1) return {};
    if (!count || !number)
        return Error{Code::corrupt, "is named as one of " + std::to_string(parts)
                                        + " parts, but has no split.no and split.count"};
    const bool whole = parts == 1 && *count <= 1;
    if (whole) return {};
    if (parts == 1)
        return Error{Code::invalid, "is part " + std::to_string(*number + 1) + " of "
                                        + std::to_string(*count) + "; the parts must be named like "
                                        + gguf_part_name("model", 1, 3)};
    if (*count != static_cast<std::int64_t>(parts) || *number != static_cast<std::int64_t>(part))
        return Error{Code::corrupt, "says that it is part " + std::to_string(*number + 1) + " of "
                                        + std::to_string(*count) + ", and its name part "
                                        + std::to_string(part + 1) + " of "
                                        + std::to_string(parts)};
    return {};
}

// Parts that name their whole must name the same.
Status check_whole(const Metadata& first, const Metadata& part) {
    const auto wanted = first.string(kWholeKey), said = part.string(kWholeKey);
    if (!wanted || !said || *wanted == *said) return {};
    return Error{Code::corrupt,
                 "is a part of another model than the first part; the writing of one "
                 "of them was stopped: make it again"};
}

// Every tensor of the index must be in the shard that the index names.
Status check_index(const WeightFiles& weights, const std::vector<std::vector<std::string>>& names) {
    for (const auto& [tensor, shard] : weights.index)
        if (!std::binary_search(names[shard].begin(), names[shard].end(), tensor))
            return Error{Code::corrupt, weights.files[shard].string() + ": lacks tensor "
                                            + in_quotes(tensor) + ", which " + weights.index_name
                                            + " places in it"};
    return {};
}

Result<std::vector<TensorView>> read_shard(const std::filesystem::path& file, Bytes bytes) {
    if (file.extension() != ".safetensors") return parse_pytorch(bytes);
    HEFT_TRY(Safetensors shard, parse_safetensors(bytes));
    return std::move(shard.tensors);
}

std::vector<std::string> sorted_names(const std::vector<TensorView>& tensors) {
    std::vector<std::string> names;
    names.reserve(tensors.size());
    for (const TensorView& tensor : tensors) names.push_back(tensor.name);
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

Result<Checkpoint> Checkpoint::open(const std::filesystem::path& path) {
    HEFT_TRY(const WeightFiles weights, find_weights(path));
    auto opened = weights.kind == Kind::gguf ? open_gguf(weights) : open_huggingface(weights);
    if (!opened) return std::move(opened.error());
    opened->kind_ = weights.kind;
    opened->name_ = path.string();
    opened->folder_ = weights.folder;
    opened->files_ = weights.files;
    if (auto status = opened->index_names(); !status)
        return within(opened->name_, std::move(status.error()));
    return opened;
}

Result<Checkpoint> Checkpoint::from_gguf(Bytes bytes, std::string name) {
    auto gguf = parse_gguf(bytes);
    if (!gguf) return within(name, std::move(gguf.error()));
    Checkpoint out;
    out.name_ = std::move(name);
    out.file_bytes_ = bytes.size();
    out.metadata_ = std::move(gguf->metadata);
    out.tensors_ = std::move(gguf->tensors);
    HEFT_OK(out.index_names());
    return out;
}

Result<Checkpoint> Checkpoint::assembled(Bytes gguf, std::vector<TensorView> tensors,
                                         std::string name) {
    HEFT_TRY(Checkpoint out, from_gguf(gguf, std::move(name)));
    out.tensors_ = std::move(tensors);
    out.file_bytes_ = 0;
    for (const TensorView& tensor : out.tensors_) out.file_bytes_ += tensor.data.size();
    HEFT_OK(out.index_names());
    return out;
}

Result<Checkpoint> Checkpoint::assembled(Texts files, std::vector<TensorView> tensors,
                                         std::string name) {
    Checkpoint out;
    out.kind_ = Kind::huggingface;
    out.folder_ = name;
    out.name_ = std::move(name);
    const auto config = files.find("config.json");
    if (config == files.end())
        return Error{Code::not_found, out.name_ + ": there is no config.json"};
    HEFT_OK(out.set_config(config->second, out.name_ + "/config.json"));
    out.texts_ = std::move(files);
    out.tensors_ = std::move(tensors);
    HEFT_OK(out.index_names());
    return out;
}

Result<Bytes> Checkpoint::map(const std::filesystem::path& file) {
    HEFT_TRY(MappedFile mapped, MappedFile::open(file));
    maps_.push_back(std::move(mapped));
    const Bytes bytes = maps_.back().bytes();
    file_bytes_ += bytes.size();
    return bytes;
}

Result<Checkpoint> Checkpoint::open_gguf(const WeightFiles& weights) {
    Checkpoint out;
    const std::size_t parts = weights.files.size();
    for (std::size_t part = 0; part < parts; ++part) {
        const std::filesystem::path& file = weights.files[part];
        HEFT_TRY(const Bytes bytes, out.map(file));
        auto gguf = parse_gguf(bytes);
        if (!gguf) return within(file.string(), std::move(gguf.error()));
        if (auto status = check_split(gguf->metadata, part, parts); !status)
            return within(file.string(), std::move(status.error()));
        if (part == 0)
            out.metadata_ = std::move(gguf->metadata);
        else if (auto status = check_whole(out.metadata_, gguf->metadata); !status)
            return within(file.string(), std::move(status.error()));
        append(out.tensors_, std::move(gguf->tensors));
    }
    const auto total = out.metadata_.integer("split.tensors.count");
    if (parts > 1 && total && *total != static_cast<std::int64_t>(out.tensors_.size()))
        return Error{Code::corrupt, weights.files[0].string() + ": announces "
                                        + std::to_string(*total)
                                        + " tensors in all parts, which hold "
                                        + std::to_string(out.tensors_.size())};
    return out;
}

Result<Checkpoint> Checkpoint::open_huggingface(const WeightFiles& weights) {
    Checkpoint out;
    const std::filesystem::path config = weights.folder / "config.json";
    HEFT_TRY(const std::string text, read_text(config));
    HEFT_OK(out.set_config(text, config.string()));
    std::vector<std::vector<std::string>> names;
    for (const std::filesystem::path& file : weights.files) {
        HEFT_TRY(const Bytes bytes, out.map(file));
        auto shard = read_shard(file, bytes);
        if (!shard) return within(file.string(), std::move(shard.error()));
        if (!weights.index.empty()) names.push_back(sorted_names(*shard));
        append(out.tensors_, std::move(*shard));
    }
    HEFT_OK(check_index(weights, names));
    HEFT_OK(out.unpack_tensors(weights.folder));
    return out;
}

Status Checkpoint::set_config(const std::string& text, const std::string& from) {
    auto json = JsonDoc::parse(text);
    if (!json) return within(from, std::move(json.error()));
    if (!json->root().is_object()) return Error{Code::corrupt, from + ": is not a JSON object"};
    config_ = std::move(*json);
    return {};
}

// GPTQ and AWQ used to keep their settings in files of their own.
Status Checkpoint::unpack_tensors(const std::filesystem::path& folder) {
    std::optional<JsonDoc> apart;
    for (const char* name : {"quantize_config.json", "quant_config.json"}) {
        std::error_code error;
        const std::filesystem::path file = folder / name;
        if (apart || declares_packing(config_->root())
            || !std::filesystem::is_regular_file(file, error))
            continue;
        HEFT_TRY(const std::string text, read_text(file));
        auto json = JsonDoc::parse(text);
        if (!json) return within(file.string(), std::move(json.error()));
        apart = std::move(*json);
    }
    const auto settings = apart ? std::optional(apart->root()) : std::nullopt;
    auto unpacked = unpack(config_->root(), settings, std::move(tensors_));
    if (!unpacked) return within(folder.string(), std::move(unpacked.error()));
    tensors_ = std::move(*unpacked);
    return {};
}

Status Checkpoint::index_names() {
    std::vector<std::string_view> names;
    names.reserve(tensors_.size());
    for (const TensorView& tensor : tensors_) names.emplace_back(tensor.name);
    HEFT_OK(check_unique("tensor", std::move(names)));
    by_name_.resize(tensors_.size());
    std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
    std::sort(by_name_.begin(), by_name_.end(),
              [this](std::size_t a, std::size_t b) { return tensors_[a].name < tensors_[b].name; });
    return {};
}

const TensorView* Checkpoint::find(std::string_view tensor) const {
    const auto before = [this](std::size_t i, std::string_view name) {
        return tensors_[i].name < name;
    };
    const auto place = std::lower_bound(by_name_.begin(), by_name_.end(), tensor, before);
    if (place == by_name_.end() || tensors_[*place].name != tensor) return nullptr;
    return &tensors_[*place];
}

std::optional<JsonElement> Checkpoint::config() const {
    if (!config_) return {};
    return config_->root();
}

Result<MappedFile> Checkpoint::side_file(std::string_view name) const {
    const bool plain = name.find('/') == std::string_view::npos && !name.empty();
    if (kind_ != Kind::huggingface || !plain)
        return Error{Code::not_found, name_ + ": has no file " + in_quotes(name) + " beside it"};
    const std::filesystem::path file = folder_ / name;
    std::error_code error;
    const auto text = texts_ ? texts_->find(name) : Texts::const_iterator();
    const bool is_there =
        texts_ ? text != texts_->end() : std::filesystem::is_regular_file(file, error);
    if (!is_there) return Error{Code::not_found, file.string() + ": no such file"};
    return texts_ ? MappedFile::copy_of(as_bytes(text->second)) : MappedFile::open(file);
}

}  // namespace heft::format
