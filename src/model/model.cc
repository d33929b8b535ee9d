#include "model/model.h"

#include <deque>

#include "model/decoder.h"
#include "model/weights.h"

namespace heft::model {

struct Model::Impl {
    arch::Config config;
    Weights weights;
    Rotations rotations;
    std::vector<float> slopes;
    std::deque<Adapter> adapters;  // the changes point into them
    std::vector<Changes> changes = std::vector<Changes>(1);

    Decoder decoder() const { return {config, weights, rotations, slopes, changes}; }
    Status apply(Adapter adapter, Changes& to);
};

namespace {

kv::Shape cache_shape(const arch::Config& c, std::int64_t n_ctx, kv::Types types) {
    kv::Shape shape;
    shape.n_layer = c.n_layer;
    shape.n_ctx = n_ctx;
    const bool latent = c.latent.kv_rank > 0;
    shape.key_row = latent ? c.latent.kv_rank + c.latent.d_rope : c.n_kv * c.d_head;
    shape.value_row = latent ? 0 : c.n_kv * c.d_value;
    shape.types = types;
    return shape;
}

Status check_width(const char* what, DType type, int width) {
    const int block = dtype_info(type).block;
    if (width % block == 0) return {};
    return Error{Code::invalid, "a cache of type " + std::string(kv::name_of(type))
                                    + " has blocks of " + std::to_string(block)
                                    + " numbers, but the model's " + what + " are "
                                    + std::to_string(width) + " wide; ask for f16 or bf16"};
}

// Whether heads are whole blocks of the cache's types.
Status check_types(const arch::Config& c, kv::Types types) {
    if (c.latent.kv_rank == 0) {
        HEFT_OK(check_width("keys", types.keys, c.d_head));
        return check_width("values", types.values, c.d_value);
    }
    if (types.keys != types.values)
        return Error{Code::invalid,
                     "the model keeps keys and values as one, so --cache-type-k and --cache-type-v "
                     "have to be the same"};
    HEFT_OK(check_width("keys", types.keys, c.latent.kv_rank + c.latent.d_rope));
    return check_width("values", types.keys, c.latent.kv_rank);
}

Status check_context(const arch::Config& c, std::int64_t n_ctx, kv::Types types) {
    if (c.block.position == arch::Position::learned && n_ctx > c.n_ctx)
        return Error{Code::invalid, "the model has learned " + std::to_string(c.n_ctx)
                                        + " positions, not " + std::to_string(n_ctx)};
    if (n_ctx < 1) return Error{Code::invalid, "a context must have room for at least one token"};
    return check_types(c, types);
}

}  // namespace

std::int64_t cache_bytes_per_token(const arch::Config& config, kv::Types types) {
    return cache_shape(config, 1, types).token_bytes();
}

std::int64_t working_bytes(const arch::Config& config, std::int64_t n_tokens) {
    const auto floats = static_cast<std::int64_t>(sizeof(float));
    std::int64_t width = activation_width(config);
    // Gathered rows of the experts, and every product's input once more, in the kernels' own form.
    width += config.experts.n_used * 2 * std::int64_t{config.d_model + config.experts.d_ff};
    width += std::max({config.d_ff, config.d_model, config.experts.d_ff * config.experts.n_used});
    return n_tokens * width * floats;
}

Model::Model(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

Result<Model> Model::load(const format::Checkpoint& checkpoint, const arch::Config& config) {
    auto impl = std::make_unique<Impl>();
    impl->config = config;
    HEFT_TRY(impl->weights, bind_weights(checkpoint, config));
    impl->rotations = make_rotations(config);
    if (config.block.position == arch::Position::alibi)
        impl->slopes = alibi_slopes(config.n_head, config.alibi_scale);
    return Model(std::move(impl));
}

const arch::Config& Model::config() const {
    return impl_->config;
}

std::int64_t Model::bytes_per_token() const {
    return static_cast<std::int64_t>(bytes_per_pass(1));
}

double Model::bytes_per_pass(double n_tokens) const {
    return model::bytes_per_pass(impl_->weights, impl_->config, n_tokens);
}

std::int64_t Model::cache_bytes_per_token(kv::Types types) const {
    return model::cache_bytes_per_token(impl_->config, types);
}

Result<kv::Cache> Model::make_cache(std::int64_t n_ctx, op::Precision precision,
                                    std::int64_t expected) const {
    return make_cache(n_ctx, usual_types(precision), expected);
}

Result<kv::Cache> Model::make_cache(std::int64_t n_ctx, kv::Types types,
                                    std::int64_t expected) const {
    const arch::Config& c = impl_->config;
    HEFT_OK(check_context(c, n_ctx, types));
    HEFT_TRY(kv::Cache cache, kv::Cache::make(cache_shape(c, n_ctx, types)));
    cache.basis.long_context = (expected > 0 ? expected : n_ctx) > c.rope.original_ctx;
    return cache;
}

Result<std::unique_ptr<kv::Store>> Model::make_store(std::int64_t n_ctx, kv::Types types,
                                                     std::int64_t n_blocks) const {
    HEFT_OK(check_context(impl_->config, n_ctx, types));
    return kv::Store::make(cache_shape(impl_->config, n_ctx, types), n_blocks);
}

Status Model::Impl::apply(Adapter adapter, Changes& to) {
    const Adapter& kept = adapters.emplace_back(std::move(adapter));
    for (const LowRank& change : kept.changes) {
        if (change.role == arch::Role::token_embd) {
            to.of_embedding.push_back(&change);
            continue;
        }
        const op::Weight* weight = matrix_of(weights, change.role, change.layer, change.expert);
        if (weight == nullptr || weight->data == nullptr)
            return Error{Code::unsupported,
                         kept.name + ": changes " + change.tensor
                             + ", which is not multiplied as it is stored; merge the adapter into "
                               "the weights instead"};
        to.of_weight[weight].push_back(&change);
    }
    return {};
}

Status Model::add_adapter(Adapter adapter) {
    return impl_->apply(std::move(adapter), impl_->changes.front());
}

Result<int> Model::offer_adapter(Adapter adapter) {
    HEFT_OK(impl_->apply(std::move(adapter), impl_->changes.emplace_back()));
    return static_cast<int>(impl_->changes.size()) - 1;
}

std::vector<MatrixName> Model::matrix_names() const {
    return model::matrix_names(impl_->weights, impl_->config);
}

Status Model::check(std::span<const Input> inputs) const {
    for (const Input& input : inputs) {
        if (input.token < 0 || input.token >= impl_->config.n_vocab)
            return Error{Code::invalid, "token id " + std::to_string(input.token)
                                            + " is outside the vocabulary of "
                                            + std::to_string(impl_->config.n_vocab)};
        if (input.position < 0 || input.position >= input.cache->shape().n_ctx)
            return Error{Code::invalid, "position " + std::to_string(input.position)
                                            + " is outside the context of "
                                            + std::to_string(input.cache->shape().n_ctx)};
        const int adapter = input.cache->basis.adapter;
        if (adapter < 0 || static_cast<std::size_t>(adapter) >= impl_->changes.size())
            return Error{Code::invalid,
                         "the model has no adapter number " + std::to_string(adapter)};
    }
    return {};
}

Status Model::forward(op::Context& context, std::span<const Input> inputs,
                      PagedVector<float>& logits) const {
    HEFT_OK(check(inputs));
    decode(impl_->decoder(), context, inputs, Output::logits, logits);
    return {};
}

Status Model::forward_hidden(op::Context& context, std::span<const Input> inputs,
                             PagedVector<float>& hidden) const {
    HEFT_OK(check(inputs));
    decode(impl_->decoder(), context, inputs, Output::hidden, hidden);
    return {};
}

}  // namespace heft::model
