#include "serve/embed.h"

#include <utility>

#include <fmt/format.h>

#include "base/clock.h"
#include "engine/pooling.h"
#include "serve/prompt.h"

namespace heft::serve {

namespace {

using engine::TokenId;

// One input between each two steps of the scheduler, so that answers in the making go on.
class Run : public std::enable_shared_from_this<Run> {
  public:
    Run(Service& service, EmbeddingRequest request, std::shared_ptr<Responder> responder,
        std::function<void(const Embedded&)> done, std::function<void(const Failure&)> failed)
        : service_(service),
          request_(std::move(request)),
          responder_(std::move(responder)),
          done_(std::move(done)),
          failed_(std::move(failed)) {}

    void begin(Opened opened) {
        if (opened.model == nullptr) return fail(opened.failure);
        model_ = std::move(opened.model);
        embedded_.model = model_->name();
        embedded_.degraded = request_.degraded;
        embedded_.load_s = seconds_since(began_);
        for (std::size_t i = 0; i < request_.inputs.size(); ++i)
            if (auto failure = add(request_.inputs[i], i)) return fail(*failure);
        next();
    }

  private:
    std::optional<Failure> add(const Prompt& input, std::size_t index) {
        auto ids = text_prompt(model_->engine(), input);
        if (!ids) return failure_of(ids.error());
        const auto config = model_->engine().config();
        if (!config) return failure_of(config.error());
        const auto most = static_cast<std::size_t>((*config)->n_ctx);
        if (ids->empty())
            return invalid("input",
                           fmt::format("input[{}] is empty: there is nothing to embed", index));
        if (ids->size() > most && !request_.truncate)
            return invalid("input",
                           fmt::format("input[{}] has {} tokens, {} more than the model's "
                                       "context of {}",
                                       index, ids->size(), ids->size() - most, most),
                           "context_length_exceeded");
        if (ids->size() > most) {
            embedded_.degraded.push_back(
                fmt::format("input[{}] truncated: {} of {} tokens left "
                            "out",
                            index, ids->size() - most, ids->size()));
            ids->resize(most);
        }
        embedded_.n_prompt += static_cast<int>(ids->size());
        ids_.push_back(std::move(*ids));
        return {};
    }

    void next() {
        const Status posted =
            model_->scheduler().post([self = shared_from_this()] { self->compute(); });
        if (!posted) fail(failure_of(posted.error()));
    }

    void compute() {
        if (responder_->gone()) {
            Failure failure;
            failure.kind = FailureKind::cancelled;
            failure.message = "the client went away";
            return fail(failure);
        }
        if (request_.deadline && *request_.deadline <= Clock::now()) return fail(out_of_time());
        auto vector = engine::embed(model_->engine(), ids_[embedded_.vectors.size()],
                                    engine::Pooling::last, model_->adapter());
        if (!vector) return fail(failure_of(vector.error()));
        if (request_.normalise) engine::normalise(*vector);
        embedded_.vectors.push_back(std::move(*vector));
        if (embedded_.vectors.size() < ids_.size()) return next();
        embedded_.total_s = seconds_since(began_);
        done_(embedded_);
        report(200, {});
    }

    void fail(const Failure& failure) {
        failed_(failure);
        report(status_of(failure.kind), failure.kind);
    }

    void report(int status, std::optional<FailureKind> failure) {
        Outcome outcome;
        outcome.endpoint = request_.endpoint;
        outcome.model = embedded_.model.empty() ? request_.model : embedded_.model;
        outcome.owner = request_.caller.name;
        outcome.request_id = request_.id;
        outcome.status = status;
        outcome.failure = failure;
        outcome.cancelled = failure == FailureKind::cancelled;
        outcome.n_prompt = embedded_.n_prompt;
        outcome.total_s = seconds_since(began_);
        outcome.degraded = embedded_.degraded;
        service_.report(outcome);
    }

    Service& service_;
    const EmbeddingRequest request_;
    const std::shared_ptr<Responder> responder_;
    const std::function<void(const Embedded&)> done_;
    const std::function<void(const Failure&)> failed_;
    const Clock::time_point began_ = Clock::now();
    std::shared_ptr<Model> model_;
    std::vector<std::vector<TokenId>> ids_;
    Embedded embedded_;
};

}  // namespace

void embed(Service& service, EmbeddingRequest request, std::shared_ptr<Responder> responder,
           std::function<void(const Embedded&)> done, std::function<void(const Failure&)> failed) {
    const std::string model = request.model;
    const Caller caller = request.caller;
    const auto keep_alive = request.keep_alive;
    const auto run = std::make_shared<Run>(service, std::move(request), std::move(responder),
                                           std::move(done), std::move(failed));
    service.open(model, caller, keep_alive,
                 [run](Opened opened) { run->begin(std::move(opened)); });
}

}  // namespace heft::serve
