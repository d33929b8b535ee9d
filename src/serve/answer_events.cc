// What becomes of the jobs, told to whoever says the answer. Called from the scheduler's thread.
#include <algorithm>

#include <fmt/format.h>

#include "serve/answer_run.h"

namespace heft::serve {

TokenInfo::Alternative AnswerRun::alternative(TokenId id, float logprob) const {
    return {std::string(words_->bytes_of(id, true)), id, logprob};
}

void AnswerRun::on_choice(int choice, const gen::Choice& made) {
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

void AnswerRun::on_text(int choice, std::string_view text, TokenId id) {
    std::unique_lock lock(mutex_);
    if (ended_) return;
    State& state = states_[static_cast<std::size_t>(choice)];
    note(choice, state.reader.push(text, id), id);
    flush_tokens(choice);
    if (!state.had_enough || ids_.size() <= static_cast<std::size_t>(choice)) return;
    const engine::JobId job = ids_[static_cast<std::size_t>(choice)];
    lock.unlock();
    model_->scheduler().cancel(job);
}

// Where one call was asked for, and nothing held the model to it: what comes behind that is told
// of, not shown.
bool AnswerRun::is_too_much(int choice, const text::ReplyEvent& part) {
    if (request_.parallel_calls) return false;
    State& state = states_[static_cast<std::size_t>(choice)];
    const bool is_second = part.kind == text::ReplyEvent::Kind::call_begin
                           && !answer_.choices[static_cast<std::size_t>(choice)].calls.empty();
    if (is_second && !state.had_enough) {
        state.had_enough = true;
        add_degraded(
            {"parallel_tool_calls: the model went on to a second call, which is left out"});
    }
    return state.had_enough;
}

// Adds to what the answer shows, and tells it.
void AnswerRun::note(int choice, std::vector<text::ReplyEvent> parts, TokenId id) {
    using From = text::ReplyEvent::Kind;
    Choice& so_far = answer_.choices[static_cast<std::size_t>(choice)];
    bool reasoned = false;
    for (text::ReplyEvent& part : parts) {
        if (is_too_much(choice, part)) continue;
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

void AnswerRun::flush_tokens(int choice) {
    State& state = states_[static_cast<std::size_t>(choice)];
    if (state.pending.empty()) return;
    Event event{.kind = Event::Kind::tokens, .choice = choice};
    event.tokens = std::exchange(state.pending, {});
    auto& all = answer_.choices[static_cast<std::size_t>(choice)].tokens;
    all.insert(all.end(), event.tokens.begin(), event.tokens.end());
    emit(std::move(event));
}

void AnswerRun::emit(Event event) {
    if (started_)
        sink_->event(event, answer_);
    else
        early_.push_back(std::move(event));
}

void AnswerRun::on_done(int choice, Result<engine::Reply> reply) {
    std::unique_lock lock(mutex_);
    ++n_done_;
    if (ended_) return;
    if (!reply) {
        fail(failure_of_job(reply.error()));
        lock.unlock();
        return cancel();
    }
    end_choice(choice, *reply);
    finish_if_complete();
}

void AnswerRun::end_choice(int choice, const engine::Reply& reply) {
    State& state = states_[static_cast<std::size_t>(choice)];
    Choice& so_far = answer_.choices[static_cast<std::size_t>(choice)];
    note(choice, state.reader.finish(), text::kNoToken);
    flush_tokens(choice);
    so_far.finish = finish_of(reply.finish);
    if (so_far.finish == Finish::stop_string) {
        const auto text = words_->decode(reply.ids);
        if (text) so_far.stop_string = stop_string_in(*text, request_.stop);
    }
    if (!so_far.calls.empty() && (so_far.finish == Finish::stop || state.had_enough))
        so_far.finish = Finish::tool_calls;
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

void AnswerRun::add_degraded(const std::vector<std::string>& entries) {
    for (const std::string& entry : entries)
        if (std::find(answer_.degraded.begin(), answer_.degraded.end(), entry)
            == answer_.degraded.end())
            answer_.degraded.push_back(entry);
}

void AnswerRun::finish_if_complete() {
    if (!started_ || ended_ || n_done_ < states_.size()) return;
    ended_ = true;
    answer_.total_s = seconds_since(began_);
    sink_->done(answer_);
    report(200, {});
}

void AnswerRun::fail(const Failure& failure) {
    if (std::exchange(ended_, true)) return;
    answer_.total_s = seconds_since(began_);
    sink_->failed(failure);
    report(status_of(failure.kind), failure.kind);
}

void AnswerRun::report(int status, std::optional<FailureKind> failure) {
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

}  // namespace heft::serve
