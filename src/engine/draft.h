// A smaller model that guesses what a larger one will say. Private to this module.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/engine.h"
#include "engine/sequence.h"
#include "gen/speculation.h"

namespace heft::engine {

// Whether the ids of one mean the same to the other; the error says where they differ.
Status same_vocabulary(const Engine& target, const Engine& draft);

class DraftProposer : public gen::Proposer {
  public:
    // Both engines outlive the proposer and have the same_vocabulary(). `n_ctx`: of the target's
    // session.
    static Result<std::unique_ptr<DraftProposer>> make(const Engine& target, const Engine& draft,
                                                       std::int64_t n_ctx);

    // For the next text. A guess goes on while the draft's best token has a probability of p_min.
    void prepare(float p_min, const Sequence::Reading& reading);

    // How long a text may be that it guesses for: its memory is given back if it has read more.
    void limit(std::int64_t n_tokens);

    bool is_dear() const override { return true; }
    Status begin(std::span<const TokenId> text) override;
    Result<gen::Proposal> propose(std::span<const TokenId> text, int most) override;

  private:
    DraftProposer(const Engine& draft, Sequence sequence, TokenId n_vocab)
        : draft_(&draft), sequence_(std::move(sequence)), n_vocab_(n_vocab) {}

    struct Best {
        TokenId id;
        float p;
    };
    Best best();
    // Not where the text is longer than the draft model's context, or has tokens it lacks.
    bool can_read(std::span<const TokenId> text) const;
    Status read(std::span<const TokenId> text);

    const Engine* draft_;
    Sequence sequence_;
    TokenId n_vocab_;  // the target's
    std::int64_t longest_ = Sequence::kForever;
    float p_min_ = 0;
    Sequence::Reading reading_;
};

}  // namespace heft::engine
