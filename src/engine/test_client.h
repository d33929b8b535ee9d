// What the tests of the scheduler share: a client that collects what becomes of its jobs.
#pragma once

#include <condition_variable>
#include <future>
#include <map>
#include <mutex>

#include <gtest/gtest.h>

#include "engine/scheduler.h"

namespace heft::engine {

inline Engine open(const std::string& reference, const OpenOptions& options = {}) {
    auto engine = Engine::open(reference, options);
    if (!engine) ADD_FAILURE() << engine.error().what;
    return std::move(*engine);
}

inline std::unique_ptr<Scheduler> start(const Engine& engine,
                                        const SchedulerOptions& options = {}) {
    auto scheduler = Scheduler::start(engine, options);
    if (!scheduler) ADD_FAILURE() << scheduler.error().what;
    return std::move(*scheduler);
}

// The scheduler's thread held up between two steps, until this goes.
class Hold {
  public:
    explicit Hold(Scheduler& scheduler) {
        std::promise<void> held;
        EXPECT_TRUE(scheduler.post([&held, gate = gate_.get_future().share()] {
            held.set_value();
            gate.wait();
        }));
        held.get_future().wait();
    }
    ~Hold() { gate_.set_value(); }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

  private:
    std::promise<void> gate_;
};

// Submits jobs and collects what becomes of them, in the order in which they ended.
class Client {
  public:
    explicit Client(Scheduler& scheduler) : scheduler_(scheduler) {}

    JobId submit(Job job) {
        auto id = try_submit(std::move(job));
        if (!id) ADD_FAILURE() << id.error().what;
        return id ? *id : 0;
    }

    Result<JobId> try_submit(Job job) {
        const std::size_t index = n_++;
        job.on_done = [this, index](Result<Reply> reply) {
            const std::lock_guard lock(mutex_);
            EXPECT_TRUE(replies_.emplace(index, std::move(reply)).second);
            order_.push_back(index);
            changed_.notify_all();
        };
        auto id = scheduler_.submit(std::move(job));
        if (!id) --n_;
        return id;
    }

    // Of the index-th job that was taken; waits for it.
    Result<Reply>& reply(std::size_t index) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return replies_.contains(index); });
        return replies_.at(index);
    }
    void wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return replies_.size() == n_; });
    }
    const std::vector<std::size_t>& order() const { return order_; }  // after wait()
    std::size_t size() const { return n_; }

  private:
    Scheduler& scheduler_;
    std::size_t n_ = 0;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::size_t, Result<Reply>> replies_;
    std::vector<std::size_t> order_;
};

inline Request story(std::vector<TokenId> prompt, int n) {
    Request request;
    request.prompt = std::move(prompt);
    request.sampling.temperature = 0;
    request.n_predict = n;
    request.ignore_eos = true;
    request.decode_text = false;
    return request;
}

inline Reply alone(const Engine& engine, const Request& request, std::int64_t n_ctx) {
    auto session = Session::start(engine, {.n_ctx = n_ctx});
    if (!session) ADD_FAILURE() << session.error().what;
    auto reply = session->generate(request);
    if (!reply) ADD_FAILURE() << reply.error().what;
    return std::move(*reply);
}

inline void expect_sums_up(const Scheduler::Stats& s) {
    EXPECT_EQ(s.jobs, s.done + s.failed + s.cancelled + static_cast<std::uint64_t>(s.waiting)
                          + static_cast<std::uint64_t>(s.running));
}

}  // namespace heft::engine
