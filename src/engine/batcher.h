// What a Scheduler's thread does: which jobs run, and the steps that they share. Private to this
// module; not thread-safe.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "engine/fair_queue.h"
#include "engine/scheduler.h"
#include "engine/task.h"

namespace heft::engine {

class Batcher {
  public:
    // The engine and a draft model outlive it. Errors: invalid, for options without meaning.
    static Result<std::unique_ptr<Batcher>> make(const Engine& engine,
                                                 const SchedulerOptions& options);

    std::int64_t n_ctx() const { return n_ctx_; }

    // Checks a job and makes it one of this batcher's; any thread may do that.
    Result<std::unique_ptr<Task>> prepare(Job job) const;

    void enter(std::unique_ptr<Task> task) { queue_.enter(std::move(task)); }
    void cancel(const std::vector<JobId>& ids);  // ascending
    void cancel_all();

    bool has_work() const { return queue_.size() > 0 || !running_.empty(); }
    // Ends what is to end, admits what fits, computes once for all that run.
    void step();

    struct Ended {
        std::unique_ptr<Task> task;
        Result<Reply> reply;
    };
    std::vector<Ended> take_ended() { return std::exchange(ended_, {}); }

    // All but what is counted where jobs are submitted.
    const Scheduler::Stats& stats();
    std::vector<Scheduler::Slot> slots() const;

  private:
    struct Piece {  // of a step
        Task* task;
        std::span<const TokenId> tokens;
        Sequence::Rows rows;
        std::span<const float> logits;  // [n_rows, n_vocab], once it is computed
        std::size_t n_rows() const;
    };

    Batcher(const Engine& engine, const SchedulerOptions& options)
        : engine_(&engine), options_(options) {}

    void end(std::unique_ptr<Task> task);
    void retire();
    void admit();
    bool has_room(const Task& task) const;
    bool displace_for(const Task& task);
    void start(std::unique_ptr<Task> task);
    void put_back(std::size_t index);
    void make_room();
    void share_draft_memory();
    void plan();
    void look_up(Task& task);
    bool is_being_read(const Task& task) const;
    void plan_next(Task& task, int room, int& budget);
    void plan_piece(Task& task, int& budget);
    void add_piece(Task& task, std::span<const TokenId> tokens, Sequence::Rows rows, int& budget);
    void compute();
    void draw();
    void sweep();

    const Engine* engine_;
    SchedulerOptions options_;
    std::int64_t n_ctx_ = 0;
    std::unique_ptr<kv::Store> store_;
    FairQueue queue_;
    std::vector<std::unique_ptr<Task>> running_;  // in the order in which they were admitted
    std::vector<Ended> ended_;
    std::vector<Piece> pieces_;
    std::vector<model::Input> inputs_;
    PagedVector<float> logits_;
    std::size_t turn_ = 0;  // whose token comes first where a step has not room for all
    Scheduler::Stats stats_;
    double last_end_s_ = 0;  // of the busy time, when a job ended last
};

}  // namespace heft::engine
