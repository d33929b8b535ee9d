// The activations of one pass of the decoder, and the steps that a pass is made of. All arrays live
// in the context's memory, one row per token.
#pragma once

#include <span>
#include <vector>

#include "model/decoder.h"
#include "model/model.h"
#include "op/attention.h"

namespace heft::model {

class Batch {
  public:
    Batch(const Decoder& decoder, op::Context& context, std::span<const Input> inputs);

    void embed();
    void block(const Layer& layer, int index);
    void project(PagedVector<float>& logits);
    void hidden(PagedVector<float>& rows);

  private:
    const arch::Config& config() const { return model_.config; }
    float* row(float* of, int token, std::int64_t width) const { return of + token * width; }
    template <class Body>
    void each_token(const Body& body);

    void normalise(const Norm& norm, const float* from, std::int64_t width, float* to) const;
    void norm_all(const Norm& norm, const float* from, float* to);
    void multiply(std::span<const op::Product> products, const float* x, std::int64_t x_width);
    // `tokens`: that the rows of the groups belong to, one group after the other; empty: all tokens
    // in order, of each group.
    void multiply(std::span<const op::Group> groups, std::span<const int> tokens);
    void add_changes(const Changes& changes, const op::Group& group, int first, int count);
    void add_chosen(const op::Group& group, std::span<const int> tokens);
    int adapter_of(int token) const {
        return inputs_[static_cast<std::size_t>(token)].cache->basis.adapter;
    }
    void change_embedding(const Changes& changes, std::int32_t token, float* to) const;
    std::vector<int> last_norm();
    void add_bias(const Linear& linear, float* to, std::int64_t width);
    void add_to_stream(const Norm& post_norm);

    // attention.cc
    void attend(const Layer& layer, int index);
    void project_heads(const Layer& layer);
    void place(const Layer& layer, int index, int token);
    void finish_heads(const Norm& norm, int n_head, float* heads) const;
    void rotate(int index, int token, int n_head, std::int64_t stride, float* heads) const;
    void store(int index, int token, const float* key, const float* value);
    void look_at(int index, int token);
    void read_cache(const Layer& layer, int index, float* out);

    // latent.cc
    void latent_queries(const Layer& layer);
    void place_latent(const Layer& layer, int index, int token);
    void attend_latent(const Layer& layer, int index);

    // feed_forward.cc
    void feed_forward(const Layer& layer);
    void dense(const Ffn& ffn, std::int64_t width, float* out);
    void activate(const Ffn& ffn, float* gate, float* up, std::int64_t width) const;
    void add_experts(const Layer& layer, float* out);
    void add_shared(const Layer& layer, float* out);

    Decoder model_;
    op::Context& context_;
    std::span<const Input> inputs_;
    int n_;                         // tokens
    bool any_has_adapter_ = false;  // of its own choice

    float* stream_;   // [n, d_model] the residual stream
    float* normed_;   // [n, d_model] a block's input
    float* queries_;  // [n, q_width]
    float* keys_;     // [n, kv], or [n, kv_rank + d_rope]
    float* values_;   // [n, kv_value]
    float* heads_;    // [n, value_width] attention's result
    float* gate_;     // [n, widest of the feed-forward layers]
    float* up_;
    float* delta_;    // [n, d_model] what a block adds
    float* further_;  // [n, d_model] what the second of two parallel blocks adds
    float* angles_;   // [n, rope.dim], then [n, local_rope.dim]
    float* local_angles_;
    float* latent_;  // [n, q_rank]
    std::int64_t q_width_, value_width_;
    std::vector<op::Seen> seen_;
};

}  // namespace heft::model
