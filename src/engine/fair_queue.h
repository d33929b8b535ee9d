// Who goes next: jobs of a higher priority first; then those of the owner who has been served
// least; then those that came first (start-time fair queueing, Goyal et al. 1996, with tokens as
// the service). Private to this module; not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/scheduler.h"

namespace heft::engine {

struct Task;

// An owner with jobs that wait or run.
struct Share {
    double served = 0;  // tokens, counted from what the least served had when this one came
    int n_jobs = 0;
    int n_running = 0;
    std::map<std::pair<int, JobId>, std::unique_ptr<Task>> waiting;  // by falling priority, and age
};

class FairQueue {
  public:
    FairQueue();
    ~FairQueue();

    void enter(std::unique_ptr<Task> task);     // a new one
    void put_back(std::unique_ptr<Task> task);  // one that was taken, and has to wait again
    void leave(const Task& task);               // one that was taken, and has ended

    // Of those that wait; nullptr if there are none. take() hands it over.
    const Task* next() const;
    std::unique_ptr<Task> take_next();

    // Takes out those that wait and are `gone`, as if they had ended.
    template <class Gone>
    std::vector<std::unique_ptr<Task>> take_if(const Gone& gone);

    int size() const { return n_waiting_; }

  private:
    std::map<std::string, Share> shares_;
    int n_waiting_ = 0;
};

// Whether a goes before b.
bool goes_before(const Task& a, const Task& b);

}  // namespace heft::engine
