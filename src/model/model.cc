#include "model/model.h"

#include "model/decoder.h"
#include "model/weights.h"

namespace heft::model {

struct Model::Impl {
    arch::Config config;
    Weights weights;
    Rotation short_rope, long_rope;
};

Model::Model(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

Result<Model> Model::load(const format::Checkpoint& checkpoint, const arch::Config& config) {
    auto impl = std::make_unique<Impl>();
    impl->config = config;
    HEFT_TRY(impl->weights, bind_weights(checkpoint, config));
    impl->short_rope = make_rotation(config.rope, config.n_ctx, false);
    impl->long_rope = make_rotation(config.rope, config.n_ctx, true);
    return Model(std::move(impl));
}

const arch::Config& Model::config() const {
    return impl_->config;
}

std::int64_t Model::bytes_per_token() const {
    return model::bytes_per_token(impl_->weights);
}

Result<kv::Cache> Model::make_cache(std::int64_t n_ctx, op::Precision precision,
                                    std::int64_t expected) const {
    const arch::Config& c = impl_->config;
    if (n_ctx < 1) return Error{Code::invalid, "a context must have room for at least one token"};
    kv::Shape shape;
    shape.n_layer = c.n_layer;
    shape.n_ctx = n_ctx;
    shape.row = c.n_kv * c.d_head;
    shape.type = precision == op::Precision::f32 ? DType::f32 : DType::bf16;
    HEFT_TRY(kv::Cache cache, kv::Cache::make(shape));
    cache.long_context = (expected > 0 ? expected : n_ctx) > c.rope.original_ctx;
    return cache;
}

Status Model::forward(op::Context& context, std::span<const Input> inputs,
                      std::vector<float>& logits) const {
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
    const Decoder decoder{impl_->config, impl_->weights, impl_->short_rope, impl_->long_rope};
    decode(decoder, context, inputs, logits);
    return {};
}

}  // namespace heft::model
