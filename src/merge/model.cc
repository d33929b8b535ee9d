#include "merge/model.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/mapped_file.h"
#include "kernel/table.h"
#include "tensor/quant/quant.h"
#include "tensor/rows.h"

namespace heft::merge {

namespace {

namespace fs = std::filesystem;
using arch::Role;

bool is_there(const fs::path& path) {
    std::error_code error;
    return fs::exists(path, error);
}

fs::path from_environment(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? fs::path(value) : fs::path();
}

// models--org--name/snapshots/COMMIT, by what refs/REVISION says, or the revision itself.
fs::path in_hub_cache(const fs::path& cache, std::string name) {
    std::string revision = "main";
    if (const auto at = name.find('@'); at != std::string::npos) {
        revision = name.substr(at + 1);
        name.erase(at);
    }
    if (name.find("..") != std::string::npos || revision.find("..") != std::string::npos) return {};
    std::string folder = "models--" + name;
    for (auto at = folder.find('/'); at != std::string::npos; at = folder.find('/'))
        folder.replace(at, 1, "--");
    const fs::path snapshots = cache / folder / "snapshots";
    if (is_there(snapshots / revision)) return snapshots / revision;
    const auto commit = read_text(cache / folder / "refs" / revision, 200);
    if (!commit) return {};
    std::string word = *commit;
    word.erase(word.find_last_not_of(" \r\n") + 1);
    const bool plain = !word.empty() && word.find_first_of("/.") == std::string::npos;
    return plain && is_there(snapshots / word) ? snapshots / word : fs::path();
}

bool is_number(std::string_view text) {
    return !text.empty() && text.size() <= 6
           && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

struct Numbered {
    std::string before, after;  // "model.layers", "mlp.up_proj.weight"
    int number = 0;
};
// By the first part of the name that is a number.
std::optional<Numbered> numbered(const std::string& name) {
    for (std::size_t begin = name.find('.'); begin != std::string::npos;
         begin = name.find('.', begin + 1)) {
        const std::size_t end = name.find('.', begin + 1);
        if (end == std::string::npos) break;
        const std::string part = name.substr(begin + 1, end - begin - 1);
        if (is_number(part))
            return Numbered{name.substr(0, begin), name.substr(end + 1), std::stoi(part)};
    }
    return {};
}

// The longest of the stacks of numbered tensors: a picture's encoder may have layers too.
std::string main_stack(const std::vector<ModelTensor>& tensors) {
    std::map<std::string, std::size_t> counts;
    for (const ModelTensor& tensor : tensors)
        if (const auto parts = numbered(tensor.name)) ++counts[parts->before];
    const auto most =
        std::max_element(counts.begin(), counts.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == counts.end() ? std::string() : most->first;
}

bool ends_with_any(std::string_view name, std::initializer_list<std::string_view> ends) {
    return std::any_of(ends.begin(), ends.end(),
                       [name](std::string_view end) { return name.ends_with(end); });
}

std::optional<Role> role_of(const Model& model, const std::string& name, Layout layout) {
    if (!model.config) return {};
    for (const arch::Tensor& row : model.config->family->tensors) {
        if (arch::per_layer(row)) continue;
        const char* pattern = layout == Layout::gguf ? row.gguf : row.hf;
        if (pattern != nullptr && name.ends_with(pattern)) return row.role;
    }
    return {};
}

void classify(const Model& model, Layout layout, const std::string& stack, ModelTensor& tensor) {
    if (const auto parts = numbered(tensor.name); parts && parts->before == stack) {
        tensor.kind = Kind::in_layer;
        tensor.layer = parts->number;
        tensor.in_layer = parts->before + ".{}." + parts->after;
        return;
    }
    // By the family's table, or by the usual names of families that have none.
    const auto role = role_of(model, tensor.name, layout);
    const bool embeds =
        role ? *role == Role::token_embd
             : ends_with_any(tensor.name, {"embed_tokens.weight", "wte.weight", "embed_in.weight",
                                           "token_embd.weight", "word_embeddings.weight"});
    tensor.is_output =
        role ? *role == Role::output || *role == Role::output_bias
             : ends_with_any(tensor.name, {"lm_head.weight", "lm_head.bias", "embed_out.weight"})
                   || tensor.name == "output.weight";
    tensor.by_token = (embeds || tensor.is_output) && tensor.shape.size() == 2;
    const bool early = embeds || role == Role::pos_embd || role == Role::embd_norm
                       || role == Role::embd_norm_bias
                       || ends_with_any(tensor.name, {"wpe.weight"});
    tensor.kind = early ? Kind::first : Kind::last;
}

// Weights have fractions; masks and positions saved along with them have none.
bool is_weight(DType type) {
    const Codec* known = codec(type);
    switch (type) {
        case DType::i64:
        case DType::i32:
        case DType::i16:
        case DType::i8:
        case DType::u64:
        case DType::u32:
        case DType::u16:
        case DType::u8:
        case DType::boolean: return false;
        default: return known != nullptr;
    }
}

bool interleaves(Role role) {
    return role == Role::attn_q || role == Role::attn_k || role == Role::attn_q_bias
           || role == Role::attn_k_bias;
}

// The Hugging Face names of GGUF tensors, for filters.
void add_aliases(const Model& model, std::vector<ModelTensor>& tensors) {
    if (!model.config) return;
    std::unordered_map<std::string, std::string> names;
    for (const arch::Tensor& row : model.config->family->tensors) {
        if (row.hf == nullptr || row.gguf == nullptr) continue;
        const int layers = arch::per_layer(row) ? model.config->n_layer : 1;
        for (int layer = 0; layer < layers; ++layer)
            names.emplace(arch::tensor_name(row.gguf, layer), arch::tensor_name(row.hf, layer));
    }
    for (ModelTensor& tensor : tensors)
        if (const auto found = names.find(tensor.name); found != names.end())
            tensor.alias = found->second;
}

// GGUF tensors as what they were made of.
class Unpacked {
  public:
    explicit Unpacked(Model& model) : model_(model) {}

    Status list() {
        if (!model_.config)
            return Error{Code::unsupported, model_.reference + ": a GGUF file of architecture "
                                                + model_.architecture
                                                + " cannot be merged with Hugging Face folders"};
        for (const arch::Tensor& row : model_.config->family->tensors) {
            if (row.hf == nullptr || row.gguf == nullptr) continue;
            const int layers = arch::per_layer(row) ? model_.config->n_layer : 1;
            for (int layer = 0; layer < layers; ++layer)
                for (int expert = 0; expert < arch::copies(row.hf, *model_.config); ++expert)
                    HEFT_OK(add(row, layer, expert));
        }
        return {};
    }

  private:
    Status add(const arch::Tensor& row, int layer, int expert) {
        const arch::Config& config = *model_.config;
        HEFT_TRY(const arch::Located at,
                 arch::locate(*model_.checkpoint, config, row, layer, expert));
        if (at.view == nullptr) return {};
        const bool fused =
            row.fused.parts[0] != arch::Dim::none || row.gguf_fused.parts[0] != arch::Dim::none;
        if (fused || row.load == arch::Load::transposed || row.split != arch::Dim::none)
            return Error{Code::unsupported,
                         model_.reference + ": tensor " + at.view->name
                             + " of a GGUF file stands differently in Hugging Face folders; "
                               "merge GGUF files with each other, or folders with each other"};
        ModelTensor tensor;
        tensor.name = arch::tensor_name(row.hf, layer, expert);
        tensor.view = at.view;
        tensor.shape = {at.rows};
        if (row.cols != arch::Dim::none) tensor.shape.push_back(at.cols);
        tensor.first_row = at.expert * at.stored_rows;
        tensor.minus_one = row.load == arch::Load::plus_one;
        if (config.family->gguf_interleaves_qk && interleaves(row.role))
            tensor.interleaved_head = config.d_head;
        model_.tensors.push_back(std::move(tensor));
        return {};
    }

    Model& model_;
};

void list_as_stored(Model& model) {
    for (const TensorView& view : model.checkpoint->tensors()) {
        ModelTensor tensor;
        tensor.name = view.name;
        tensor.view = &view;
        tensor.shape = view.shape;
        tensor.is_buffer = !is_weight(view.type)
                           || ends_with_any(view.name, {"rotary_emb.inv_freq", ".masked_bias"});
        model.tensors.push_back(std::move(tensor));
    }
}

}  // namespace

const ModelTensor* Model::find(const std::string& name) const {
    const auto found = by_name.find(name);
    return found == by_name.end() ? nullptr : &tensors[found->second];
}

fs::path default_hub_cache() {
    if (fs::path cache = from_environment("HF_HUB_CACHE"); !cache.empty()) return cache;
    if (fs::path home = from_environment("HF_HOME"); !home.empty()) return home / "hub";
    if (fs::path cache = from_environment("XDG_CACHE_HOME"); !cache.empty())
        return cache / "huggingface" / "hub";
    const fs::path home = from_environment("HOME");
    return home.empty() ? fs::path() : home / ".cache" / "huggingface" / "hub";
}

Result<fs::path> find_model(const std::string& reference, const Places& places) {
    const fs::path given = reference;
    if (is_there(given)) return given;
    if (given.is_relative() && is_there(places.beside / given)) return places.beside / given;
    std::string looked = "no such file or folder";
    if (!places.models.empty()) {
        for (const fs::path& path : {places.models / given, places.models / given.filename()})
            if (given.is_relative() && is_there(path)) return path;
        looked += ", not in " + places.models.string();
    }
    if (!places.hub_cache.empty() && given.is_relative()) {
        if (const fs::path path = in_hub_cache(places.hub_cache, reference); !path.empty())
            return path;
        looked += ", and not in the cache " + places.hub_cache.string();
    }
    return Error{Code::not_found, "model " + reference + ": " + looked
                                      + "; download it, or name its folder with --models"};
}

Result<Model> open_model(const std::string& reference, const fs::path& path) {
    Model model;
    model.reference = reference;
    model.path = path;
    HEFT_TRY(format::Checkpoint checkpoint, format::Checkpoint::open(path));
    model.checkpoint = std::make_unique<format::Checkpoint>(std::move(checkpoint));
    if (auto config = arch::read_config(*model.checkpoint)) model.config = std::move(*config);
    if (const auto json = model.checkpoint->config())
        model.architecture = json_string(*json, "model_type").value_or("");
    else
        model.architecture =
            model.checkpoint->metadata().string("general.architecture").value_or("");
    return model;
}

Status list_tensors(Model& model, Layout layout) {
    const bool is_gguf = model.checkpoint->kind() == format::Kind::gguf;
    if (is_gguf && layout == Layout::huggingface)
        HEFT_OK(Unpacked(model).list());
    else
        list_as_stored(model);
    if (layout == Layout::gguf) add_aliases(model, model.tensors);
    const std::string stack = main_stack(model.tensors);
    for (std::size_t i = 0; i < model.tensors.size(); ++i) {
        ModelTensor& tensor = model.tensors[i];
        classify(model, layout, stack, tensor);
        model.n_layers = std::max(model.n_layers, tensor.layer + 1);
        model.by_name.emplace(tensor.name, i);
    }
    if (model.n_layers > static_cast<int>(model.tensors.size()))
        return Error{Code::corrupt, model.reference + ": layers are numbered up to "
                                        + std::to_string(model.n_layers - 1) + ", but there are "
                                        + std::to_string(model.tensors.size()) + " tensors"};
    return {};
}

std::int64_t columns_of(const Shape& shape) {
    return shape.empty() ? 1 : shape.back();
}

std::int64_t rows_of(const Shape& shape) {
    std::int64_t rows = 1;
    for (std::size_t i = 0; i + 1 < shape.size(); ++i) rows *= shape[i];
    return rows;
}

Input input_of(const Model& model, const ModelTensor& tensor) {
    const TensorView& view = *tensor.view;
    Input out{reader_of(tensor)};
    if (view.repack || model.checkpoint->files().empty()) return out;
    const bool in_order =
        rows_of(tensor.shape) == heft::rows_of(view) && tensor.interleaved_head == 0;
    (in_order ? out.mapped : out.mapped_anywhere) = view.data;
    return out;
}

ReadRows reader_of(const ModelTensor& tensor) {
    const TensorView& view = *tensor.view;
    const std::int64_t columns = columns_of(tensor.shape);
    if (tensor.interleaved_head > 0) {
        // Vectors too: each number is a row of its own.
        const bool is_vector = tensor.shape.size() == 1;
        const std::int64_t head = tensor.interleaved_head;
        return
            [&view, is_vector, head, columns](std::int64_t first, std::int64_t count, float* to) {
                const auto stored = [head](std::int64_t row) {
                    const std::int64_t within = row % head;
                    const std::int64_t half = head / 2;
                    return row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
                };
                if (!is_vector) {
                    for (std::int64_t r = 0; r < count; ++r)
                        read_rows(view, stored(first + r), 1, to + r * columns);
                    return;
                }
                std::vector<float> all(static_cast<std::size_t>(columns));
                read_rows(view, 0, 1, all.data());
                for (std::int64_t c = 0; c < columns; ++c)
                    to[c] = all[static_cast<std::size_t>(stored(c))];
            };
    }
    if (!view.repack && !view.input_order && !tensor.minus_one && tensor.first_row == 0) {
        const auto bytes = row_bytes(view.type, static_cast<std::uint64_t>(columns));
        const std::uint64_t size = bytes ? *bytes : 0;
        return [&view, size, columns](std::int64_t first, std::int64_t count, float* to) {
            kernel::best().unpack(view.type,
                                  view.data.data() + static_cast<std::uint64_t>(first) * size,
                                  count * columns, to);
        };
    }
    return [&view, columns, start = tensor.first_row, minus = tensor.minus_one](
               std::int64_t first, std::int64_t count, float* to) {
        read_rows(view, start + first, count, to);
        if (minus)
            for (std::int64_t i = 0; i < count * columns; ++i) to[i] -= 1;
    };
}

}  // namespace heft::merge
