#include "model/adapter_files.h"

#include <array>
#include <map>
#include <system_error>

#include "format/names.h"
#include "format/safetensors.h"
#include "model/peft_config.h"

namespace heft::model {

namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = "adapter_config.json";
constexpr const char* kWeights = "adapter_model.safetensors";
constexpr std::size_t kMaxConfigBytes = 1U << 24;

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

struct Halves {
    const TensorView* first = nullptr;
    const TensorView* second = nullptr;
    bool embedding = false;
};

Error extra_tensor(const TensorView& view) {
    return {Code::unsupported,
            "holds " + format::in_quotes(view.name)
                + ", which is not part of a plain low-rank change; merge the adapter into its "
                  "model, and use that"};
}

// By the name of the weight, without PEFT's prefix.
Result<std::map<std::string, Halves>> pair_up(const std::vector<TensorView>& tensors,
                                              std::span<const Ending> endings,
                                              std::string_view prefix) {
    std::map<std::string, Halves> out;
    for (const TensorView& view : tensors) {
        std::string_view name = view.name;
        const Ending* found = nullptr;
        for (const Ending& ending : endings)
            if (name.ends_with(ending.text)) found = &ending;
        if (found == nullptr || !name.starts_with(prefix)) return extra_tensor(view);
        name.remove_suffix(found->text.size());
        if (name.size() <= prefix.size()) return extra_tensor(view);
        name.remove_prefix(prefix.size());
        Halves& halves = out[std::string(name)];
        const TensorView*& half = found->first ? halves.first : halves.second;
        const bool other_kind = (halves.first != nullptr || halves.second != nullptr)
                                && halves.embedding != found->embedding;
        if (half != nullptr || other_kind)
            return Error{Code::corrupt, "changes " + format::in_quotes(name) + " twice"};
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
        return Error{Code::corrupt,
                     "holds one half only of the change of " + format::in_quotes(name)};
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

Status read_peft_pairs(const std::vector<TensorView>& tensors, const PeftConfig& config,
                       AdapterFiles& out) {
    HEFT_TRY(const auto halves, pair_up(tensors, kPeftEndings, kPeftPrefix));
    for (const auto& [module, both] : halves) {
        HEFT_TRY(LowRankPair pair, make_pair(module, both));
        const std::int64_t rank = pair.a.rows();
        if (rank != config.rank && !config.has_rank_pattern)
            return Error{Code::corrupt, "tensor " + pair.a.view.name + " "
                                            + shape_text(pair.a.view.shape) + " is of rank "
                                            + std::to_string(rank) + ", but " + kConfig
                                            + " says r = " + std::to_string(config.rank)};
        pair.scale = config.scale(module, rank);
        pair.tensor += ".weight";
        out.pairs.push_back(std::move(pair));
    }
    return {};
}

Result<AdapterFiles> open_peft(const fs::path& folder) {
    const fs::path config_path = folder / kConfig;
    HEFT_TRY(const std::string text, read_text(config_path, kMaxConfigBytes));
    auto config = parse_peft_config(text);
    if (!config) return within(config_path.string(), std::move(config.error()));
    std::error_code error;
    const fs::path weights = folder / kWeights;
    if (!fs::exists(weights, error))
        return Error{Code::not_found, folder.string() + ": has an " + kConfig + " but no "
                                          + kWeights + "; save the adapter as safetensors"};
    AdapterFiles out;
    HEFT_TRY(MappedFile map, MappedFile::open(weights));
    out.maps.push_back(std::move(map));
    auto tensors = format::parse_safetensors(out.maps.back().bytes());
    if (!tensors) return within(weights.string(), std::move(tensors.error()));
    if (auto status = read_peft_pairs(tensors->tensors, *config, out); !status)
        return within(weights.string(), std::move(status.error()));
    out.base = config->base;
    return out;
}

Status check_gguf_kind(const format::Metadata& metadata) {
    const auto type = metadata.string("general.type").value_or("model");
    if (type != "adapter")
        return Error{
            Code::invalid,
            "is a GGUF file of type " + format::in_quotes(type.substr(0, 64)) + ", not an adapter"};
    const auto kind = metadata.string("adapter.type").value_or("");
    if (kind != "lora")
        return Error{Code::unsupported, "is an adapter of type "
                                            + format::in_quotes(kind.substr(0, 64))
                                            + "; only lora is read"};
    if (metadata.find("adapter.alora.invocation_tokens") != nullptr)
        return Error{Code::unsupported,
                     "applies from certain tokens on only, which heft does not "
                     "do; merge the adapter into its model, and use that"};
    return {};
}

Status read_gguf_pairs(AdapterFiles& out) {
    const format::Metadata& metadata = out.gguf->metadata();
    HEFT_OK(check_gguf_kind(metadata));
    out.architecture = metadata.string("general.architecture").value_or("");
    out.base = metadata.string("general.base_model.0.name").value_or("");
    // Without an alpha the pair counts as it is.
    const double alpha = metadata.number("adapter.lora.alpha").value_or(0);
    HEFT_TRY(const auto halves, pair_up(out.gguf->tensors(), kGgufEndings, ""));
    for (const auto& [tensor, both] : halves) {
        HEFT_TRY(LowRankPair pair, make_pair(tensor, both));
        if (alpha != 0) pair.scale = alpha / static_cast<double>(pair.a.rows());
        out.pairs.push_back(std::move(pair));
    }
    return {};
}

Result<AdapterFiles> open_gguf(const fs::path& path) {
    HEFT_TRY(format::Checkpoint gguf, format::Checkpoint::open(path));
    if (gguf.kind() != format::Kind::gguf)
        return Error{Code::invalid, path.string() + ": is a model, not an adapter"};
    AdapterFiles out;
    out.kind = format::Kind::gguf;
    out.gguf = std::move(gguf);
    if (auto status = read_gguf_pairs(out); !status)
        return within(path.string(), std::move(status.error()));
    return out;
}

}  // namespace

Result<AdapterFiles> open_adapter_files(const fs::path& path) {
    std::error_code error;
    if (!fs::exists(path, error))
        return Error{Code::not_found, path.string()
                                          + ": no such file or folder; an adapter is a folder with "
                                          + kConfig + " and " + kWeights + ", or a GGUF file"};
    const bool is_folder = fs::is_directory(path, error);
    const fs::path folder = is_folder ? path : path.parent_path();
    const bool names_peft = is_folder || path.extension() == ".safetensors";
    if (names_peft && fs::exists(folder / kConfig, error)) return open_peft(folder);
    if (names_peft && path.extension() == ".safetensors")
        return Error{Code::not_found, path.string() + ": there is no " + kConfig + " beside it"};
    return open_gguf(path);
}

}  // namespace heft::model
