#include "arch/tensors.h"

#include <unordered_set>

namespace heft::arch {

namespace {

// Buffers of the original implementations, saved along with the weights.
constexpr std::string_view kBuffers[] = {"rotary_emb.inv_freq", ".attn.bias", ".attn.masked_bias",
                                         "rope_freqs.weight"};

const TensorView* find(const format::Checkpoint& checkpoint, const std::string& name) {
    if (const TensorView* view = checkpoint.find(name)) return view;
    // Files saved from the bare decoder, without its language-model head, lack the first part.
    constexpr std::string_view kPrefix = "model.";
    if (name.starts_with(kPrefix)) return checkpoint.find(name.substr(kPrefix.size()));
    return nullptr;
}

const char* pattern_in(const format::Checkpoint& checkpoint, const Tensor& tensor) {
    return checkpoint.kind() == format::Kind::gguf ? tensor.gguf : tensor.hf;
}

Status check_shape(const TensorView& view, const Shape& wanted) {
    Shape stored = view.shape;
    // GGUF tools store vectors as one row now and then.
    while (stored.size() > wanted.size() && stored.front() == 1) stored.erase(stored.begin());
    if (stored == wanted) return {};
    return Error{Code::corrupt, "tensor " + view.name + " has shape " + shape_text(view.shape)
                                    + ", but the configuration asks for " + shape_text(wanted)};
}

bool is_buffer(std::string_view name) {
    for (const std::string_view suffix : kBuffers)
        if (name.ends_with(suffix)) return true;
    return false;
}

}  // namespace

std::int64_t extent(Dim dim, const Config& c) {
    switch (dim) {
        case Dim::none: return 1;
        case Dim::vocab: return c.n_vocab;
        case Dim::model: return c.d_model;
        case Dim::q: return std::int64_t{c.n_head} * c.d_head;
        case Dim::kv: return std::int64_t{c.n_kv} * c.d_head;
        case Dim::head: return c.d_head;
        case Dim::ff: return c.d_ff;
        case Dim::rope_pairs: return c.rope.pairs_count();
    }
    return 0;
}

bool per_layer(const Tensor& tensor) {
    const std::string_view name = tensor.hf != nullptr ? tensor.hf : tensor.gguf;
    return name.find("{}") != std::string_view::npos;
}

std::string tensor_name(const char* pattern, int layer) {
    std::string name = pattern;
    if (const auto at = name.find("{}"); at != std::string::npos)
        name.replace(at, 2, std::to_string(layer));
    return name;
}

Result<Located> locate(const format::Checkpoint& checkpoint, const Config& config,
                       const Tensor& tensor, int layer) {
    const char* pattern = pattern_in(checkpoint, tensor);
    if (pattern == nullptr) return Located{};
    if (tensor.role == Role::output && config.tied) return Located{};
    const std::string name = tensor_name(pattern, layer);
    Located at;
    at.view = find(checkpoint, name);
    if (at.view == nullptr) {
        if (tensor.optional) return at;
        return Error{Code::corrupt, "tensor " + name + " is missing"};
    }
    at.rows = extent(tensor.rows, config);
    at.cols = extent(tensor.cols, config);
    at.load = checkpoint.kind() == format::Kind::gguf ? Load::as_is : tensor.load;
    std::int64_t stored = at.rows;
    if (tensor.fused[0] != Dim::none) {
        stored = 0;
        for (std::size_t part = 0; part < tensor.fused.size(); ++part) {
            const Dim dim = tensor.fused[part];
            if (static_cast<int>(part) == tensor.part) at.first_row = stored;
            if (dim != Dim::none) stored += extent(dim, config);
        }
    }
    Shape wanted = {stored};
    if (tensor.cols != Dim::none) wanted.push_back(at.cols);
    HEFT_OK(check_shape(*at.view, wanted));
    return at;
}

std::vector<std::string> unplaced(const format::Checkpoint& checkpoint, const Config& config) {
    std::unordered_set<const TensorView*> placed;
    for (const Tensor& tensor : config.family->tensors) {
        const char* pattern = pattern_in(checkpoint, tensor);
        if (pattern == nullptr) continue;
        const int layers = per_layer(tensor) ? config.n_layer : 1;
        for (int layer = 0; layer < layers; ++layer)
            if (const TensorView* view = find(checkpoint, tensor_name(pattern, layer)))
                placed.insert(view);
    }
    std::vector<std::string> left;
    for (const TensorView& view : checkpoint.tensors())
        if (!placed.contains(&view) && !is_buffer(view.name)) left.push_back(view.name);
    return left;
}

}  // namespace heft::arch
