// An answer in the making, whoever computes the rows of logits: what was asked for, checked, and
// the text so far. A Session makes one at a time, a Scheduler many. Private to this module; not
// thread-safe, but different answers may be used by different threads.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "engine/draft.h"
#include "engine/engine.h"
#include "engine/form_keeper.h"
#include "engine/guesses.h"
#include "engine/writer.h"

namespace heft::engine {

class Answer {
  public:
    // Engine, request and draft (nullptr: there is none) outlive the answer. Errors: invalid, for a
    // request that cannot be answered within n_ctx or asks for what has no meaning.
    static Result<std::unique_ptr<Answer>> make(const Engine& engine, const Request& request,
                                                std::int64_t n_ctx, DraftProposer* draft);

    std::span<const TokenId> text() const { return text_; }  // the prompt and what follows it
    std::int64_t length() const { return static_cast<std::int64_t>(text_.size()); }
    std::int64_t expected_length() const;  // of prompt and answer, as far as the request tells

    bool has_begun() const { return has_begun_; }
    bool is_over() const { return is_over_; }
    bool is_cancelled() const;  // whether the request's own flag says so

    void found_cached(std::int64_t n) { reply_.n_cached += static_cast<int>(n); }  // tokens more

    void start();    // the clock: the prompt is about to be read
    Status begin();  // the prompt was read; nothing if that was told before

    std::int64_t most_next() const;  // tokens that next() may come to
    // What to compute next: the last token of the text and what is guessed to follow, at most
    // `room` > 0 tokens. Valid until the next call.
    Result<std::span<const TokenId>> next(std::int64_t room);
    void computed(double seconds) {
        guesses_.computed(seconds);
    }  // the pass over these took so long

    // Draws from the logits behind the tokens computed last, one row after the other as long as
    // guesses turn out right; then adds what was drawn to the text. Only add() calls on_token.
    void sample(std::span<const float> logits);
    Status add();

    void cancel();
    Reply take_reply() { return std::move(reply_); }  // once it is over
    const Reply& reply() const { return reply_; }

    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;

  private:
    Answer(const Engine& engine, const Request& request, std::int64_t n_ctx);
    Status choose_proposer(DraftProposer* draft);
    bool is_complete() const;  // the text has the form that was asked for, and ends there
    Result<gen::Choice> draw(std::span<const float> logits);
    void end(gen::FinishReason reason);

    const Engine* engine_;
    const Request* request_;
    std::int64_t n_ctx_;
    Reply reply_;
    std::vector<TokenId> text_;
    gen::NgramProposer ngram_;
    gen::Proposer* proposer_ = nullptr;
    Guesses guesses_;
    std::optional<gen::Sampler> sampler_;
    std::optional<FormKeeper> keeper_;  // none: any text
    std::optional<Writer> writer_;
    std::vector<TokenId> computing_;
    std::vector<gen::Choice> drawn_;
    Status draw_failed_;
    bool has_begun_ = false;
    bool is_over_ = false;
    Clock::time_point started_ = {}, begun_ = {};
};

}  // namespace heft::engine
