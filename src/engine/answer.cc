#include "engine/answer.h"

#include <algorithm>

#include "base/check.h"

namespace heft::engine {

namespace {

// The prompt as it will be computed: whole, or cut if that was asked for.
Result<std::vector<TokenId>> fit(const Request& request, std::int64_t n_ctx, Reply& reply) {
    const std::vector<TokenId>& prompt = request.prompt;
    const auto length = static_cast<std::int64_t>(prompt.size());
    if (prompt.empty())
        return Error{Code::invalid, "the prompt is empty: there is nothing to continue"};
    const std::int64_t room = n_ctx - 1;  // at least one token of answer
    if (length <= room) return prompt;
    if (!request.truncate)
        return Error{Code::invalid, "the prompt has " + std::to_string(length) + " tokens, "
                                        + std::to_string(length - room)
                                        + " more than a context of " + std::to_string(n_ctx)
                                        + " leaves room for; ask for a larger context (-c) or for "
                                          "cutting the prompt (--truncate)"};
    const std::int64_t wanted = request.n_predict >= 0 ? request.n_predict : n_ctx / 4;
    const std::int64_t keep = std::max<std::int64_t>(1, n_ctx - std::max<std::int64_t>(wanted, 1));
    std::vector<TokenId> cut(prompt.end() - keep, prompt.end());
    cut.front() = prompt.front();  // BOS, where there is one, anchors attention
    reply.degraded.push_back("prompt truncated: " + std::to_string(length - keep) + " of "
                             + std::to_string(length) + " tokens left out");
    return cut;
}

// Here rather than by the model's own check: in a batch, it would be everybody's error.
Status check_ids(std::span<const TokenId> prompt, TokenId n_vocab) {
    for (const TokenId id : prompt)
        if (id < 0 || id >= n_vocab)
            return Error{Code::invalid, "token id " + std::to_string(id)
                                            + " is outside the vocabulary of "
                                            + std::to_string(n_vocab)};
    return {};
}

Status check_adapter(const Engine& engine, int number) {
    const auto& names = engine.adapters();
    if (number >= 0 && static_cast<std::size_t>(number) <= names.size()) return {};
    return Error{Code::invalid, "there is no adapter number " + std::to_string(number)
                                    + "; there are " + std::to_string(names.size())};
}

Result<gen::Sampler> make_sampler(const Engine& engine, const Request& request) {
    gen::DryBreakers breakers;
    if (request.sampling.dry.active()) {
        HEFT_TRY(const text::Tokenizer* words, engine.tokenizer());
        gen::BreakerVocabulary vocabulary;
        vocabulary.size = words->size();
        vocabulary.bytes_of = [words](TokenId id) { return std::string(words->bytes_of(id)); };
        vocabulary.encode = [words](std::string_view text) {
            return words->encode(text, {.add_special = false, .parse_special = false});
        };
        breakers = gen::prepare_breakers(request.sampling.dry.breakers, vocabulary);
    }
    return gen::Sampler::make(request.sampling, engine.model().config().n_vocab,
                              std::move(breakers));
}

}  // namespace

Answer::Answer(const Engine& engine, const Request& request, std::int64_t n_ctx)
    : engine_(&engine),
      request_(&request),
      n_ctx_(n_ctx),
      guesses_(nullptr, request.speculation, reply_.guessed) {}

Result<std::unique_ptr<Answer>> Answer::make(const Engine& engine, const Request& request,
                                             std::int64_t n_ctx, DraftProposer* draft) {
    std::unique_ptr<Answer> answer(new Answer(engine, request, n_ctx));
    Answer& a = *answer;
    gen::StopOptions stop;
    stop.strings = request.stop;
    stop.max_tokens = request.n_predict;
    HEFT_OK(gen::validate(stop));
    if (std::string cost = kv::degradation(engine.cache_types()); !cost.empty())
        a.reply_.degraded.push_back(std::move(cost));
    HEFT_OK(check_adapter(engine, request.adapter));
    HEFT_OK(a.choose_proposer(draft));
    HEFT_TRY(a.text_, fit(request, n_ctx, a.reply_));
    HEFT_OK(check_ids(a.text_, engine.model().config().n_vocab));
    HEFT_TRY(gen::Sampler sampler, make_sampler(engine, request));
    a.sampler_.emplace(std::move(sampler));
    if (request.form.constraint != nullptr) a.keeper_.emplace(engine, request.form);
    HEFT_TRY(Writer writer, Writer::make(engine, request, a.reply_));
    a.writer_.emplace(std::move(writer));
    a.reply_.seed = a.sampler_->seed();
    a.reply_.n_prompt = static_cast<int>(a.text_.size());
    a.reply_.finish = gen::FinishReason::length;
    return answer;
}

Status Answer::choose_proposer(DraftProposer* draft) {
    HEFT_OK(gen::validate(request_->speculation));
    switch (request_->speculation.guesser) {
        case gen::Guesser::off: break;
        case gen::Guesser::ngram: proposer_ = &ngram_; break;
        case gen::Guesser::draft:
            if (draft == nullptr)
                return Error{Code::invalid, "the session has no draft model to guess with"};
            proposer_ = draft;
            break;
    }
    guesses_ = Guesses(proposer_, request_->speculation, reply_.guessed);
    return {};
}

std::int64_t Answer::expected_length() const {
    return reply_.n_prompt + std::max(request_->n_predict, 0);
}

bool Answer::is_cancelled() const {
    return request_->cancel != nullptr && request_->cancel->load(std::memory_order_relaxed);
}

void Answer::start() {
    if (started_ == Clock::time_point()) started_ = Clock::now();
}

Status Answer::begin() {
    if (has_begun_) return {};
    if (proposer_ != nullptr) HEFT_OK(proposer_->begin(text_));
    for (const TokenId id : text_) sampler_->accept(id);
    has_begun_ = true;
    begun_ = Clock::now();
    reply_.prefill_s = std::chrono::duration<double>(begun_ - started_).count();
    if (request_->n_predict == 0) end(gen::FinishReason::length);
    return {};
}

std::int64_t Answer::most_next() const {
    std::int64_t most = proposer_ == nullptr ? 1 : 1 + std::int64_t{request_->speculation.n_max};
    most = std::min(most, n_ctx_ - (length() - 1));
    if (request_->n_predict < 0) return most;
    return std::min(most, request_->n_predict - static_cast<std::int64_t>(reply_.ids.size()));
}

Result<std::span<const TokenId>> Answer::next(std::int64_t room) {
    room = std::min(room, most_next());
    HEFT_TRY(const std::span<const TokenId> guessed, guesses_.next(text_, room - 1));
    computing_.assign(1, text_.back());
    computing_.insert(computing_.end(), guessed.begin(), guessed.end());
    return std::span<const TokenId>(computing_);
}

bool Answer::is_complete() const {
    return keeper_ && keeper_->is_complete();
}

Result<gen::Choice> Answer::draw(std::span<const float> logits) {
    if (!keeper_) return sampler_->sample(logits);
    HEFT_TRY(const std::span<const std::uint64_t> allowed, keeper_->allowed());
    return sampler_->sample(logits, allowed);
}

void Answer::sample(std::span<const float> logits) {
    const auto start = Clock::now();
    const auto n_vocab = static_cast<std::size_t>(engine_->model().config().n_vocab);
    for (bool goes_on = true; goes_on && !logits.empty(); logits = logits.subspan(n_vocab)) {
        auto choice = draw(logits.first(n_vocab));
        if (!choice) {
            draw_failed_ = std::move(choice.error());
            break;
        }
        sampler_->accept(choice->id);
        if (keeper_) keeper_->accept(choice->id, reply_.degraded);
        goes_on = guesses_.foresaw(choice->id) && !is_complete();
        drawn_.push_back(std::move(*choice));
    }
    reply_.sample_s += seconds_since(start);
}

Status Answer::add() {
    const auto start = Clock::now();
    std::vector<gen::Choice> drawn;
    drawn.swap(drawn_);
    for (gen::Choice& choice : drawn) {
        if (is_over_) break;
        if (is_cancelled()) {
            cancel();
            break;
        }
        const std::int64_t before = length();
        text_.push_back(choice.id);
        const auto finish = writer_->add(std::move(choice));
        if (finish || before >= n_ctx_) end(finish.value_or(gen::FinishReason::context_full));
    }
    if (is_complete() && !draw_failed_) end(gen::FinishReason::stop_token);
    reply_.text_s += seconds_since(start);
    return is_over_ ? Status() : std::exchange(draw_failed_, {});
}

void Answer::cancel() {
    end(gen::FinishReason::cancelled);
}

void Answer::end(gen::FinishReason reason) {
    if (is_over_) return;
    is_over_ = true;
    reply_.finish = reason;
    if (!has_begun_) return;
    writer_->finish();
    reply_.decode_s = seconds_since(begun_);
}

}  // namespace heft::engine
