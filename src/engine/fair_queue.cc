#include "engine/fair_queue.h"

#include <algorithm>
#include <tuple>

#include "engine/task.h"

namespace heft::engine {

namespace {

auto rank(const Task& task) {
    return std::make_tuple(-task.job.priority, task.share->served, task.id);
}

}  // namespace

bool goes_before(const Task& a, const Task& b) {
    return rank(a) < rank(b);
}

FairQueue::FairQueue() = default;
FairQueue::~FairQueue() = default;

void FairQueue::enter(std::unique_ptr<Task> task) {
    const auto found = shares_.find(task->job.owner);
    if (found == shares_.end()) {
        // Having been away is no credit.
        double least = 0;
        bool first = true;
        for (const auto& [name, share] : shares_) {
            least = first ? share.served : std::min(least, share.served);
            first = false;
        }
        Share& share = shares_[task->job.owner];
        share.served = least;
        task->share = &share;
    } else {
        task->share = &found->second;
    }
    ++task->share->n_jobs;
    ++task->share->n_running;
    put_back(std::move(task));
}

void FairQueue::put_back(std::unique_ptr<Task> task) {
    Share& share = *task->share;
    --share.n_running;
    ++n_waiting_;
    const std::pair<int, JobId> key(-task->job.priority, task->id);
    share.waiting.emplace(key, std::move(task));
}

void FairQueue::leave(const Task& task) {
    --task.share->n_running;
    if (--task.share->n_jobs == 0) shares_.erase(task.job.owner);
}

const Task* FairQueue::next() const {
    const Task* best = nullptr;
    for (const auto& [name, share] : shares_) {
        if (share.waiting.empty()) continue;
        const Task& task = *share.waiting.begin()->second;
        if (best == nullptr || goes_before(task, *best)) best = &task;
    }
    return best;
}

std::unique_ptr<Task> FairQueue::take_next() {
    const Task* best = next();
    Share& share = *best->share;
    const auto at = share.waiting.begin();
    std::unique_ptr<Task> task = std::move(at->second);
    share.waiting.erase(at);
    --n_waiting_;
    ++share.n_running;
    return task;
}

}  // namespace heft::engine
