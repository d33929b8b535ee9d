#include "serve/answer.h"

#include <algorithm>
#include <mutex>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/sha256.h"
#include "serve/constraint.h"
#include "serve/finish.h"
#include "serve/prompt.h"
#include "serve/reply_reader.h"

namespace heft::serve {

namespace {

using engine::TokenId;

std::string fingerprint_of(const Service& service, const Model& model) {
    const std::string all = service.version() + "\n" + model.name() + "\n"
                            + std::to_string(model.engine().checkpoint().file_bytes());
    const auto digest = sha256({reinterpret_cast<const std::byte*>(all.data()), all.size()});
    return "fp_" + (digest ? digest->substr(0, 10) : std::string("heft"));
}

// Lives until the last job is done: the jobs hold it.
class Run : public std::enable_shared_from_this<Run> {
  public:
    Run(Service& service, Request request, std::shared_ptr<Sink> sink)
        : service_(service), request_(std::move(request)), sink_(std::move(sink)) {
        answer_.id = request_.id;
        answer_.created_s = std::chrono::duration_cast<std::chrono::seconds>(
                                std::chrono::system_clock::now().time_since_epoch())
                                .count();
        answer_.degraded = request_.degraded;
    }

    void begin(Opened opened);
    void cancel();

  private:
    std::optional<Failure> prepare();
    std::optional<Failure> prepare_prompts(std::vector<std::vector<TokenId>>& prompts);
    std::optional<Failure> add_jobs(const std::vector<TokenId>& prompt);
    std::optional<Failure> submit_all();
    Failure submit_failure(const Error& error) const;

    void on_choice(int choice, const gen::Choice& made);
    void on_text(int choice, std::string_view text, TokenId id);
    void on_done(int choice, Result<engine::Reply> reply);

    void note(int choice, std::vector<text::ReplyEvent> parts, TokenId id);
    void flush_tokens(int choice);
    void end_choice(int choice, const engine::Reply& reply);
    void add_degraded(const std::vector<std::string>& entries);
    void emit(Event event);
    void fail(const Failure& failure);
    void finish_if_complete();
    void report(int status, std::optional<FailureKind> failure);

    TokenInfo::Alternative alternative(TokenId id, float logprob) const;

    struct State {  // of a choice, beside what the answer shows
        ReplyReader reader;
        std::vector<TokenInfo> pending;
    };

    Service& service_;
    const Request request_;
    const std::shared_ptr<Sink> sink_;
    const Clock::time_point began_ = Clock::now();
    std::shared_ptr<Model> model_;
    const text::Tokenizer* words_ = nullptr;
    std::vector<engine::Request> jobs_;  // until they are submitted

    std::mutex mutex_;  // guards what follows; never held while the scheduler is called
    Answer answer_;
    std::vector<State> states_;
    std::vector<engine::JobId> ids_;
    std::vector<Event> early_;  // that came before started()
    bool started_ = false, ended_ = false, cancelled_ = false;
    std::size_t n_done_ = 0;
};

void Run::begin(Opened opened) {
    if (opened.model == nullptr) {
        const std::lock_guard lock(mutex_);
        return fail(opened.failure);
    }
    model_ = std::move(opened.model);
    answer_.load_s = seconds_since(began_);
    auto failure = prepare();
    if (!failure) failure = submit_all();
    jobs_.clear();  // they hold this
    std::unique_lock lock(mutex_);
    if (failure) {
        fail(*failure);
        lock.unlock();
        return cancel();
    }
    if (ended_) return;  // a job failed already
    started_ = true;
    sink_->started(answer_);
    for (const Event& event : std::exchange(early_, {})) sink_->event(event, answer_);
    finish_if_complete();
}

std::optional<Failure> Run::prepare_prompts(std::vector<std::vector<TokenId>>& prompts) {
    const engine::Engine& engine = model_->engine();
    if (request_.is_chat) {
        auto ids = chat_prompt(engine, request_, answer_.degraded);
        if (!ids) return failure_of(ids.error());
        prompts.push_back(std::move(*ids));
    }
    for (const Prompt& prompt : request_.prompts) {
        auto ids = text_prompt(engine, prompt);
        if (!ids) return failure_of(ids.error());
        prompts.push_back(std::move(*ids));
    }
    for (const auto& prompt : prompts) {
        if (prompt.empty())
            return invalid(request_.is_chat ? "messages" : "prompt",
                           "the prompt is empty: there is nothing to continue");
        if (request_.truncate) continue;
        if (auto failure = check_length(prompt.size(), model_->n_ctx())) return failure;
    }
    return {};
}

std::optional<Failure> Run::prepare() {
    const engine::Engine& engine = model_->engine();
    answer_.model = model_->name();
    answer_.fingerprint = fingerprint_of(service_, *model_);
    const auto words = engine.tokenizer();
    if (!words) return failure_of(words.error());
    words_ = *words;
    for (const gen::LogitBias& bias : request_.sampling.logit_bias)
        if (bias.id < 0 || bias.id >= words_->size())
            return invalid("logit_bias", fmt::format("the token id {} is not within the model's 0 "
                                                     "to {}",
                                                     bias.id, words_->size() - 1));
    std::vector<std::vector<TokenId>> prompts;
    if (auto failure = prepare_prompts(prompts)) return failure;
    for (const auto& prompt : prompts)
        if (auto failure = add_jobs(prompt)) return failure;
    return {};
}

std::optional<Failure> Run::add_jobs(const std::vector<TokenId>& prompt) {
    const engine::Engine& engine = model_->engine();
    engine::Request job;
    job.prompt = prompt;
    job.stop = request_.stop;
    job.ignore_eos = request_.ignore_eos;
    job.truncate = request_.truncate;
    if (request_.max_tokens)
        job.n_predict = static_cast<int>(std::min<std::int64_t>(*request_.max_tokens, 1 << 30));
    auto sampling = sampling_of(request_, engine.sampling_defaults());
    if (!sampling) return failure_of(sampling.error());
    job.sampling = std::move(*sampling);
    if (auto failure = constrain(request_, engine, job, answer_.degraded)) return failure;

    std::string echoed;
    if (request_.echo) {
        const auto text = words_->decode(prompt, false);
        if (text) echoed = text::to_valid_utf8(*text);
    }
    for (std::int64_t k = 0; k < request_.n; ++k) {
        const auto choice = static_cast<int>(states_.size());
        engine::Request each = job;
        // Choices of one request differ; each can be had again alone, by its own seed.
        if (each.sampling.seed >= 0) each.sampling.seed += k;
        each.on_choice = [self = shared_from_this(), choice](const gen::Choice& made) {
            self->on_choice(choice, made);
        };
        each.on_token = [self = shared_from_this(), choice](std::string_view text, TokenId id) {
            self->on_text(choice, text, id);
        };
        jobs_.push_back(std::move(each));
        states_.push_back({ReplyReader::make(engine, request_, prompt), {}});
        answer_.choices.emplace_back();
        if (!echoed.empty()) {
            answer_.choices.back().text = echoed;
            early_.push_back({.kind = Event::Kind::text, .choice = choice, .text = echoed});
        }
    }
    answer_.usage.n_prompt += static_cast<int>(prompt.size());
    return {};
}

std::optional<Failure> Run::submit_all() {
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
        const auto choice = static_cast<int>(i);
        engine::Job job;
        job.request = std::move(jobs_[i]);
        job.owner = request_.caller.name;
        job.priority = request_.caller.priority;
        job.on_done = [self = shared_from_this(), choice](Result<engine::Reply> reply) {
            self->on_done(choice, std::move(reply));
        };
        auto id = model_->scheduler().submit(std::move(job));
        if (!id) return submit_failure(id.error());
        std::unique_lock lock(mutex_);
        ids_.push_back(*id);
        const bool unwanted = cancelled_ || ended_;
        lock.unlock();
        if (unwanted) model_->scheduler().cancel(*id);
    }
    return {};
}

Failure Run::submit_failure(const Error& error) const {
    Failure failure = failure_of(error);
    if (failure.kind == FailureKind::rate_limited) {
        failure.code = "queue_full";
        failure.retry_after_s = std::max(1.0, model_->scheduler().stats().retry_after_s);
    }
    return failure;
}

void Run::cancel() {
    std::vector<engine::JobId> ids;
    {
        const std::lock_guard lock(mutex_);
        cancelled_ = true;
        ids = ids_;
    }
    if (model_ == nullptr) return;
    for (const engine::JobId id : ids) model_->scheduler().cancel(id);
}

TokenInfo::Alternative Run::alternative(TokenId id, float logprob) const {
    return {std::string(words_->bytes_of(id, true)), id, logprob};
}

void Run::on_choice(int choice, const gen::Choice& made) {
    const std::lock_guard lock(mutex_);
    if (answer_.first_token_s <= 0) answer_.first_token_s = seconds_since(began_);
    ++answer_.usage.n_made;
    if (!made.logprob || ended_) return;
    const auto& ends = words_->special().end_of_generation;
    if (std::find(ends.begin(), ends.end(), made.id) != ends.end()) return;
    TokenInfo info;
    info.chosen = alternative(made.id, *made.logprob);
    for (const gen::TokenLogprob& other : made.top)
        info.top.push_back(alternative(other.id, other.logprob));
    states_[static_cast<std::size_t>(choice)].pending.push_back(std::move(info));
}

void Run::on_text(int choice, std::string_view text, TokenId id) {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    State& state = states_[static_cast<std::size_t>(choice)];
    note(choice, state.reader.push(text, id), id);
    flush_tokens(choice);
}

// Adds to what the answer shows, and tells it.
void Run::note(int choice, std::vector<text::ReplyEvent> parts, TokenId id) {
    using From = text::ReplyEvent::Kind;
    Choice& so_far = answer_.choices[static_cast<std::size_t>(choice)];
    bool reasoned = false;
    for (text::ReplyEvent& part : parts) {
        Event event{.kind = Event::Kind::text, .choice = choice, .call = part.call};
        switch (part.kind) {
            case From::content: so_far.text += part.text; break;
            case From::reasoning:
                event.kind = Event::Kind::reasoning;
                so_far.reasoning += part.text;
                reasoned = true;
                break;
            case From::call_begin:
                event.kind = Event::Kind::call_begin;
                event.id = fmt::format("call_{}_{}_{}", answer_.id, choice, part.call);
                event.name = std::exchange(part.text, {});
                so_far.calls.push_back({event.id, event.name, ""});
                break;
            case From::call_arguments:
                event.kind = Event::Kind::call_arguments;
                so_far.calls.back().arguments += part.text;
                break;
            case From::call_end: event.kind = Event::Kind::call_end; break;
        }
        event.text = std::move(part.text);
        emit(std::move(event));
    }
    if (reasoned && id != text::kNoToken) ++answer_.usage.n_reasoning;
}

void Run::flush_tokens(int choice) {
    State& state = states_[static_cast<std::size_t>(choice)];
    if (state.pending.empty()) return;
    Event event{.kind = Event::Kind::tokens, .choice = choice};
    event.tokens = std::exchange(state.pending, {});
    auto& all = answer_.choices[static_cast<std::size_t>(choice)].tokens;
    all.insert(all.end(), event.tokens.begin(), event.tokens.end());
    emit(std::move(event));
}

void Run::emit(Event event) {
    if (started_)
        sink_->event(event, answer_);
    else
        early_.push_back(std::move(event));
}

void Run::on_done(int choice, Result<engine::Reply> reply) {
    std::unique_lock lock(mutex_);
    ++n_done_;
    if (ended_) return;
    if (!reply) {
        fail(failure_of(reply.error()));
        lock.unlock();
        return cancel();
    }
    end_choice(choice, *reply);
    finish_if_complete();
}

void Run::end_choice(int choice, const engine::Reply& reply) {
    State& state = states_[static_cast<std::size_t>(choice)];
    Choice& so_far = answer_.choices[static_cast<std::size_t>(choice)];
    note(choice, state.reader.finish(), text::kNoToken);
    flush_tokens(choice);
    so_far.finish = finish_of(reply.finish);
    if (so_far.finish == Finish::stop_string) {
        const auto text = words_->decode(reply.ids);
        if (text) so_far.stop_string = stop_string_in(*text, request_.stop);
    }
    if (!so_far.calls.empty() && so_far.finish == Finish::stop) so_far.finish = Finish::tool_calls;
    so_far.finished = true;
    if (choice == 0) answer_.seed = reply.seed;
    answer_.usage.n_cached = std::max(answer_.usage.n_cached, reply.n_cached);
    answer_.prompt_s = std::max(answer_.prompt_s, reply.prefill_s);
    answer_.decode_s = std::max(answer_.decode_s, reply.decode_s);
    add_degraded(reply.degraded);
    add_degraded(state.reader.degraded());
    Event event{.kind = Event::Kind::finished, .choice = choice};
    event.finish = so_far.finish;
    emit(std::move(event));
}

void Run::add_degraded(const std::vector<std::string>& entries) {
    for (const std::string& entry : entries)
        if (std::find(answer_.degraded.begin(), answer_.degraded.end(), entry)
            == answer_.degraded.end())
            answer_.degraded.push_back(entry);
}

void Run::finish_if_complete() {
    if (!started_ || ended_ || n_done_ < states_.size()) return;
    ended_ = true;
    answer_.total_s = seconds_since(began_);
    sink_->done(answer_);
    report(200, {});
}

void Run::fail(const Failure& failure) {
    if (std::exchange(ended_, true)) return;
    answer_.total_s = seconds_since(began_);
    sink_->failed(failure);
    report(status_of(failure.kind), failure.kind);
}

void Run::report(int status, std::optional<FailureKind> failure) {
    Outcome outcome;
    outcome.endpoint = request_.endpoint;
    outcome.model = answer_.model.empty() ? request_.model : answer_.model;
    outcome.owner = request_.caller.name;
    outcome.request_id = request_.id;
    outcome.status = status;
    outcome.failure = failure;
    outcome.cancelled = cancelled_;
    outcome.n_prompt = answer_.usage.n_prompt;
    outcome.n_cached = answer_.usage.n_cached;
    outcome.n_made = answer_.usage.n_made;
    outcome.first_token_s = answer_.first_token_s;
    outcome.total_s = answer_.total_s;
    outcome.degraded = answer_.degraded;
    service_.report(outcome);
}

}  // namespace

void answer(Service& service, Request request, std::shared_ptr<Responder> responder,
            std::shared_ptr<Sink> sink) {
    const std::string model = request.model;
    const Caller caller = request.caller;
    const auto keep_alive = request.keep_alive;
    const auto run = std::make_shared<Run>(service, std::move(request), std::move(sink));
    responder->when_gone([weak = std::weak_ptr<Run>(run)] {
        if (const auto alive = weak.lock()) alive->cancel();
    });
    service.open(model, caller, keep_alive,
                 [run](Opened opened) { run->begin(std::move(opened)); });
}

}  // namespace heft::serve
