#include "format/adapter_files.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <system_error>

#include "format/names.h"
#include "format/peft_config.h"
#include "format/safetensors.h"
#include "tensor/quant/quant.h"

namespace heft::format {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxConfigBytes = 1U << 24;

constexpr std::int64_t kMostExperts = 4096;

// A tensor's name ends so; what stands before it names the weight.
struct Ending {
    std::string_view text;
    bool first;      // of the pair
    bool embedding;  // PEFT changes an embedding by a table [rank, n_vocab] and [d_model, rank]
};
constexpr Ending kPeftEndings[] = {
    {".lora_A.weight", true, false},    {".lora_A.default.weight", true, false},
    {".lora_B.weight", false, false},   {".lora_B.default.weight", false, false},
    {".lora_embedding_A", true, true},  {".lora_embedding_A.default", true, true},
    {".lora_embedding_B", false, true}, {".lora_embedding_B.default", false, true},
};
constexpr Ending kGgufEndings[] = {{".lora_a", true, false}, {".lora_b", false, false}};

constexpr std::string_view kPeftPrefix = "base_model.model.";
// GGUF keeps the first of an embedding's pair turned.
constexpr std::string_view kGgufEmbedding = "token_embd.weight";
constexpr std::string_view kType = "general.type";

struct Halves {
    const TensorView* first = nullptr;
    const TensorView* second = nullptr;
    bool embedding = false;
};

Error extra_tensor(const TensorView& view) {
    return {Code::unsupported,
            "holds " + in_quotes(view.name)
                + ", which is not part of a plain low-rank change; merge the adapter into its "
                  "model, and use that"};
}

const Ending* ending_of(std::string_view name, std::span<const Ending> endings) {
    const auto found = std::find_if(endings.begin(), endings.end(), [name](const Ending& ending) {
        return name.ends_with(ending.text);
    });
    return found == endings.end() ? nullptr : &*found;
}

// By the name of the weight, without PEFT's prefix.
Result<std::map<std::string, Halves>> pair_up(const std::vector<TensorView>& tensors,
                                              std::span<const Ending> endings,
                                              std::string_view prefix) {
    std::map<std::string, Halves> out;
    for (const TensorView& view : tensors) {
        std::string_view name = view.name;
        const Ending* found = ending_of(name, endings);
        if (found == nullptr || !name.starts_with(prefix)) return extra_tensor(view);
        name.remove_suffix(found->text.size());
        if (name.size() <= prefix.size()) return extra_tensor(view);
        name.remove_prefix(prefix.size());
        Halves& halves = out[std::string(name)];
        const TensorView*& half = found->first ? halves.first : halves.second;
        const bool other_kind = (halves.first != nullptr || halves.second != nullptr)
                                && halves.embedding != found->embedding;
        if (half != nullptr || other_kind)
            return Error{Code::corrupt, "changes " + in_quotes(name) + " twice"};
        half = &view;
        halves.embedding = found->embedding;
    }
    if (out.empty()) return Error{Code::corrupt, "holds no low-rank matrices"};
    return out;
}

Status check_pair(const LowRankPair& pair) {
    for (const StoredMatrix* matrix : {&pair.a, &pair.b})
        if (matrix->view.shape.size() != 2 || matrix->rows() < 1 || matrix->cols() < 1)
            return Error{Code::unsupported, "tensor " + matrix->view.name + " of shape "
                                                + shape_text(matrix->view.shape)
                                                + " is not a matrix of a low-rank pair"};
    if (pair.a.rows() != pair.b.cols())
        return Error{Code::corrupt, "tensors " + pair.a.view.name + " "
                                        + shape_text(pair.a.view.shape) + " and " + pair.b.view.name
                                        + " " + shape_text(pair.b.view.shape)
                                        + " are not of one rank"};
    return {};
}

Result<LowRankPair> make_pair(const std::string& name, const Halves& halves) {
    if (halves.first == nullptr || halves.second == nullptr)
        return Error{Code::corrupt, "holds one half only of the change of " + in_quotes(name)};
    LowRankPair pair;
    pair.tensor = name;
    if (halves.embedding) {
        pair.a = {*halves.second, true};
        pair.b = {*halves.first, true};
    } else if (name == kGgufEmbedding) {
        pair.a = {*halves.second, true};
        pair.b = {*halves.first, false};
    } else {
        pair.a = {*halves.first, false};
        pair.b = {*halves.second, false};
    }
    HEFT_OK(check_pair(pair));
    return pair;
}

Status read_peft_pairs(const PeftConfig& config, AdapterFiles& out) {
    HEFT_TRY(const auto halves, pair_up(out.tensors, kPeftEndings, kPeftPrefix));
    for (const auto& [module, both] : halves) {
        HEFT_TRY(LowRankPair pair, make_pair(module, both));
        const std::int64_t rank = pair.a.rows();
        if (!config.may_have(rank))
            return Error{Code::corrupt, "tensor " + pair.a.view.name + " "
                                            + shape_text(pair.a.view.shape) + " is of rank "
                                            + std::to_string(rank) + ", but " + kAdapterConfig
                                            + " says r = " + std::to_string(config.rank)};
        pair.scale = config.scale(module, rank);
        pair.alpha = config.scale_times_rank(module, rank);
        pair.tensor += ".weight";
        out.pairs.push_back(std::move(pair));
    }
    return {};
}

Result<AdapterFiles> open_peft(const fs::path& folder) {
    const fs::path config_path = folder / kAdapterConfig;
    HEFT_TRY(const std::string text, read_text(config_path, kMaxConfigBytes));
    auto config = parse_peft_config(text);
    if (!config) return within(config_path.string(), std::move(config.error()));
    std::error_code error;
    const fs::path weights = folder / kAdapterWeights;
    if (!fs::exists(weights, error))
        return Error{Code::not_found, folder.string() + ": has an " + kAdapterConfig + " but no "
                                          + kAdapterWeights + "; save the adapter as safetensors"};
    AdapterFiles out;
    HEFT_TRY(MappedFile map, MappedFile::open(weights));
    out.maps.push_back(std::move(map));
    auto tensors = parse_safetensors(out.maps.back().bytes());
    if (!tensors) return within(weights.string(), std::move(tensors.error()));
    out.tensors = std::move(tensors->tensors);
    if (auto status = read_peft_pairs(*config, out); !status)
        return within(weights.string(), std::move(status.error()));
    out.base = config->base;
    out.folder = folder;
    return out;
}

Status check_gguf_kind(const Metadata& metadata) {
    if (!is_adapter(metadata)) {
        const auto type = metadata.string(kType).value_or("model");
        return Error{Code::invalid, "is a GGUF file of type " + in_quotes(type.substr(0, 64))
                                        + ", not an adapter"};
    }
    const auto kind = metadata.string("adapter.type").value_or("");
    if (kind != "lora")
        return Error{Code::unsupported, "is an adapter of type " + in_quotes(kind.substr(0, 64))
                                            + "; only lora is read"};
    if (metadata.find("adapter.alora.invocation_tokens") != nullptr)
        return Error{Code::unsupported,
                     "applies from certain tokens on only, which heft does not "
                     "do; merge the adapter into its model, and use that"};
    return {};
}

// "https://huggingface.co/org/name" is called "org/name" by who loads it.
std::string base_of(const Metadata& metadata) {
    constexpr std::string_view kSite = "https://huggingface.co/";
    const auto url = metadata.string("general.base_model.0.repo_url").value_or("");
    if (url.starts_with(kSite)) return std::string(url.substr(kSite.size()));
    return std::string(metadata.string("general.base_model.0.name").value_or(""));
}

// Matrix `index` of a stack [n, rows, columns].
TensorView matrix_of(const TensorView& stack, std::int64_t index) {
    TensorView out = stack;
    const std::size_t bytes = stack.data.size() / static_cast<std::size_t>(stack.shape[0]);
    out.shape.erase(out.shape.begin());
    out.data = stack.data.subspan(bytes * static_cast<std::size_t>(index), bytes);
    return out;
}

// The halves of each expert's pair.
Result<std::int64_t> stacked(const std::string& tensor, const Halves& both) {
    if (both.first == nullptr || both.second == nullptr) return 0;
    const Shape& a = both.first->shape;
    const Shape& b = both.second->shape;
    if (a.size() != 3 || b.size() != 3) return 0;
    if (a[0] == b[0] && a[0] >= 1 && a[0] <= kMostExperts) return a[0];
    return Error{Code::corrupt, "changes " + in_quotes(tensor) + " by stacks " + shape_text(a)
                                    + " and " + shape_text(b) + ", which are not of one number of "
                                    + "matrices from 1 to " + std::to_string(kMostExperts)};
}

Status read_gguf_pairs(AdapterFiles& out) {
    const Metadata& metadata = out.gguf->metadata();
    HEFT_OK(check_gguf_kind(metadata));
    out.architecture = metadata.string("general.architecture").value_or("");
    out.base = base_of(metadata);
    // Without an alpha the pair counts as it is.
    const double alpha = metadata.number("adapter.lora.alpha").value_or(0);
    if (!std::isfinite(alpha)) return Error{Code::corrupt, "adapter.lora.alpha is no number"};
    const auto add = [&](LowRankPair pair) {
        const auto rank = static_cast<double>(pair.a.rows());
        pair.alpha = alpha != 0 ? alpha : rank;
        pair.scale = pair.alpha / rank;
        out.pairs.push_back(std::move(pair));
    };
    HEFT_TRY(const auto halves, pair_up(out.gguf->tensors(), kGgufEndings, ""));
    for (const auto& [tensor, both] : halves) {
        HEFT_TRY(const std::int64_t n_experts, stacked(tensor, both));
        if (n_experts == 0) {
            HEFT_TRY(LowRankPair pair, make_pair(tensor, both));
            add(std::move(pair));
        }
        for (std::int64_t i = 0; i < n_experts; ++i) {
            const TensorView a = matrix_of(*both.first, i);
            const TensorView b = matrix_of(*both.second, i);
            HEFT_TRY(LowRankPair pair, make_pair(tensor, {&a, &b, false}));
            pair.expert = static_cast<int>(i);
            add(std::move(pair));
        }
    }
    return {};
}

Result<AdapterFiles> open_gguf(const fs::path& path) {
    HEFT_TRY(Checkpoint gguf, Checkpoint::open(path));
    if (gguf.kind() != Kind::gguf)
        return Error{Code::invalid, path.string() + ": is a model, not an adapter"};
    return adapter_files(std::move(gguf));
}

}  // namespace

Result<std::vector<float>> values_of(const StoredMatrix& matrix) {
    const TensorView& view = matrix.view;
    const Codec* from = codec(view.type);
    if (from == nullptr)
        return Error{Code::unsupported, "tensor " + view.name + " is of type "
                                            + dtype_info(view.type).name
                                            + ", which heft cannot compute with"};
    const std::int64_t n = view.shape[0] * view.shape[1];
    std::vector<float> stored(static_cast<std::size_t>(n));
    from->dequantise(view.data.data(), n, stored.data());
    if (!matrix.turned) return stored;
    std::vector<float> out(stored.size());
    for (std::int64_t r = 0; r < matrix.rows(); ++r)
        for (std::int64_t c = 0; c < matrix.cols(); ++c)
            out[static_cast<std::size_t>(r * matrix.cols() + c)] =
                stored[static_cast<std::size_t>(c * matrix.rows() + r)];
    return out;
}

std::vector<fs::path> files_of(const AdapterFiles& adapter) {
    if (adapter.gguf) return adapter.gguf->files();
    return {adapter.folder / kAdapterWeights};
}

std::optional<PeftName> parse_peft_name(std::string_view tensor) {
    const Ending* ending = ending_of(tensor, kPeftEndings);
    if (ending == nullptr || !tensor.starts_with(kPeftPrefix)) return {};
    tensor.remove_suffix(ending->text.size());
    if (tensor.size() <= kPeftPrefix.size()) return {};
    tensor.remove_prefix(kPeftPrefix.size());
    return PeftName{std::string(tensor) + ".weight", ending->first, ending->embedding};
}

std::string peft_name(const PeftName& name) {
    std::string_view module = name.weight;
    module.remove_suffix(std::string_view(".weight").size());
    std::string out = std::string(kPeftPrefix) + std::string(module);
    for (const Ending& ending : kPeftEndings)
        if (ending.first == name.first && ending.embedding == name.embedding)
            return out.append(ending.text);  // the first of several
    return out;
}

bool is_adapter(const Metadata& metadata) {
    return metadata.string(kType).value_or("model") == "adapter";
}

bool is_adapter(const fs::path& path) {
    std::error_code error;
    if (fs::is_directory(path, error))
        return fs::exists(path / kAdapterConfig, error) && !fs::exists(path / "config.json", error);
    if (path.extension() == ".safetensors")
        return fs::exists(path.parent_path() / kAdapterConfig, error)
               && !fs::exists(path.parent_path() / "config.json", error);
    if (!fs::is_regular_file(path, error)) return false;
    const auto gguf = Checkpoint::open(path);
    return gguf && gguf->kind() == Kind::gguf && is_adapter(gguf->metadata());
}

Result<AdapterFiles> adapter_files(Checkpoint gguf) {
    AdapterFiles out;
    out.kind = Kind::gguf;
    out.gguf = std::move(gguf);
    out.tensors = out.gguf->tensors();
    if (auto status = read_gguf_pairs(out); !status)
        return within(out.gguf->name(), std::move(status.error()));
    return out;
}

Result<AdapterFiles> open_adapter_files(const fs::path& path) {
    std::error_code error;
    if (!fs::exists(path, error))
        return Error{Code::not_found,
                     path.string() + ": no such file or folder; an adapter is a folder with "
                         + kAdapterConfig + " and " + kAdapterWeights + ", or a GGUF file"};
    const bool is_folder = fs::is_directory(path, error);
    const fs::path folder = is_folder ? path : path.parent_path();
    const bool names_peft = is_folder || path.extension() == ".safetensors";
    if (names_peft && fs::exists(folder / kAdapterConfig, error)) return open_peft(folder);
    if (names_peft && path.extension() == ".safetensors")
        return Error{Code::not_found,
                     path.string() + ": there is no " + kAdapterConfig + " beside it"};
    return open_gguf(path);
}

}  // namespace heft::format
