// One request's way through the engine: its jobs, and what of their answers is shown so far.
// Private to the answering of requests.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "serve/answer.h"
#include "serve/reply_reader.h"

namespace heft::serve {

using engine::TokenId;

// Lives until the last job is done: the jobs hold it.
class AnswerRun : public std::enable_shared_from_this<AnswerRun> {
  public:
    AnswerRun(Service& service, Request request, std::shared_ptr<Sink> sink)
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
    Failure failure_of_job(const Error& error) const;

    void on_choice(int choice, const gen::Choice& made);
    void on_text(int choice, std::string_view text, TokenId id);
    void on_done(int choice, Result<engine::Reply> reply);

    bool is_too_much(int choice, const text::ReplyEvent& part);
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
        bool had_enough = false;  // calls: what follows the first is left out
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

}  // namespace heft::serve
