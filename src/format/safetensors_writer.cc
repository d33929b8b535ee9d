#include "format/safetensors_writer.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "format/names.h"
#include "format/output_file.h"

namespace heft::format {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kAlignment = 8;  // of the data; the header is padded with spaces

std::string dump(const Json& json, int indent = -1) {
    return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string shard_name(std::size_t shard, std::size_t shards) {
    const auto padded = [](std::size_t number) {
        const std::string digits = std::to_string(number);
        return std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0') + digits;
    };
    return "model-" + padded(shard) + "-of-" + padded(shards) + ".safetensors";
}

}  // namespace

void SafetensorsWriter::set(std::string key, std::string value) {
    for (auto& entry : metadata_)
        if (entry.first == key) {
            entry.second = std::move(value);
            return;
        }
    metadata_.emplace_back(std::move(key), std::move(value));
}

Result<std::vector<SafetensorsWriter::Item>> SafetensorsWriter::check() const {
    std::vector<std::string_view> names{"__metadata__"};
    std::vector<Item> items;
    for (const TensorSource& tensor : tensors_) {
        auto good = check_name("a tensor's name", tensor.name, kMaxTensorName);
        if (!good) return Error{Code::invalid, std::move(good.error().what)};
        names.emplace_back(tensor.name);
        const std::string who = "tensor " + in_quotes(tensor.name);
        if (dtype_info(tensor.type).safetensors_name == nullptr)
            return Error{Code::invalid, who + " of type " + dtype_info(tensor.type).name
                                            + " cannot be stored in safetensors"};
        auto bytes = tensor_bytes(tensor.type, tensor.shape);
        if (!bytes) return Error{Code::invalid, who + ": " + bytes.error().what};
        items.push_back({&tensor, *bytes});
    }
    auto unique = check_unique("tensor", std::move(names));
    if (!unique) return Error{Code::invalid, std::move(unique.error().what)};
    return items;
}

std::string SafetensorsWriter::header(std::vector<Item>& items) const {
    std::stable_sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
        return dtype_info(a.tensor->type).block_bytes > dtype_info(b.tensor->type).block_bytes;
    });
    Json json = Json::object();
    if (!metadata_.empty())
        for (const auto& [key, value] : metadata_) json["__metadata__"][key] = value;
    std::uint64_t at = 0;
    for (const Item& item : items) {
        json[item.tensor->name] = {{"dtype", dtype_info(item.tensor->type).safetensors_name},
                                   {"shape", item.tensor->shape},
                                   {"data_offsets", {at, at + item.bytes}}};
        at += item.bytes;
    }
    std::string text = dump(json);
    text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
    const std::uint64_t length = text.size();
    return std::string(as_text(std::as_bytes(std::span(&length, 1)))) + text;
}

Status SafetensorsWriter::emit(std::vector<Item> items, const ByteSink& out) const {
    HEFT_OK(out(as_bytes(header(items))));
    for (const Item& item : items) HEFT_OK(produce_exactly(*item.tensor, item.bytes, out));
    return {};
}

Status SafetensorsWriter::write_items(const std::filesystem::path& path, std::vector<Item> items,
                                      Writing how, TensorHashes* hashes) const {
    if (how == Writing::resumable) {
        Pieces pieces{header(items), {}};
        pieces.tensors.reserve(items.size());
        for (const Item& item : items)
            pieces.tensors.push_back({item.tensor, item.bytes, item.bytes});
        return write_resumably(path, pieces, {}, hashes);
    }
    HEFT_TRY(OutputFile file, OutputFile::create(path));
    HEFT_OK(emit(std::move(items), [&file](Bytes piece) { return file.write(piece); }));
    return file.commit();
}

Status SafetensorsWriter::write(const std::filesystem::path& path, Writing how,
                                TensorHashes* hashes) const {
    HEFT_TRY(auto items, check());
    return write_items(path, std::move(items), how, hashes);
}

Result<std::uint64_t> SafetensorsWriter::tensor_bytes_in_all() const {
    HEFT_TRY(const auto items, check());
    std::uint64_t all = 0;
    for (const Item& item : items) all += item.bytes;
    return all;
}

Result<std::vector<std::byte>> SafetensorsWriter::to_memory() const {
    HEFT_TRY(auto items, check());
    std::vector<std::byte> out;
    HEFT_OK(emit(std::move(items), [&out](Bytes piece) -> Status {
        out.insert(out.end(), piece.begin(), piece.end());
        return {};
    }));
    return out;
}

Status SafetensorsWriter::write_sharded(const std::filesystem::path& folder,
                                        std::uint64_t max_bytes, Writing how,
                                        TensorHashes* hashes) const {
    HEFT_TRY(const auto items, check());
    std::vector<std::vector<Item>> shards(1);
    std::uint64_t filled = 0;
    std::uint64_t total = 0;
    for (const Item& item : items) {
        if (!shards.back().empty() && filled + item.bytes > max_bytes) {
            shards.emplace_back();
            filled = 0;
        }
        shards.back().push_back(item);
        filled += item.bytes;
        total += item.bytes;
    }
    Json index = {{"metadata", {{"total_size", total}}}, {"weight_map", Json::object()}};
    for (std::size_t i = 0; i < shards.size(); ++i) {
        const std::string name = shard_name(i + 1, shards.size());
        for (const Item& item : shards[i]) index["weight_map"][item.tensor->name] = name;
        HEFT_OK(write_items(folder / name, std::move(shards[i]), how, hashes));
    }
    HEFT_TRY(OutputFile file, OutputFile::create(folder / "model.safetensors.index.json"));
    HEFT_OK(file.write(as_bytes(dump(index, 2) + "\n")));
    return file.commit();
}

}  // namespace heft::format
