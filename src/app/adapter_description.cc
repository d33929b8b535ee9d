#include "app/adapter_description.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/description.h"
#include "base/json.h"
#include "base/mapped_file.h"

namespace heft::app {

namespace {

namespace fs = std::filesystem;
using format::AdapterFiles;
using format::LowRankPair;
using Json = nlohmann::ordered_json;

// Of "model.layers.3.self_attn.q_proj.weight": q_proj, and 3.
struct Place {
    std::string module;
    std::optional<int> layer;
};

Place place_of(std::string_view tensor) {
    constexpr std::string_view kWeight = ".weight";
    if (tensor.ends_with(kWeight)) tensor.remove_suffix(kWeight.size());
    Place out;
    while (!tensor.empty()) {
        const std::size_t end = std::min(tensor.find('.'), tensor.size());
        const std::string_view part = tensor.substr(0, end);
        tensor.remove_prefix(std::min(end + 1, tensor.size()));
        int number = 0;
        const auto parsed = std::from_chars(part.data(), part.data() + part.size(), number);
        const bool is_number = parsed.ec == std::errc{} && parsed.ptr == part.data() + part.size();
        if (is_number && !out.layer) out.layer = number;
        if (!is_number) out.module = part;
    }
    return out;
}

// All changes of weights of one name.
struct Module {
    std::set<std::string_view> weights;
    std::set<std::int64_t> ranks;
    std::set<double> alphas, scales;

    void add(const LowRankPair& pair) {
        weights.insert(pair.tensor);
        ranks.insert(pair.a.rows());
        alphas.insert(pair.alpha);
        scales.insert(pair.scale);
    }
    Json json(const std::string& name) const {
        return {{"name", name},
                {"weights", weights.size()},
                {"ranks", ranks},
                {"alphas", alphas},
                {"scales", scales}};
    }
};

Json adapter_json(const AdapterFiles& adapter) {
    std::map<std::string, Module> modules;
    std::set<int> layers;
    std::set<std::string_view> weights;
    for (const LowRankPair& pair : adapter.pairs) {
        const Place place = place_of(pair.tensor);
        modules[place.module].add(pair);
        if (place.layer) layers.insert(*place.layer);
        weights.insert(pair.tensor);
    }
    Json list = Json::array();
    for (const auto& [name, module] : modules) list.push_back(module.json(name));
    return {
        {"method", "lora"},          {"base", adapter.base.empty() ? Json() : Json(adapter.base)},
        {"weights", weights.size()}, {"pairs", adapter.pairs.size()},
        {"layers", layers},          {"modules", std::move(list)}};
}

Json metadata_of(const AdapterFiles& adapter) {
    if (adapter.gguf) return metadata_json(adapter.gguf->metadata());
    const auto text = read_text(adapter.folder / format::kAdapterConfig);
    if (!text) return Json::object();
    auto tree = parse_json_tree(*text);
    return tree ? std::move(*tree) : Json::object();
}

// "rank 8", or "ranks 4 and 8".
std::string spoken(const char* what, const Json& values) {
    std::string text = values.size() == 1 ? std::string(what) : std::string(what) + "s";
    for (std::size_t i = 0; i < values.size(); ++i)
        text += fmt::format("{}{:.6g}",
                            i == 0                   ? " "
                            : i + 1 == values.size() ? " and "
                                                     : ", ",
                            values[i].get<double>());
    return text;
}

}  // namespace

Json describe_adapter(const std::string& reference, const AdapterFiles& adapter, bool tensors) {
    const bool is_gguf = adapter.kind == format::Kind::gguf;
    Json out = {{"schema", "heft.inspect/1"},
                {"kind", "adapter"},
                {"model", reference},
                {"format", is_gguf ? "gguf" : "peft"},
                {"files", Json::array()}};
    std::uintmax_t bytes = 0;
    for (const fs::path& file : format::files_of(adapter)) {
        out["files"].push_back({{"path", file.string()}});
        std::error_code error;
        const std::uintmax_t size = fs::file_size(file, error);
        if (!error) bytes += size;
    }
    std::int64_t parameters = 0;
    for (const LowRankPair& pair : adapter.pairs)
        parameters += pair.a.rows() * (pair.a.cols() + pair.b.rows());
    out["file_bytes"] = bytes;
    out["architecture"] = adapter.architecture.empty() ? Json() : Json(adapter.architecture);
    out["parameters"] = parameters;
    out["adapter"] = adapter_json(adapter);
    out["tensors"] = tensors_json(adapter.tensors, tensors);
    out["tokenizer"] = out["template"] = nullptr;
    out["missing"] = Json::array();
    out["metadata"] = metadata_of(adapter);
    return out;
}

std::string spoken_module(const Json& module) {
    const auto weights = module["weights"].get<std::size_t>();
    return fmt::format("{}: {} weight{} of {}, {}, {}", module["name"].get<std::string>(), weights,
                       weights == 1 ? "" : "s", spoken("rank", module["ranks"]),
                       spoken("alpha", module["alphas"]), spoken("scale", module["scales"]));
}

std::string spoken_layers(const Json& layers) {
    if (layers.empty()) return {};
    if (layers.size() == 1) return fmt::format("{}", layers.front().get<int>());
    return fmt::format("{}, {} to {}", layers.size(), layers.front().get<int>(),
                       layers.back().get<int>());
}

}  // namespace heft::app
