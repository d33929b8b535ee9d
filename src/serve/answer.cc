#include <algorithm>

#include <fmt/format.h>

#include "base/sha256.h"
#include "serve/answer_run.h"
#include "serve/constraint.h"
#include "serve/prompt.h"

namespace heft::serve {

namespace {

std::string fingerprint_of(const Service& service, const Model& model) {
    const std::string all = service.version() + "\n" + model.name() + "\n"
                            + std::to_string(model.engine().checkpoint().file_bytes());
    const auto digest = sha256({reinterpret_cast<const std::byte*>(all.data()), all.size()});
    return "fp_" + (digest ? digest->substr(0, 10) : std::string("heft"));
}

}  // namespace

void AnswerRun::begin(Opened opened) {
    if (opened.model == nullptr) {
        const std::lock_guard lock(mutex_);
        return fail(opened.failure);
    }
    {
        const std::lock_guard lock(mutex_);
        model_ = std::move(opened.model);
    }
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

std::optional<Failure> AnswerRun::prepare_prompts(std::vector<std::vector<TokenId>>& prompts) {
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

std::optional<Failure> AnswerRun::prepare() {
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

std::optional<Failure> AnswerRun::add_jobs(const std::vector<TokenId>& prompt) {
    const engine::Engine& engine = model_->engine();
    engine::Request job;
    job.prompt = prompt;
    job.adapter = model_->adapter();
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

std::optional<Failure> AnswerRun::submit_all() {
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
        const auto choice = static_cast<int>(i);
        engine::Job job;
        job.request = std::move(jobs_[i]);
        job.owner = request_.caller.name;
        job.priority = request_.caller.priority;
        job.deadline = request_.deadline;
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

Failure AnswerRun::submit_failure(const Error& error) const {
    Failure failure = failure_of(error);
    if (failure.kind == FailureKind::rate_limited) {
        failure.code = "queue_full";
        failure.retry_after_s = std::max(1.0, model_->scheduler().stats().retry_after_s);
    }
    return failure;
}

// The scheduler ends with the same code what has waited or run for too long.
Failure AnswerRun::failure_of_job(const Error& error) const {
    const bool is_late = request_.deadline && *request_.deadline <= Clock::now();
    return is_late && error.code == Code::exhausted ? out_of_time() : failure_of(error);
}

void AnswerRun::cancel() {
    std::vector<engine::JobId> ids;
    std::shared_ptr<Model> model;
    {
        const std::lock_guard lock(mutex_);
        cancelled_ = true;
        ids = ids_;
        model = model_;
    }
    for (const engine::JobId id : ids) model->scheduler().cancel(id);
}

void answer(Service& service, Request request, std::shared_ptr<Responder> responder,
            std::shared_ptr<Sink> sink) {
    const std::string model = request.model;
    const Caller caller = request.caller;
    const auto keep_alive = request.keep_alive;
    const auto run = std::make_shared<AnswerRun>(service, std::move(request), std::move(sink));
    responder->when_gone([weak = std::weak_ptr<AnswerRun>(run)] {
        if (const auto alive = weak.lock()) alive->cancel();
    });
    service.open(model, caller, keep_alive,
                 [run](Opened opened) { run->begin(std::move(opened)); });
}

}  // namespace heft::serve
