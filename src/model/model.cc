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
    Changes changes;

    Decoder decoder() const { return {config, weights, rotations, slopes, changes}; }
};

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

Result<kv::Cache> Model::make_cache(std::int64_t n_ctx, op::Precision precision,
                                    std::int64_t expected) const {
    const arch::Config& c = impl_->config;
    if (c.block.position == arch::Position::learned && n_ctx > c.n_ctx)
        return Error{Code::invalid, "the model has learned " + std::to_string(c.n_ctx)
                                        + " positions, not " + std::to_string(n_ctx)};
    if (n_ctx < 1) return Error{Code::invalid, "a context must have room for at least one token"};
    kv::Shape shape;
    shape.n_layer = c.n_layer;
    shape.n_ctx = n_ctx;
    const bool latent = c.latent.kv_rank > 0;
    shape.key_row = latent ? c.latent.kv_rank + c.latent.d_rope : c.n_kv * c.d_head;
    shape.value_row = latent ? 0 : c.n_kv * c.d_value;
    shape.type = precision == op::Precision::f32 ? DType::f32 : DType::f16;
    HEFT_TRY(kv::Cache cache, kv::Cache::make(shape));
    cache.long_context = (expected > 0 ? expected : n_ctx) > c.rope.original_ctx;
    return cache;
}

Status Model::add_adapter(Adapter adapter) {
    const Adapter& kept = impl_->adapters.emplace_back(std::move(adapter));
    for (const LowRank& change : kept.changes) {
        if (change.role == arch::Role::token_embd) {
            impl_->changes.of_embedding.push_back(&change);
            continue;
        }
        const op::Weight* weight =
            matrix_of(impl_->weights, change.role, change.layer, change.expert);
        if (weight == nullptr || weight->data == nullptr)
            return Error{Code::unsupported,
                         kept.name + ": changes " + change.tensor
                             + ", which is not multiplied as it is stored; merge the adapter into "
                               "the weights instead"};
        impl_->changes.of_weight[weight].push_back(&change);
    }
    return {};
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
    }
    return {};
}

Status Model::forward(op::Context& context, std::span<const Input> inputs,
                      std::vector<float>& logits) const {
    HEFT_OK(check(inputs));
    decode(impl_->decoder(), context, inputs, Output::logits, logits);
    return {};
}

Status Model::forward_hidden(op::Context& context, std::span<const Input> inputs,
                             std::vector<float>& hidden) const {
    HEFT_OK(check(inputs));
    decode(impl_->decoder(), context, inputs, Output::hidden, hidden);
    return {};
}

}  // namespace heft::model
