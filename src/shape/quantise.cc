#include "shape/quantise.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fnmatch.h>

#include "arch/proposal.h"
#include "base/clock.h"
#include "base/rng.h"
#include "convert/source_notes.h"
#include "kernel/table.h"
#include "tensor/quant/quant.h"
#include "text/template_source.h"
#include "text/tokenizer.h"

namespace heft::shape {

namespace {

using convert::Weight;

ModelFacts facts_of(const arch::Config& config) {
    ModelFacts facts;
    facts.n_layer = config.n_layer;
    facts.n_expert = config.experts.n;
    facts.n_gqa = config.n_kv > 0 ? config.n_head / config.n_kv : 1;
    return facts;
}

// Of a file whose architecture heft does not run: what its metadata says.
ModelFacts facts_of(const format::Metadata& metadata) {
    const std::string arch(metadata.string("general.architecture").value_or(""));
    const auto number = [&](const char* key) {
        return static_cast<int>(metadata.integer(arch + key).value_or(0));
    };
    ModelFacts facts;
    facts.n_layer = number(".block_count");
    facts.n_expert = number(".expert_count");
    const int n_kv = number(".attention.head_count_kv");
    facts.n_gqa = n_kv > 0 ? number(".attention.head_count") / n_kv : 1;
    return facts;
}

Result<GgufModel> from_gguf(const format::Checkpoint& checkpoint, const convert::Overlay& overlay) {
    GgufModel out;
    for (const format::MetaEntry& entry : checkpoint.metadata().entries()) out.writer.copy(entry);
    for (const TensorView& stored : checkpoint.tensors()) {
        const TensorView& view = overlay.of(stored);
        if (codec(view.type) == nullptr)
            return Error{Code::unsupported, "tensor " + view.name + " is of type "
                                                + dtype_info(view.type).name
                                                + ", which cannot be read"};
        out.weights.push_back(convert::weight_of(view, !checkpoint.files().empty()));
    }
    const auto config = arch::read_config(checkpoint);
    out.facts = config ? facts_of(*config) : facts_of(checkpoint.metadata());
    return out;
}

Result<GgufModel> from_others(const format::Checkpoint& checkpoint,
                              const convert::Overlay& overlay) {
    HEFT_TRY(const arch::Config config, arch::read_config(checkpoint));
    convert::GgufOptions options;
    options.name = checkpoint.folder().filename().string();
    options.sampling = arch::proposed_sampling(checkpoint);
    auto chat = text::template_source(checkpoint);
    if (chat)
        options.chat_template = std::move(*chat);
    else if (chat.error().code != Code::not_found)
        return std::move(chat.error());
    GgufModel out;
    auto tokenizer = text::Tokenizer::load(checkpoint);
    if (!tokenizer && tokenizer.error().code != Code::not_found)
        return std::move(tokenizer.error());
    HEFT_OK(convert::set_model(out.writer, config, tokenizer ? &*tokenizer : nullptr, options));
    HEFT_OK(convert::note_source(out.writer, checkpoint, config));
    HEFT_TRY(out.weights, convert::gguf_weights(checkpoint, config, overlay));
    out.facts = facts_of(config);
    return out;
}

bool is_lossy(DType type) {
    // MXFP4 is what such models are trained in.
    return dtype_info(type).block > 1 && type != DType::mxfp4;
}

// Whether one type holds every number of another, or of blocks of it nearly.
bool is_exact(DType from, DType to) {
    return to == DType::f32 || (is_in_memory_only(from) && to == DType::f16);
}

class Planner {
  public:
    Planner(const ModelFacts& facts, const QuantiseOptions& options)
        : facts_(facts), options_(options), used_(options.overrides.size()) {}

    Status add(Weight weight) {
        TensorPlan tensor;
        HEFT_TRY(tensor.type, type_of(weight));
        HEFT_OK(check(weight, tensor.type));
        const Codec* to = codec(tensor.type);
        if (options_.imatrix != nullptr && to->weighs_errors()) {
            tensor.importance = options_.imatrix->importance(weight.name, weight.n_cols);
            if (tensor.importance.empty()) ++without_importance_;
        }
        HEFT_TRY(tensor.bytes, tensor_bytes(tensor.type, weight.shape));
        plan_.bytes += tensor.bytes;
        plan_.work += weight.work();
        tensor.weight = std::move(weight);
        plan_.tensors.push_back(std::move(tensor));
        return {};
    }

    Result<QuantisePlan> finish() {
        for (std::size_t i = 0; i < used_.size(); ++i)
            if (!used_[i])
                return Error{Code::invalid, "--tensor " + options_.overrides[i].pattern
                                                + ": no tensor that can have the type has such a "
                                                  "name (`heft inspect --tensors` lists them as "
                                                  "they are now)"};
        remark();
        return std::move(plan_);
    }

  private:
    Result<DType> type_of(const Weight& weight) {
        const TensorFacts tensor{weight.name, weight.shape.back(),
                                 static_cast<int>(weight.shape.size())};
        // Vectors have no blocks: "blk.0.*=Q8_0" means a layer's matrices.
        const Override* found = find_override(options_.overrides, weight.name);
        if (found != nullptr && (weight.matrix || dtype_info(found->type).block == 1)) {
            const Override& override = *found;
            used_[static_cast<std::size_t>(found - options_.overrides.data())] = true;
            if (tensor.n_cols % dtype_info(override.type).block == 0) return override.type;
            return Error{Code::invalid, "tensor " + weight.name + " has rows of "
                                            + std::to_string(tensor.n_cols) + ", not whole blocks "
                                            + "of " + dtype_info(override.type).name};
        }
        if (options_.mix == nullptr) return stored_type(weight);
        if (!weight.matrix || !is_quantised(tensor)) return kept_type(weight);
        return type_in_mix(*options_.mix, facts_, tensor);
    }

    // What is not quantised stays as it is, in a type that GGUF has.
    static DType kept_type(const Weight& weight) {
        const bool small_floats = !weight.copy || dtype_info(weight.stored).gguf_id < 0;
        return small_floats ? DType::f32 : weight.stored;
    }

    // Matrices of 8 bits and packed ones are F16 in GGUF, vectors F32.
    static DType stored_type(const Weight& weight) {
        if (!weight.matrix) return kept_type(weight);
        return dtype_info(weight.stored).gguf_id < 0 ? DType::f16 : weight.stored;
    }

    Status check(const Weight& weight, DType type) {
        if (weight.copy && type == weight.stored) return {};
        const Codec* to = codec(type);
        if (to == nullptr || to->quantise == nullptr)
            return Error{Code::unsupported, std::string("heft cannot write ")
                                                + dtype_info(type).name + " (tensor " + weight.name
                                                + ")"};
        if (!is_lossy(weight.stored) || is_exact(weight.stored, type)) return {};
        if (!options_.allow_requantise)
            return Error{Code::invalid,
                         "tensor " + weight.name + " is " + dtype_info(weight.stored).name
                             + " already and would lose precision a second time; quantise the "
                               "original, or say --allow-requantize"};
        plan_.requantised.push_back(weight.name);
        return {};
    }

    void remark() {
        if (without_importance_ > 0)
            plan_.remarks.push_back("the importance matrix says nothing of "
                                    + std::to_string(without_importance_) + " tensors");
        if (options_.mix != nullptr && options_.mix->wants_importance
            && options_.imatrix == nullptr)
            plan_.remarks.push_back(std::string(options_.mix->name)
                                    + " is poor without an importance matrix (`heft imatrix`)");
        if (!plan_.requantised.empty())
            plan_.remarks.push_back(std::to_string(plan_.requantised.size())
                                    + " tensors lose precision a second time");
    }

    ModelFacts facts_;
    const QuantiseOptions& options_;
    std::vector<bool> used_;
    QuantisePlan plan_;
    int without_importance_ = 0;
};

}  // namespace

Result<GgufModel> gguf_model(const format::Checkpoint& checkpoint,
                             const convert::Overlay& overlay) {
    auto out = checkpoint.kind() == format::Kind::gguf ? from_gguf(checkpoint, overlay)
                                                       : from_others(checkpoint, overlay);
    if (!out) return within(checkpoint.name(), std::move(out.error()));
    out->facts.has_output =
        std::any_of(out->weights.begin(), out->weights.end(),
                    [](const Weight& weight) { return weight.name == "output.weight"; });
    return out;
}

Result<Override> parse_override(const std::string& text) {
    const std::size_t at = text.rfind('=');
    if (at == std::string::npos || at == 0)
        return Error{Code::invalid, "--tensor " + text + ": should be PATTERN=TYPE"};
    const std::string wanted = text.substr(at + 1);
    for (const DTypeInfo& info : dtypes()) {
        const Codec* to = codec(info.type);
        if (info.gguf_id < 0 || to == nullptr || to->quantise == nullptr) continue;
        if (std::equal(wanted.begin(), wanted.end(), info.name,
                       info.name + std::char_traits<char>::length(info.name),
                       [](char a, char b) { return std::toupper(a) == b; }))
            return Override{text.substr(0, at), info.type};
    }
    return Error{Code::invalid, "--tensor " + text + ": there is no type " + wanted
                                    + " to write; `heft supported` lists them"};
}

const Override* find_override(const std::vector<Override>& overrides, const std::string& name) {
    for (const Override& override : overrides)
        if (::fnmatch(override.pattern.c_str(), name.c_str(), 0) == 0) return &override;
    return nullptr;
}

Result<QuantisePlan> plan_quantising(std::vector<Weight> weights, const ModelFacts& facts,
                                     const QuantiseOptions& options) {
    ModelFacts asked = facts;
    asked.has_importance = options.imatrix != nullptr;
    Planner planner(asked, options);
    for (Weight& weight : weights) HEFT_OK(planner.add(std::move(weight)));
    return planner.finish();
}

void set_quantised(format::GgufWriter& writer, const MixInfo& mix) {
    constexpr std::uint32_t kQuantisationVersion = 2;
    writer.set("general.file_type", static_cast<std::uint32_t>(mix.file_type));
    writer.set("general.quantization_version", kQuantisationVersion);
}

Result<double> estimate_seconds(const QuantisePlan& plan, ThreadPool& pool) {
    constexpr std::int64_t kSample = 1 << 15;
    std::map<std::pair<DType, bool>, std::uint64_t> numbers;  // by type, and whether they count
    for (const TensorPlan& tensor : plan.tensors)
        numbers[{tensor.type, !tensor.importance.empty()}] +=
            static_cast<std::uint64_t>(tensor.weight.n_rows * tensor.weight.n_cols);
    Rng rng(1);
    std::vector<float> values(kSample);
    for (float& value : values) value = static_cast<float>(rng.uniform() + rng.uniform() - 1);
    const std::vector<float> importance(kSample, 1.0F);
    double seconds = 0;
    for (const auto& [kind, count] : numbers) {
        const auto& [type, is_weighed] = kind;
        const quant::Encoding how =
            kernel::best().encoding(is_weighed ? importance.data() : nullptr);
        HEFT_TRY(const std::uint64_t bytes, row_bytes(type, kSample));
        const Clock::time_point began = Clock::now();
        pool.run([&, type = type](int, int) {
            std::vector<std::byte> encoded(bytes);
            heft::encode(type, values.data(), how, kSample, encoded.data());
        });
        seconds += seconds_since(began) * static_cast<double>(count)
                   / static_cast<double>(kSample * pool.size());
    }
    return seconds;
}

void add_tensors(format::GgufWriter& writer, const QuantisePlan& plan, Encoder& encoder) {
    for (const TensorPlan& tensor : plan.tensors) {
        EncodeJob job;
        job.type = tensor.type;
        job.importance = tensor.importance;
        writer.add(encoder.source(tensor.weight, job));
    }
}

}  // namespace heft::shape
