#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "arch/adapter_target.h"
#include "convert/adapter.h"
#include "convert/adapter_change.h"
#include "convert/source_notes.h"
#include "format/peft_config.h"
#include "tensor/quant/quant.h"

namespace heft::convert {

namespace {

using arch::Role;
using format::Kind;
using format::PeftName;
using Json = nlohmann::ordered_json;

std::string module_of(const std::string& weight) {
    constexpr std::string_view kEnd = ".weight";
    return weight.ends_with(kEnd) ? weight.substr(0, weight.size() - kEnd.size()) : weight;
}

// What PEFT changes as a table rather than as a product.
bool is_embedding(Role role) {
    return role == Role::token_embd || role == Role::pos_embd;
}

FolderWeight matrix_of(const AdapterChange& change, std::string tensor, const PeftName& name,
                       std::optional<DType> wanted) {
    const bool is_a = name.first != name.embedding;  // the first of an embedding's is its b, turned
    const std::vector<float>& values = is_a ? change.a : change.b;
    const DType type = wanted.value_or(is_a ? change.a_type : change.b_type);
    Shape shape = is_a ? Shape{change.rank, change.in} : Shape{change.out, change.rank};
    if (!name.embedding) return weight_of(std::move(tensor), shape, type, values);
    return weight_of(std::move(tensor), {shape[1], shape[0]}, type,
                     turned(values, shape[0], shape[1]));
}

// The folder that a file of heft's was made of.
class NotedFolder {
  public:
    NotedFolder(const format::AdapterFiles& gguf, const arch::Config& config,
                const std::vector<AdapterChange>& changes)
        : notes_(gguf.gguf->metadata()), config_(config) {
        for (const AdapterChange& change : changes) changes_[change.tensor] = &change;
    }

    // Nothing where the file does not bring it, or has become another one since.
    std::optional<FolderModel> make(std::optional<DType> type) {
        const Bytes text = notes_.file(format::kAdapterConfig);
        if (text.empty()) return {};
        const auto peft = format::parse_peft_config(as_text(text));
        if (!peft) return {};
        FolderModel out;
        std::size_t n = 0;
        for (const SourceTensor& tensor : notes_.tensors()) {
            auto made = weight(tensor, *peft, type);
            if (!made) return {};
            out.tensors.weights.push_back(std::move(*made));
            ++n;
        }
        if (n != 2 * changes_.size()) return {};
        for (const std::string_view name : kAdapterFiles)
            if (const Bytes file = notes_.file(name); !file.empty())
                out.files.push_back({std::string(name), std::string(as_text(file))});
        return out;
    }

  private:
    std::optional<FolderWeight> weight(const SourceTensor& tensor, const format::PeftConfig& peft,
                                       std::optional<DType> type) {
        const auto name = format::parse_peft_name(tensor.name);
        if (!name) return {};
        const auto rows = arch::rows_named(Kind::huggingface, name->weight, {}, config_);
        if (rows.empty()) return {};
        const arch::AdapterRow& at = rows.front();
        const auto found = changes_.find(arch::tensor_name(at.row->hf, at.layer, at.expert));
        if (found == changes_.end()) return {};
        const AdapterChange& change = *found->second;
        if (!peft.may_have(change.rank) || !seen_.insert({change.tensor, name->first}).second)
            return {};
        const bool is_b = name->first == name->embedding;
        const double wanted = peft.scale_times_rank(module_of(name->weight), change.rank);
        const DType stored = type.value_or(tensor.type);
        if (!is_b || is_same_alpha(change.alpha, wanted))
            return matrix_of(change, tensor.name, *name, stored);
        AdapterChange scaled = change;
        multiply_b(change.alpha / wanted, scaled);
        FolderWeight out = matrix_of(scaled, tensor.name, *name, stored);
        if (const Bytes exact = notes_.exact(tensor.name); !exact.empty())
            return exactly(exact, tensor.type, stored, out).value_or(std::move(out));
        return out;
    }

    static std::optional<FolderWeight> exactly(Bytes bytes, DType stored, DType type,
                                               const FolderWeight& like) {
        const Codec* from = codec(stored);
        const std::int64_t n = like.weight.n_rows * like.weight.n_cols;
        if (from == nullptr || dtype_info(stored).block != 1
            || bytes.size()
                   != static_cast<std::size_t>(n)
                          * static_cast<std::size_t>(dtype_info(stored).block_bytes))
            return {};
        std::vector<float> values(static_cast<std::size_t>(n));
        from->dequantise(bytes.data(), n, values.data());
        return weight_of(like.weight.name, like.weight.shape, type, std::move(values));
    }

    SourceNotes notes_;
    const arch::Config& config_;
    std::map<std::string, const AdapterChange*> changes_;
    std::set<std::pair<std::string, bool>> seen_;
};

std::string last_of(const std::string& module) {
    return module.substr(module.rfind('.') + 1);
}

// Whether all modules that a row of the table stands for are among these.
bool has_all(const std::set<std::string>& modules, const arch::Tensor& tensor,
             const arch::Config& config) {
    const int layers = arch::per_layer(tensor) ? config.n_layer : 1;
    for (int layer = 0; layer < layers; ++layer)
        for (int expert = 0; expert < arch::copies(tensor.hf, config); ++expert)
            if (arch::in_layer(tensor, config, layer)
                && !modules.contains(module_of(arch::tensor_name(tensor.hf, layer, expert))))
                return false;
    return true;
}

// "q_proj" where the adapter changes all that end so, else each by its whole name.
Json target_modules(const std::vector<AdapterChange>& changes, const arch::Config& config) {
    std::map<std::string, std::set<std::string>> changed;
    for (const AdapterChange& change : changes) {
        const std::string module = module_of(change.tensor);
        changed[last_of(module)].insert(module);
    }
    std::set<std::string> in_part;
    for (const arch::Tensor& tensor : config.family->tensors) {
        if (tensor.hf == nullptr || tensor.cols == arch::Dim::none) continue;
        const auto found = changed.find(last_of(module_of(tensor.hf)));
        if (found != changed.end() && !has_all(found->second, tensor, config))
            in_part.insert(found->first);
    }
    Json out = Json::array();
    for (const auto& [name, modules] : changed)
        if (in_part.contains(name))
            for (const std::string& module : modules) out.push_back(module);
        else
            out.push_back(name);
    return out;
}

Json number(double x) {
    const bool is_whole = x == std::floor(x) && std::abs(x) < 1e9;
    return is_whole ? Json(static_cast<std::int64_t>(x)) : Json(x);
}

Json config_of(const std::vector<AdapterChange>& changes, const arch::Config& config,
               const std::string& base) {
    const auto rank = usual<std::int64_t>(changes, [](const auto& one) { return one.rank; });
    const auto alpha = usual<double>(changes, [](const auto& one) { return one.alpha; });
    Json ranks = Json::object();
    Json alphas = Json::object();
    bool is_transposed = false;
    for (const AdapterChange& change : changes) {
        const std::string module = module_of(change.tensor);
        if (change.rank != rank) ranks[module] = change.rank;
        if (change.alpha != alpha) alphas[module] = number(change.alpha);
        is_transposed |= change.is_transposed;
    }
    return {{"alpha_pattern", std::move(alphas)},
            {"base_model_name_or_path", base.empty() ? Json(nullptr) : Json(base)},
            {"bias", "none"},
            {"fan_in_fan_out", is_transposed},
            {"inference_mode", true},
            {"init_lora_weights", true},
            {"lora_alpha", number(alpha)},
            {"lora_dropout", 0.0},
            {"modules_to_save", nullptr},
            {"peft_type", "LORA"},
            {"r", rank},
            {"rank_pattern", std::move(ranks)},
            {"target_modules", target_modules(changes, config)},
            {"task_type", "CAUSAL_LM"},
            {"use_dora", false},
            {"use_rslora", false}};
}

// Of a file that did not bring its folder: by the family's names.
FolderModel made_folder(const std::vector<AdapterChange>& changes, const arch::Config& config,
                        const std::string& base, std::optional<DType> type) {
    FolderModel out;
    for (const AdapterChange& change : changes)
        for (const bool first : {true, false}) {
            const PeftName name{change.tensor, first, is_embedding(change.role)};
            out.tensors.weights.push_back(matrix_of(change, format::peft_name(name), name, type));
        }
    const Json config_json = config_of(changes, config, base);
    out.files.push_back({format::kAdapterConfig,
                         config_json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"});
    return out;
}

}  // namespace

Result<FolderModel> adapter_folder(const format::AdapterFiles& gguf, const AdapterBase& base,
                                   std::optional<DType> type) {
    HEFT_TRY(const std::vector<AdapterChange> changes,
             changes_as(Kind::huggingface, gguf, base.config));
    auto noted = NotedFolder(gguf, base.config, changes).make(type);
    FolderModel out =
        noted ? std::move(*noted) : made_folder(changes, base.config, gguf.base, type);
    out.weights = format::kAdapterWeights;
    out.may_be_parts = false;
    return out;
}

}  // namespace heft::convert
