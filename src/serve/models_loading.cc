// Which models are in memory: opened when the plan says that they fit, closed when they are idle.
#include <algorithm>

#include <fmt/format.h>

#include "serve/models_impl.h"

namespace heft::serve {

namespace {

constexpr std::chrono::milliseconds kLook{250};  // for models that nobody uses any more
constexpr double kRetryAfter = 5;
// For connections, requests, and what the plan of a model leaves out.
constexpr std::int64_t kReserve = 64 << 20;

Failure cannot_load(const std::string& name, const Error& error) {
    const bool may_pass = error.code == Code::exhausted;
    Failure why =
        model_failure(may_pass ? FailureKind::unavailable : FailureKind::internal,
                      fmt::format("The model \"{}\" cannot be loaded: {}", name, error.what),
                      may_pass ? "not_enough_memory" : "model_not_loadable");
    if (may_pass) why.retry_after_s = kRetryAfter;
    return why;
}

}  // namespace

void Models::work() {
    std::unique_lock lock(mutex_);
    while (!over_) {
        forget_retired();
        Entry* wanted = nullptr;
        for (const auto& entry : entries_)
            if (wanted == nullptr && !entry->waiters.empty()) wanted = entry.get();
        if (wanted != nullptr)
            load(lock, *wanted);
        else
            changed_.wait_for(lock, kLook);
        let_go_of_old(lock);
    }
}

// Nothing else refers to a retired one that is not loaded: the worker is between two models here.
void Models::forget_retired() {
    retired_.erase(std::remove_if(retired_.begin(), retired_.end(),
                                  [](const auto& entry) { return entry->loaded == nullptr; }),
                   retired_.end());
}

std::vector<Models::Entry*> Models::everything() const {
    std::vector<Entry*> all;
    for (const Entries* entries : {&entries_, &retired_})
        for (const auto& entry : *entries) all.push_back(entry.get());
    return all;
}

// Bytes for the cache of a model: what is promised to all of them stays within what there is.
Result<std::int64_t> Models::admit(const engine::MemoryPlan& plan, std::int64_t usual) {
    while (true) {
        const std::int64_t all = options_.memory();
        if (all == 0) return usual;
        std::int64_t left = all - kReserve;
        {
            const std::lock_guard lock(mutex_);
            for (const Entry* entry : everything())
                if (entry->loaded) left -= entry->loaded->bytes;
        }
        if (plan.least() <= left) return plan.cache_within(left);
        if (!let_go_of_one())
            return Error{Code::exhausted,
                         fmt::format("it takes {}, and {} are to be had; serve it with a shorter "
                                     "context (-c), a smaller cache (--cache-type-k q8_0, "
                                     "--cache-type-v q8_0, --cache-size) or fewer bits",
                                     engine::in_words(plan),
                                     engine::gibibytes(std::max<std::int64_t>(0, left)))};
    }
}

Result<std::shared_ptr<Models::Loaded>> Models::make(const ModelSource& source) {
    engine::SchedulerOptions scheduler = source.scheduler.value_or(options_.scheduler);
    engine::MemoryPlan plan;
    {
        HEFT_TRY(const engine::Engine described, open_engine(source, false));
        HEFT_TRY(plan, engine::plan_memory(described, scheduler));
    }
    HEFT_TRY(scheduler.cache_bytes, admit(plan, scheduler.cache_bytes));
    HEFT_TRY(engine::Engine engine, open_engine(source, true));
    auto loaded = std::make_shared<Loaded>(std::move(engine));
    HEFT_TRY(loaded->scheduler, engine::Scheduler::start(loaded->engine, scheduler));
    loaded->n_ctx = loaded->scheduler->n_ctx();
    loaded->bytes = plan.weights + plan.working + scheduler.cache_bytes;
    return loaded;
}

void Models::load(std::unique_lock<std::mutex>& lock, Entry& entry) {
    // A single model is opened at the start, and the program ends with what is wrong.
    const bool tells_errors = entries_.size() > 1 || entry.was_loaded;
    lock.unlock();
    const auto begin = Clock::now();
    auto made = make(entry.source);
    while (!made && made.error().code == Code::exhausted && let_go_of_one())
        made = make(entry.source);
    if (made && options_.notice)
        options_.notice(fmt::format("{} is loaded, in {:.1f} s; context {} tokens, at most {}",
                                    entry.source.name, seconds_since(begin), (*made)->n_ctx,
                                    engine::gibibytes((*made)->bytes)));
    if (!made && options_.notice && tells_errors)
        options_.notice(
            fmt::format("{} cannot be loaded: {}", entry.source.name, made.error().what));
    lock.lock();
    std::vector<std::pair<std::function<void(Opened)>, Opened>> calls;
    entry.was_loaded = entry.was_loaded || made;
    if (made && !draining_) entry.loaded = *made;
    for (Entry::Waiter& waiter : entry.waiters) {
        Opened opened;
        const Place place = find(waiter.name);
        if (!made)
            opened.failure = cannot_load(entry.source.name, made.error());
        else if (draining_)
            opened.failure = server_is_stopping();
        else if (place.entry != &entry)  // its adapter has gone meanwhile
            opened.failure = no_such_model(waiter.name, all_names());
        else
            opened.model = lease(place);
        calls.emplace_back(std::move(waiter.call), std::move(opened));
    }
    entry.waiters.clear();
    lock.unlock();
    for (auto& [call, opened] : calls) call(std::move(opened));
    calls.clear();
    lock.lock();
}

// Of the idle models, the one whose last use is longest ago; false if there is none.
bool Models::let_go_of_one() {
    std::shared_ptr<Loaded> gone;
    const std::lock_guard lock(mutex_);
    Entry* oldest = nullptr;
    for (Entry* entry : everything()) {
        if (!entry->loaded || entry->loaded.use_count() > 1) continue;
        if (oldest == nullptr || entry->used < oldest->used) oldest = entry;
    }
    if (oldest == nullptr) return false;
    if (options_.notice) options_.notice(oldest->source.name + " is unloaded: its room is needed");
    gone = std::move(oldest->loaded);
    return true;
}

void Models::let_go_of_old(std::unique_lock<std::mutex>& lock) {
    std::vector<std::shared_ptr<Loaded>> idle;
    for (Entry* entry : everything()) {
        if (!entry->loaded) continue;
        if (entry->loaded.use_count() > 1) {
            entry->used = Clock::now();
            continue;
        }
        const bool old = entry->keep_alive && Clock::now() - entry->used >= *entry->keep_alive;
        if (!old && !entry->let_go) continue;
        entry->let_go = false;
        if (options_.notice) options_.notice(entry->source.name + " is unloaded");
        idle.push_back(std::move(entry->loaded));
    }
    if (idle.empty()) return;
    lock.unlock();
    idle.clear();
    lock.lock();
}

}  // namespace heft::serve
