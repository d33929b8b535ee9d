// A text as one model has read it: its tokens, what the cache holds of them, the logits behind the
// last ones. Private to this module; not thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "engine/engine.h"
#include "kv/cache.h"

namespace heft::engine {

// Whether a text that will get this long takes the other one of two sets of rotations.
bool takes_long_rope(const arch::Rope& rope, std::int64_t length);

class Sequence {
  public:
    static constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

    // The engine outlives the sequence. `expected`: how long it will get (0: n_ctx).
    static Result<Sequence> make(const Engine& engine, std::int64_t n_ctx, std::int64_t expected);
    // In blocks of a store, which outlives the sequence.
    Sequence(const Engine& engine, kv::Cache cache) : engine_(&engine), cache_(std::move(cache)) {}

    void use_adapter(int number);  // of the engine's; forgets all if it was another one
    int adapter() const { return cache_.basis.adapter; }

    std::int64_t n_ctx() const { return cache_.shape().n_ctx; }
    std::int64_t length() const { return static_cast<std::int64_t>(tokens_.size()); }

    // Forgets the tokens behind the first `length`; nothing if there are no more.
    void cut(std::int64_t length);
    // Forgets what does not begin `text`; answers how many tokens are left.
    std::int64_t keep_common(std::span<const TokenId> text);
    // In blocks of a store: takes over what is known of the beginning of a text that goes on with
    // the tokens there are; makes room for more tokens, if there is any; makes those there are
    // known to others, as far as they fill blocks or altogether, when there will be no more.
    void find(std::span<const TokenId> text);
    bool make_room(std::int64_t n_more) { return cache_.make_room(length() + n_more); }
    void keep() { cache_.keep(tokens_); }
    void keep_all() { cache_.keep_all(tokens_); }

    // For a text that will get this long: forgets all if that takes other rotations.
    void expect(std::int64_t length);

    struct Reading {
        int n_batch = 512;                          // tokens at once
        const std::atomic<bool>* cancel = nullptr;  // set: stop with Code::cancelled
        bool is_cancelled() const {
            return cancel != nullptr && cancel->load(std::memory_order_relaxed);
        }
    };
    enum class Rows : std::uint8_t { none, last, all };  // of which tokens logits are wanted

    // Reads tokens behind those it has, at most n_ctx in all. With Rows::all they are read at once.
    Status extend(std::span<const TokenId> tokens, Rows rows, const Reading& reading);
    // Of the tokens read last that logits were wanted for, one row of n_vocab after the other.
    std::span<const float> logits() const { return logits_; }

    // For whoever computes the tokens of several sequences at once: what extend() would compute,
    // behind the inputs there are; and that it was computed.
    void list(std::span<const TokenId> tokens, Rows rows, std::vector<model::Input>& inputs);
    void computed(std::span<const TokenId> tokens);

    // How many tokens more before the whole text has to be computed with other rotations.
    std::int64_t until_rope_changes() const;
    // Forgets the whole text if it is to be longer than they allow; answers whether it did.
    bool change_rope(std::int64_t length);
    // Does that and computes it again.
    Status settle_rope(std::int64_t length, const Reading& reading);

  private:
    const Engine* engine_;
    kv::Cache cache_;
    std::vector<TokenId> tokens_;
    PagedVector<float> logits_;
};

}  // namespace heft::engine
