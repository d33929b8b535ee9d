#include "engine/scheduler.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "engine/batcher.h"

namespace heft::engine {

namespace {

// What reaches the scheduler's thread between two steps.
struct Mail {
    std::vector<std::unique_ptr<Task>> jobs = {};
    std::vector<JobId> cancels = {};
    std::vector<std::function<void()>> works = {};
    bool stop = false;

    bool empty() const { return jobs.empty() && cancels.empty() && works.empty() && !stop; }
};

constexpr double kFirstGuess = 1;  // seconds until a place is free, while none has become free yet

}  // namespace

// The mutex guards what follows it, is held for moments only and never while something is called
// that is not ours.
struct Scheduler::Impl {
    SchedulerOptions options;
    std::unique_ptr<Batcher> batcher;  // of the thread

    mutable std::mutex mutex = {};
    std::condition_variable arrived = {}, all_done = {};
    Mail mail = {};
    bool is_closed = false;  // to further jobs
    JobId last_id = 0;
    std::uint64_t n_jobs = 0, n_refused = 0;
    std::uint64_t n_open = 0;  // jobs whose on_done has not returned yet
    int n_arriving = 0;        // places taken by jobs that are not in the mail yet
    Stats published = {};
    std::vector<Slot> slots = {};

    std::jthread thread = {};  // last: it is joined before the rest goes

    Status take_place();
    int n_waiting() const;
    void loop();
    bool wait_for_mail(Mail& taken);
    void deliver();
};

Scheduler::Scheduler(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Scheduler::~Scheduler() {
    const std::lock_guard lock(impl_->mutex);
    impl_->is_closed = true;
    impl_->mail.stop = true;
    impl_->arrived.notify_one();
}

Result<std::unique_ptr<Scheduler>> Scheduler::start(const Engine& engine,
                                                    const SchedulerOptions& options) {
    HEFT_TRY(std::unique_ptr<Batcher> batcher, Batcher::make(engine, options));
    auto impl = std::make_unique<Impl>();
    impl->options = options;
    impl->batcher = std::move(batcher);
    impl->published = impl->batcher->stats();
    impl->thread = std::jthread([i = impl.get()] { i->loop(); });
    return std::unique_ptr<Scheduler>(new Scheduler(std::move(impl)));
}

int Scheduler::Impl::n_waiting() const {
    const Stats& s = published;
    return static_cast<int>(n_jobs - s.done - s.failed - s.cancelled) - s.running;
}

Status Scheduler::Impl::take_place() {
    const std::lock_guard lock(mutex);
    if (is_closed) {
        ++n_refused;
        return Error{Code::exhausted, "no further jobs are taken: the scheduler is about to stop"};
    }
    // Whoever can start at once does not wait.
    const int n_free = options.n_sequences - published.running;
    if (n_waiting() + n_arriving >= options.max_waiting + std::max(0, n_free)) {
        ++n_refused;
        return Error{Code::exhausted, "the queue is full: " + std::to_string(options.max_waiting)
                                          + " jobs wait already; try again later"};
    }
    ++n_arriving;
    return {};
}

Result<JobId> Scheduler::submit(Job job) {
    Impl& s = *impl_;
    HEFT_OK(s.take_place());
    auto task = s.batcher->prepare(std::move(job));
    const std::lock_guard lock(s.mutex);
    --s.n_arriving;
    if (!task) return std::move(task.error());
    if (s.is_closed) {
        ++s.n_refused;
        return Error{Code::exhausted, "no further jobs are taken: the scheduler is about to stop"};
    }
    const JobId id = ++s.last_id;
    (*task)->id = id;
    ++s.n_jobs;
    ++s.n_open;
    s.mail.jobs.push_back(std::move(*task));
    s.arrived.notify_one();
    return id;
}

void Scheduler::cancel(JobId id) {
    const std::lock_guard lock(impl_->mutex);
    impl_->mail.cancels.push_back(id);
    impl_->arrived.notify_one();
}

Status Scheduler::post(std::function<void()> work) {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->mail.stop)
        return Error{Code::exhausted, "no further work is taken: the scheduler is about to stop"};
    impl_->mail.works.push_back(std::move(work));
    impl_->arrived.notify_one();
    return {};
}

bool Scheduler::drain(Clock::time_point deadline) {
    std::unique_lock lock(impl_->mutex);
    impl_->is_closed = true;
    return impl_->all_done.wait_until(lock, deadline, [this] { return impl_->n_open == 0; });
}

std::int64_t Scheduler::n_ctx() const {
    return impl_->batcher->n_ctx();
}

std::vector<Scheduler::Slot> Scheduler::slots() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->slots;
}

Scheduler::Stats Scheduler::stats() const {
    const std::lock_guard lock(impl_->mutex);
    Stats stats = impl_->published;
    stats.jobs = impl_->n_jobs;
    stats.refused = impl_->n_refused;
    stats.waiting = impl_->n_waiting();
    if (stats.retry_after_s == 0) stats.retry_after_s = kFirstGuess;
    return stats;
}

bool Scheduler::Impl::wait_for_mail(Mail& taken) {
    std::unique_lock lock(mutex);
    if (!batcher->has_work()) arrived.wait(lock, [this] { return !mail.empty(); });
    taken = std::exchange(mail, Mail{.stop = mail.stop});
    return !taken.stop;
}

void Scheduler::Impl::loop() {
    Mail taken;
    for (bool goes_on = true; goes_on;) {
        goes_on = wait_for_mail(taken);
        for (const auto& work : taken.works) work();
        for (auto& task : taken.jobs) batcher->enter(std::move(task));
        std::sort(taken.cancels.begin(), taken.cancels.end());
        if (!taken.cancels.empty()) batcher->cancel(taken.cancels);
        if (goes_on)
            batcher->step();
        else
            batcher->cancel_all();
        deliver();
    }
}

// Tells what the step has changed: the figures first, so that whoever is called finds them right.
void Scheduler::Impl::deliver() {
    std::vector<Batcher::Ended> ended = batcher->take_ended();
    const Stats& now = batcher->stats();
    std::vector<Slot> seen = batcher->slots();
    {
        const std::lock_guard lock(mutex);
        published = now;
        slots.swap(seen);
    }
    for (Batcher::Ended& one : ended)
        if (one.task->job.on_done) one.task->job.on_done(std::move(one.reply));
    if (ended.empty()) return;
    const auto n_ended = ended.size();
    ended.clear();
    const std::lock_guard lock(mutex);
    n_open -= n_ended;
    if (n_open == 0) all_done.notify_all();
}

}  // namespace heft::engine
