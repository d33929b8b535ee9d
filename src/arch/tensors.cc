#include "arch/tensors.h"

#include <algorithm>
#include <unordered_set>

namespace heft::arch {

namespace {

// Buffers of the original implementations, saved along with the weights.
constexpr std::string_view kBuffers[] = {"rotary_emb.inv_freq",    ".attn.bias",
                                         ".attn.masked_bias",      ".attention.bias",
                                         ".attention.masked_bias", "rope_freqs.weight"};

// What turns pictures and sounds into embeddings, and guesses further tokens: not part of the text
// model.
constexpr std::string_view kEncoders[] = {
    "vision_tower.",          "vision_model.",
    "multi_modal_projector.", "visual.",
    "model.vision_tower.",    "model.vision_model.",
    "model.visual.",          "audio_tower.",
    "model.audio_tower.",     "model.multi_modal_projector.",
    "patch_merger.",          "vision_encoder.",
    "model.mtp_layers.",      "mm_projector.",
};

// Files saved from the bare decoder lack the first of these; text models inside larger ones have
// more in front.
const TensorView* find(const format::Checkpoint& checkpoint, const std::string& name) {
    if (const TensorView* view = checkpoint.find(name)) return view;
    if (checkpoint.kind() == format::Kind::gguf) return nullptr;
    for (const std::string_view prefix : {"model.", "transformer.", "gpt_neox."}) {
        if (!name.starts_with(prefix)) continue;
        const std::string bare = name.substr(prefix.size());
        if (const TensorView* view = checkpoint.find(bare)) return view;
        if (const TensorView* view = checkpoint.find("model.language_model." + bare)) return view;
    }
    return checkpoint.find("language_model." + name);
}

bool in_gguf(const format::Checkpoint& checkpoint) {
    return checkpoint.kind() == format::Kind::gguf;
}

const char* pattern_in(const format::Checkpoint& checkpoint, const Tensor& tensor) {
    return in_gguf(checkpoint) ? tensor.gguf : tensor.hf;
}

bool names_experts(std::string_view pattern) {
    const auto layer = pattern.find("{}");
    return layer != std::string_view::npos
           && pattern.find("{}", layer + 2) != std::string_view::npos;
}

Status check_shape(const TensorView& view, const Shape& wanted) {
    Shape stored = view.shape;
    // GGUF tools store vectors as one row now and then.
    while (stored.size() > wanted.size() && stored.front() == 1) stored.erase(stored.begin());
    if (stored == wanted) return {};
    return Error{Code::corrupt, "tensor " + view.name + " has shape " + shape_text(view.shape)
                                    + ", but the configuration asks for " + shape_text(wanted)};
}

bool needs_no_loading(std::string_view name) {
    return std::any_of(std::begin(kBuffers), std::end(kBuffers),
                       [&](std::string_view suffix) { return name.ends_with(suffix); })
           || std::any_of(std::begin(kEncoders), std::end(kEncoders),
                          [&](std::string_view prefix) { return name.starts_with(prefix); });
}

// Layers behind the last one guess tokens further ahead (multi-token prediction); decoding can do
// without.
bool predicts_further(std::string_view name, const Config& config) {
    for (int i = 0; i < config.n_predict_layer; ++i)
        if (name.find(".layers." + std::to_string(config.n_layer + i) + ".")
            != std::string_view::npos)
            return true;
    return false;
}

// Whether another row of the table fills the role from this checkpoint.
bool stands_elsewhere(const format::Checkpoint& checkpoint, const Config& config,
                      const Tensor& wanted, int layer) {
    for (const Tensor& other : config.family->tensors) {
        if (&other == &wanted || other.role != wanted.role) continue;
        const char* pattern = pattern_in(checkpoint, other);
        if (pattern != nullptr && find(checkpoint, tensor_name(pattern, layer)) != nullptr)
            return true;
    }
    return false;
}

}  // namespace

bool has_role(const Family& family, Role role) {
    return std::any_of(family.tensors.begin(), family.tensors.end(),
                       [role](const Tensor& tensor) { return tensor.role == role; });
}

std::int64_t extent(Dim dim, const Config& c) {
    const auto times = [](std::int64_t a, std::int64_t b) { return a * b; };
    switch (dim) {
        case Dim::none:
        case Dim::one: return 1;
        case Dim::vocab: return c.n_vocab;
        case Dim::ctx: return c.n_ctx;
        case Dim::model: return c.d_model;
        case Dim::q: return times(c.n_head, c.d_head);
        case Dim::kv: return times(c.n_kv, c.d_head);
        case Dim::value: return times(c.n_head, c.d_value);
        case Dim::kv_value: return times(c.n_kv, c.d_value);
        case Dim::head: return c.d_head;
        case Dim::heads: return c.n_head;
        case Dim::kv_heads: return c.n_kv;
        case Dim::ff: return c.d_ff;
        case Dim::rope_pairs: return c.rope.pairs_count();
        case Dim::experts: return c.experts.n;
        case Dim::expert_ff: return c.experts.d_ff;
        case Dim::shared_ff: return c.experts.d_shared;
        case Dim::latent_q: return c.latent.q_rank;
        case Dim::latent_kv: return c.latent.kv_rank;
        case Dim::latent_kv_a: return c.latent.kv_rank + c.latent.d_rope;
        case Dim::latent_nope: return times(c.n_head, c.d_head - c.latent.d_rope);
        case Dim::latent_head: return c.d_head - c.latent.d_rope;
        case Dim::latent_turned: return times(c.n_head, c.latent.kv_rank);
    }
    return 0;
}

bool per_layer(const Tensor& tensor) {
    const std::string_view name = tensor.hf != nullptr ? tensor.hf : tensor.gguf;
    return name.find("{}") != std::string_view::npos;
}

bool in_layer(const Tensor& tensor, const Config& config, int layer) {
    switch (tensor.on) {
        case On::every: return true;
        case On::dense: return !config.is_sparse(layer);
        case On::sparse: return config.is_sparse(layer);
    }
    return true;
}

std::string tensor_name(const char* pattern, int layer, int expert) {
    std::string name = pattern;
    for (const int number : {layer, expert})
        if (const auto at = name.find("{}"); at != std::string::npos)
            name.replace(at, 2, std::to_string(number));
    return name;
}

int copies(const char* pattern, const Config& config) {
    return names_experts(pattern) ? config.experts.n : 1;
}

RowWalk row_walk(const Fused& fused, std::int64_t rows, const Config& config) {
    RowWalk walk{0, std::max<std::int64_t>(rows, 1), rows, 1};
    if (fused.parts[0] == Dim::none) return walk;
    const std::int64_t units = std::max<std::int64_t>(extent(fused.units, config), 1);
    std::int64_t before = 0;
    std::int64_t total = 0;
    for (std::size_t part = 0; part < fused.parts.size(); ++part) {
        if (static_cast<int>(part) == fused.part) before = total;
        if (fused.parts[part] != Dim::none) total += extent(fused.parts[part], config);
    }
    walk.first = before / units;
    walk.unit_rows = std::max<std::int64_t>(rows / units, 1);
    walk.unit_stride = total / units;
    walk.units = units;
    return walk;
}

Result<Located> locate(const format::Checkpoint& checkpoint, const Config& config,
                       const Tensor& tensor, int layer, int expert) {
    const char* pattern = pattern_in(checkpoint, tensor);
    if (pattern == nullptr || !in_layer(tensor, config, layer)) return Located{};
    if (tensor.role == Role::output && config.tied) return Located{};
    const std::string name = tensor_name(pattern, layer, expert);
    Located at;
    at.view = find(checkpoint, name);
    if (at.view == nullptr) {
        if (tensor.optional || stands_elsewhere(checkpoint, config, tensor, layer)) return at;
        return Error{Code::corrupt, "tensor " + name + " is missing"};
    }
    const Fused& fused = in_gguf(checkpoint) ? tensor.gguf_fused : tensor.fused;
    at.rows = extent(tensor.rows, config);
    at.cols = extent(tensor.cols, config);
    at.load = in_gguf(checkpoint) ? Load::as_is : tensor.load;
    at.walk = row_walk(fused, at.rows, config);
    at.stored_rows = at.walk.unit_stride * at.walk.units;
    Shape wanted = {at.stored_rows};
    if (tensor.cols != Dim::none) wanted.push_back(at.cols);
    if (at.load == Load::transposed && wanted.size() == 2) std::swap(wanted[0], wanted[1]);
    if (tensor.split != Dim::none) {
        wanted.insert(wanted.begin(), extent(tensor.split, config));
        wanted[1] /= wanted[0];
    }
    if (tensor.per_expert && !names_experts(pattern)) {
        wanted.insert(wanted.begin(), config.experts.n);
        at.expert = expert;
    }
    HEFT_OK(check_shape(*at.view, wanted));
    return at;
}

std::vector<std::string> unplaced(const format::Checkpoint& checkpoint, const Config& config) {
    std::unordered_set<const TensorView*> placed;
    for (const Tensor& tensor : config.family->tensors) {
        const char* pattern = pattern_in(checkpoint, tensor);
        if (pattern == nullptr) continue;
        // No more layers than tensors: the numbers are the file's to claim.
        const int layers =
            per_layer(tensor) ? static_cast<int>(std::min<std::size_t>(
                static_cast<std::size_t>(config.n_layer), checkpoint.tensors().size()))
                              : 1;
        const int count = copies(pattern, config);
        for (int layer = 0; layer < layers; ++layer) {
            if (!in_layer(tensor, config, layer)) continue;
            for (int i = 0; i < count; ++i) {
                const TensorView* view = find(checkpoint, tensor_name(pattern, layer, i));
                if (view == nullptr) break;
                placed.insert(view);
            }
        }
    }
    std::vector<std::string> left;
    for (const TensorView& view : checkpoint.tensors())
        if (!placed.contains(&view) && !needs_no_loading(view.name)
            && !predicts_further(view.name, config))
            left.push_back(view.name);
    return left;
}

}  // namespace heft::arch
