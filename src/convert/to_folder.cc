#include "convert/to_folder.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "arch/tensors.h"
#include "convert/hf_tensor.h"
#include "convert/source_notes.h"
#include "tensor/quant/quant.h"

namespace heft::convert {

namespace {

using arch::Role;

bool is_same(const char* a, const char* b) {
    return a != nullptr && b != nullptr && std::string_view(a) == b;
}

bool is_plain(DType type) {
    return type == DType::f32 || type == DType::f16 || type == DType::bf16 || type == DType::f64;
}

// A tensor that the table of the family has in Hugging Face folders.
struct Candidate {
    const arch::Tensor* first;  // of the rows of the table that make it up
    int layer = 0;
    int expert = 0;
    std::string name;
};

// What the same tensor is called by folders of bare decoders and of larger models: the names under
// which arch::locate() finds it.
std::vector<std::string> spellings(const std::string& name) {
    std::vector<std::string> out = {name, "language_model." + name};
    for (const std::string_view prefix : {"model.", "transformer.", "gpt_neox."}) {
        if (!name.starts_with(prefix)) continue;
        out.push_back(name.substr(prefix.size()));
        out.push_back("model.language_model." + name.substr(prefix.size()));
    }
    return out;
}

class FolderBuilder {
  public:
    FolderBuilder(const format::Checkpoint& gguf, const arch::Config& config,
                  std::optional<DType> matrices, const Overlay& overlay)
        : gguf_(gguf),
          config_(config),
          overlay_(overlay),
          matrices_(matrices),
          notes_(gguf.metadata()) {
        collect();
    }

    Result<FolderTensors> build() {
        const std::vector<SourceTensor> noted = notes_.tensors();
        FolderTensors out;
        if (noted.empty()) {
            HEFT_OK(add_all(out));
        } else {
            HEFT_OK(add_noted(noted, out));
        }
        return out;
    }

  private:
    void collect() {
        std::set<std::string_view> seen;
        for (const arch::Tensor& tensor : config_.family->tensors) {
            if (tensor.hf == nullptr || !seen.insert(tensor.hf).second) continue;
            const int layers = arch::per_layer(tensor) ? config_.n_layer : 1;
            const int experts = arch::copies(tensor.hf, config_);
            for (int layer = 0; layer < layers; ++layer)
                for (int expert = 0; expert < experts; ++expert)
                    if (arch::in_layer(tensor, config_, layer))
                        candidates_.push_back(
                            {&tensor, layer, expert, arch::tensor_name(tensor.hf, layer, expert)});
        }
    }

    // A file of heft's: what its folder had.
    Status add_noted(const std::vector<SourceTensor>& noted, FolderTensors& out) {
        std::unordered_map<std::string, const Candidate*> by_name;
        for (const Candidate& candidate : candidates_)
            for (std::string& name : spellings(candidate.name))
                by_name.emplace(std::move(name), &candidate);
        for (const SourceTensor& source : noted) {
            const auto found = by_name.find(source.name);
            std::optional<HfTensor> tensor;
            if (found != by_name.end()) {
                HEFT_TRY(tensor, make(*found->second));
            }
            if (!tensor) {
                out.missing.push_back(source.name);
                continue;
            }
            out.was_packed |= !is_plain(source.type) && source.type != DType::mxfp4;
            HEFT_OK(add(weight_of(std::move(*tensor), source.name), source.type, out));
        }
        return {};
    }

    // Another's file: what the family has, as far as the file has it.
    Status add_all(FolderTensors& out) {
        std::set<std::tuple<Role, int, int>> filled;
        std::map<std::string, const char*> used;  // GGUF's tensors, and what they became
        for (const Candidate& candidate : candidates_) {
            if (has_plainer(*candidate.first)) continue;
            if (filled.contains({candidate.first->role, candidate.layer, candidate.expert}))
                continue;
            if (candidate.first->role == Role::output && config_.tied) continue;
            HEFT_TRY(std::optional<HfTensor> tensor, make(candidate));
            if (!tensor) {
                HEFT_OK(check_optional(candidate));
                continue;
            }
            const std::string& from = tensor->parts.front().at.view->name;
            const auto [use, is_new] = used.emplace(from, candidate.first->hf);
            if (!is_new && may_not_share(*candidate.first, use->second)) continue;
            for (const arch::Tensor& part : parts(*candidate.first))
                filled.insert({part.role, candidate.layer, candidate.expert});
            HEFT_OK(add(weight_of(std::move(*tensor), candidate.name), {}, out));
        }
        return {};
    }

    // Files that keep weights in parts have a row of their own, ahead of that of plain ones.
    bool has_plainer(const arch::Tensor& tensor) const {
        return std::any_of(config_.family->tensors.begin(), config_.family->tensors.end(),
                           [&tensor](const arch::Tensor& other) {
                               return &other > &tensor && other.role == tensor.role
                                      && other.hf != nullptr && is_same(other.gguf, tensor.gguf)
                                      && !is_same(other.hf, tensor.hf);
                           });
    }

    // Only parts of one fused matrix become several tensors.
    static bool may_not_share(const arch::Tensor& tensor, const char* before) {
        return tensor.gguf_fused.parts[0] == arch::Dim::none && !tensor.per_expert
               && !is_same(tensor.hf, before);
    }

    Status check_optional(const Candidate& candidate) const {
        const bool elsewhere =
            std::any_of(config_.family->tensors.begin(), config_.family->tensors.end(),
                        [&candidate](const arch::Tensor& other) {
                            return &other != candidate.first && other.hf != nullptr
                                   && other.role == candidate.first->role;
                        });
        if (elsewhere || is_optional(*candidate.first)) return {};
        return Error{Code::unsupported,
                     "the file has nothing that " + candidate.name + " could be made of"};
    }

    // Optional in GGUF files because some keep it in another form is not optional here.
    static bool is_optional(const arch::Tensor& tensor) {
        return tensor.optional && tensor.role != Role::latent_k_b;
    }

    std::vector<arch::Tensor> parts(const arch::Tensor& first) const {
        std::vector<arch::Tensor> out;
        for (const arch::Tensor& tensor : config_.family->tensors)
            if (is_same(tensor.hf, first.hf)) out.push_back(tensor);
        return out;
    }

    // Where the file has a part: by its own row of the table, or by another of the same role, or
    // of the role that is the same turned.
    Result<HfPart> locate(const arch::Tensor& part, const Candidate& candidate) const {
        HEFT_TRY(const arch::Located own,
                 arch::locate(gguf_, config_, part, candidate.layer, candidate.expert));
        HfPart out{own};
        if (own.view != nullptr) return out;
        for (const arch::Tensor& other : config_.family->tensors) {
            const bool is_turned =
                part.role == Role::latent_k_b && other.role == Role::latent_k_b_turned;
            if ((other.role != part.role && !is_turned) || other.hf != nullptr) continue;
            HEFT_TRY(out.at, arch::locate(gguf_, config_, other, candidate.layer));
            if (out.at.view == nullptr) continue;
            if (!is_turned) return out;
            out.turned_head = static_cast<int>(out.at.cols);
            out.at.rows = arch::extent(part.rows, config_);
            out.at.cols = arch::extent(part.cols, config_);
            return out;
        }
        return HfPart{};
    }

    // Nothing where the file does not have it.
    Result<std::optional<HfTensor>> make(const Candidate& candidate) const {
        const arch::Tensor* first = candidate.first;
        // Some folders store the output matrix although it is the embedding.
        if (first->role == Role::output && config_.tied)
            first = &*std::find_if(
                config_.family->tensors.begin(), config_.family->tensors.end(),
                [](const arch::Tensor& tensor) { return tensor.role == Role::token_embd; });
        HfTensor out;
        for (const arch::Tensor& part : parts(*first)) {
            HEFT_TRY(HfPart made, locate(part, candidate));
            const arch::Located& at = made.at;
            if (at.view == nullptr) return std::optional<HfTensor>();
            if (codec(at.view->type) == nullptr)
                return Error{Code::unsupported, "tensor " + at.view->name + " is of type "
                                                    + dtype_info(at.view->type).name
                                                    + ", which cannot be read"};
            if (config_.family->gguf_interleaves_qk
                && config_.family->block.pairs == arch::Pairs::half && is_interleaved(part.role))
                made.interleaved_head = config_.d_head;
            made.at.view = &overlay_.of(*at.view);
            out.rows.rows.push_back(at.rows);
            out.cols = at.cols;
            out.parts.push_back(made);
        }
        out.load = first->load;
        out.is_vector = first->cols == arch::Dim::none;
        if (first->fused.parts[0] != arch::Dim::none)
            out.rows.units = arch::extent(first->fused.units, config_);
        out.is_stacked = first->per_expert && arch::copies(first->hf, config_) == 1;
        if (out.is_stacked) out.n_stack = config_.experts.n;
        if (first->per_expert) out.first_expert = out.is_stacked ? 0 : candidate.expert;
        return std::optional(std::move(out));
    }

    Status add(Weight weight, std::optional<DType> noted, FolderTensors& out) const {
        FolderWeight made;
        const Bytes exact = notes_.exact(weight.name);
        made.type = weight.matrix ? matrix_type(weight, noted) : noted.value_or(DType::f32);
        if (!is_plain(made.type) && made.type != DType::mxfp4) made.type = DType::f32;
        if (!exact.empty() && noted == made.type) use_exactly(exact, made.type, weight);
        made.weight = std::move(weight);
        out.weights.push_back(std::move(made));
        return {};
    }

    DType matrix_type(const Weight& weight, std::optional<DType> noted) const {
        if (noted == DType::mxfp4) return DType::mxfp4;
        if (matrices_) return *matrices_;
        if (noted && is_plain(*noted)) return *noted;
        if (weight.stored == DType::mxfp4) return DType::bf16;  // holds all of its numbers
        return is_plain(weight.stored) ? weight.stored : DType::f16;
    }

    static void use_exactly(Bytes exact, DType type, Weight& weight) {
        const auto size = static_cast<std::size_t>(weight.n_cols)
                          * static_cast<std::size_t>(dtype_info(type).block_bytes);
        if (exact.size() != size * static_cast<std::size_t>(weight.n_rows)) return;
        weight.stored = type;
        weight.copy = [exact, size](std::int64_t first, std::int64_t count, std::byte* to) {
            const Bytes rows = exact.subspan(size * static_cast<std::size_t>(first),
                                             size * static_cast<std::size_t>(count));
            std::copy(rows.begin(), rows.end(), to);
        };
    }

    const format::Checkpoint& gguf_;
    const arch::Config& config_;
    const Overlay& overlay_;
    std::optional<DType> matrices_;
    SourceNotes notes_;
    std::vector<Candidate> candidates_;
};

}  // namespace

Result<FolderTensors> folder_tensors(const format::Checkpoint& gguf, const arch::Config& config,
                                     std::optional<DType> matrices, const Overlay& overlay) {
    return FolderBuilder(gguf, config, matrices, overlay).build();
}

FolderTensors same_tensors(const format::Checkpoint& folder, std::optional<DType> matrices,
                           const Overlay& overlay) {
    FolderTensors out;
    for (const TensorView& stored : folder.tensors()) {
        const TensorView& view = overlay.of(stored);
        FolderWeight one{weight_of(view, !folder.files().empty()), view.type};
        if (is_in_memory_only(view.type)) {
            one.type = matrices.value_or(DType::f16);
            out.was_packed = true;
        } else if (matrices && one.weight.matrix && is_plain(view.type)) {
            one.type = *matrices;
        }
        out.weights.push_back(std::move(one));
    }
    return out;
}

}  // namespace heft::convert
