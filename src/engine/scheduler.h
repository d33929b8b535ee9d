// Many answers at once from one model: continuous batching. Every step computes one token for each
// answer in the making and, with what is left of the step's budget, a piece of the prompts that
// wait (Yu et al. 2022, "Orca"; Agrawal et al. 2024, "Sarathi-Serve"). One thread computes; every
// function here may be called from any thread. The engine outlives its scheduler, and belongs to it
// alone meanwhile.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/engine.h"

namespace heft::engine {

struct SchedulerOptions {
    int n_sequences = 64;           // answers in the making at most
    std::int64_t n_ctx = 0;         // of one sequence; 0: the model's own
    std::int64_t cache_bytes = 0;   // for keys and values of all; 0: half of the free memory
    int step_tokens = 512;          // computed in one step at most
    int max_waiting = 256;          // jobs that wait at most
    const Engine* draft = nullptr;  // guesses where a request asks for them; outlives the scheduler
};

using JobId = std::uint64_t;

struct Job {
    Request request;         // on_token is called from the scheduler's thread, and must not block
    std::string owner = {};  // owners get equal shares of the machine, jobs of one owner turns
    int priority = 0;        // higher ones go first, whoever owns them
    std::optional<Clock::time_point> deadline = {};  // passed: ends with Code::exhausted
    // Called exactly once, last, from the scheduler's thread; must not block. A cancelled job has a
    // reply that says so.
    std::function<void(Result<Reply>)> on_done = {};
};

class Scheduler {
  public:
    static Result<std::unique_ptr<Scheduler>> start(const Engine& engine,
                                                    const SchedulerOptions& options = {});
    ~Scheduler();  // cancels what is left

    // Errors come at once and on_done is not called: invalid for a request that cannot be answered
    // (the prompt exceeds the context, by how much is said), exhausted when too many jobs wait.
    Result<JobId> submit(Job job);
    void cancel(JobId id);  // takes effect before the next step; nothing if it is done already

    // Calls `work` once between two steps, when nothing else uses the engine: embeddings, say.
    Status post(std::function<void()> work);

    // Takes no further jobs and waits until those there are have ended, or the deadline; answers
    // whether they have. Not to be called by what the scheduler calls.
    bool drain(Clock::time_point deadline);

    std::int64_t n_ctx() const;  // of one sequence: what was asked for, or what the cache can hold

    struct Slot {  // an answer in the making
        JobId id = 0;
        std::string owner;
        int n_prompt = 0, n_read = 0, n_cached = 0, n_made = 0;
        double age_s = 0;
    };
    std::vector<Slot> slots() const;

    struct Stats {  // counts since the start, and what is now
        // jobs = done + failed + cancelled + waiting + running; refused ones, for want of room, are
        // none of them.
        std::uint64_t jobs = 0, done = 0, failed = 0, cancelled = 0, refused = 0;
        std::uint64_t prompt_tokens = 0, cached_tokens = 0, made_tokens = 0;
        std::uint64_t steps = 0, step_tokens = 0;
        std::uint64_t guessed = 0, guessed_right = 0;
        std::uint64_t evicted_blocks = 0;
        std::uint64_t preempted = 0;  // answers put back to wait, to be computed again later
        int waiting = 0, running = 0;
        std::int64_t blocks = 0, blocks_used = 0,
                     blocks_kept = 0;  // kept: free, but of use as a prefix
        int block_tokens = 0;
        std::int64_t block_bytes = 0;
        double busy_s = 0;
        double retry_after_s = 0;  // when a refused job may find room, estimated
    };
    Stats stats() const;

  private:
    struct Impl;
    explicit Scheduler(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace heft::engine
