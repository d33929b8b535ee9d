#include "format/shard_index.h"

#include <algorithm>

#include "base/json.h"
#include "base/mapped_file.h"
#include "format/names.h"

namespace heft::format {

namespace {

using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;  // tensor, shard

Status check_shard_name(std::string_view name, std::string_view extension) {
    HEFT_OK(check_name("a shard's name", name, 255));
    const bool plain = name.find_first_of("/\\") == std::string_view::npos && name[0] != '.';
    if (!plain || !name.ends_with(extension))
        return Error{Code::corrupt, "the shard " + in_quotes(name) + " is not a "
                                        + std::string(extension) + " file of the same folder"};
    return {};
}

Result<Pairs> read_weight_map(JsonElement root, std::string_view extension) {
    const auto map = json_find(root, "weight_map");
    JsonObject object;
    if (!map || map->get_object().get(object) != simdjson::SUCCESS)
        return Error{Code::corrupt, "has no weight_map"};
    Pairs pairs;
    std::vector<std::string_view> names;
    for (const auto field : object) {
        const std::string_view tensor = field.key;
        HEFT_OK(check_name("a tensor's name in weight_map", tensor, kMaxTensorName));
        std::string_view shard;
        if (field.value.get_string().get(shard) != simdjson::SUCCESS)
            return Error{Code::corrupt,
                         "weight_map gives no file name for tensor " + in_quotes(tensor) + ""};
        if (pairs.empty() || pairs.back().second != shard)
            HEFT_OK(check_shard_name(shard, extension));
        pairs.emplace_back(tensor, shard);
        names.push_back(tensor);
    }
    if (pairs.empty()) return Error{Code::corrupt, "weight_map names no tensors"};
    HEFT_OK(check_unique("tensor", std::move(names)));
    return pairs;
}

Status read(std::string_view text, std::string_view extension, WeightFiles& out) {
    HEFT_TRY(const JsonDoc json, JsonDoc::parse(text));
    HEFT_TRY(const Pairs pairs, read_weight_map(json.root(), extension));
    std::vector<std::string_view> shards;
    shards.reserve(pairs.size());
    for (const auto& pair : pairs) shards.push_back(pair.second);
    std::sort(shards.begin(), shards.end());
    shards.erase(std::unique(shards.begin(), shards.end()), shards.end());
    for (const std::string_view shard : shards) out.files.push_back(out.folder / shard);
    out.index.reserve(pairs.size());
    for (const auto& [tensor, shard] : pairs) {
        const auto place = std::lower_bound(shards.begin(), shards.end(), shard);
        out.index.emplace_back(tensor, static_cast<std::size_t>(place - shards.begin()));
    }
    std::sort(out.index.begin(), out.index.end());
    return {};
}

}  // namespace

Status read_shard_index(const std::filesystem::path& file, std::string_view extension,
                        WeightFiles& out) {
    HEFT_TRY(const std::string text, read_text(file));
    out.index_name = file.filename().string();
    if (auto status = read(text, extension, out); !status)
        return within(file.string(), std::move(status.error()));
    return {};
}

}  // namespace heft::format
