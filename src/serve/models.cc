#include "serve/models.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "serve/model_info.h"

namespace heft::serve {

namespace {

constexpr std::chrono::milliseconds kLook{250};  // for models that nobody uses any more
constexpr double kRetryAfter = 5;

Failure failure(FailureKind kind, std::string message, std::string code) {
    Failure failure;
    failure.kind = kind;
    failure.message = std::move(message);
    failure.code = std::move(code);
    return failure;
}

Failure stopping() {
    return failure(FailureKind::unavailable, "The server is stopping.", "stopping");
}

Failure not_found(const std::string& name, const std::string& names) {
    return failure(FailureKind::not_found,
                   fmt::format("There is no model \"{}\" here; there is {}.", name, names),
                   "model_not_found");
}

Failure cannot_load(const std::string& name, const Error& error) {
    const bool may_pass = error.code == Code::exhausted;
    Failure why = failure(may_pass ? FailureKind::unavailable : FailureKind::internal,
                          fmt::format("The model \"{}\" cannot be loaded: {}", name, error.what),
                          "model_not_loadable");
    if (may_pass) why.retry_after_s = kRetryAfter;
    return why;
}

}  // namespace

struct Models::Loaded {
    engine::Engine engine;
    std::unique_ptr<engine::Scheduler> scheduler;
    std::int64_t n_ctx = 0;
    explicit Loaded(engine::Engine e) : engine(std::move(e)) {}
};

struct Models::Entry {
    ModelSource source;
    ModelInfo info;
    std::shared_ptr<Loaded> loaded;  // others are leases, which are made under the mutex only
    std::vector<std::function<void(Opened)>> waiters;
    std::optional<std::chrono::seconds> keep_alive;
    Clock::time_point used;
    bool let_go = false;  // as soon as nobody holds it

    // Of the same files, opened in the same way.
    bool is_like(const Entry& other) const {
        return source.reference == other.source.reference
               && source.settings == other.source.settings && info.digest == other.info.digest
               && info.file_bytes == other.info.file_bytes
               && info.created_s == other.info.created_s;
    }
};

class Models::Lease : public Model {
  public:
    Lease(std::string name, std::shared_ptr<Loaded> loaded)
        : name_(std::move(name)), loaded_(std::move(loaded)) {}
    const std::string& name() const override { return name_; }
    const engine::Engine& engine() const override { return loaded_->engine; }
    engine::Scheduler& scheduler() const override { return *loaded_->scheduler; }
    std::int64_t n_ctx() const override { return loaded_->n_ctx; }

  private:
    const std::string name_;
    const std::shared_ptr<Loaded> loaded_;
};

Models::Models(ModelsOptions options, Keys& keys, Metrics& metrics)
    : options_(std::move(options)), keys_(keys), metrics_(metrics) {}

Result<std::unique_ptr<Models>> Models::start(ModelsOptions options, Keys& keys, Metrics& metrics) {
    std::unique_ptr<Models> models(new Models(std::move(options), keys, metrics));
    HEFT_TRY(models->entries_, models->look_at(models->options_.sources));
    models->worker_ = std::thread([models = models.get()] { models->work(); });
    return models;
}

Result<Models::Entries> Models::look_at(std::vector<ModelSource> sources) const {
    Entries entries;
    std::set<std::string> names;
    for (ModelSource& source : sources) {
        std::vector<std::string> all = source.aliases;
        all.push_back(source.name);
        for (const std::string& name : all)
            if (!names.insert(name).second)
                return Error{Code::invalid,
                             fmt::format("two models are called \"{}\"; name one of them "
                                         "as NAME=MODEL",
                                         name)};
        HEFT_TRY(const engine::Engine engine, options_.describe(source.reference));
        auto entry = std::make_unique<Entry>();
        entry->info = model_info(source.name, engine);
        const std::int64_t n_ctx = source.scheduler.value_or(options_.scheduler).n_ctx;
        if (n_ctx > 0) entry->info.n_ctx = n_ctx;
        entry->source = std::move(source);
        entries.push_back(std::move(entry));
    }
    return entries;
}

KeepAlive Models::keep_alive_of(const Entry& entry) const {
    return entry.source.keep_alive.value_or(options_.keep_alive);
}

Models::~Models() {
    drain(Clock::now(), {});
    {
        const std::lock_guard lock(mutex_);
        over_ = true;
        changed_.notify_all();
    }
    if (worker_.joinable()) worker_.join();  // it is not where start() failed
}

// Also "name:latest", which Ollama's clients add.
Models::Entry* Models::find(const std::string& name) {
    if (name.empty()) return entries_.empty() ? nullptr : entries_.front().get();
    constexpr std::string_view kLatest = ":latest";
    std::string plain = name;
    if (plain.size() > kLatest.size()
        && plain.compare(plain.size() - kLatest.size(), kLatest.size(), kLatest) == 0)
        plain.resize(plain.size() - kLatest.size());
    for (const auto& entry : entries_) {
        const auto& aliases = entry->source.aliases;
        const auto is_alias = [&](const std::string& one) {
            return std::find(aliases.begin(), aliases.end(), one) != aliases.end();
        };
        if (entry->source.name == name || entry->source.name == plain || is_alias(name)
            || is_alias(plain))
            return entry.get();
    }
    return nullptr;
}

std::vector<ModelInfo> Models::models() const {
    const std::lock_guard lock(mutex_);
    std::vector<ModelInfo> all;
    for (const auto& entry : entries_) {
        all.push_back(entry->info);
        ModelInfo& info = all.back();
        info.loaded = entry->loaded != nullptr;
        if (!info.loaded) continue;
        info.memory_bytes = info.file_bytes;
        info.n_ctx = entry->loaded->n_ctx;
        if (!entry->keep_alive) continue;
        const auto left = entry->used + *entry->keep_alive - Clock::now();
        info.expires = std::chrono::system_clock::now()
                       + std::chrono::duration_cast<std::chrono::system_clock::duration>(left);
    }
    return all;
}

std::shared_ptr<Model> Models::lease(Entry& entry) {
    entry.used = Clock::now();
    return std::make_shared<Lease>(entry.source.name, entry.loaded);
}

void Models::open(const std::string& name, const Caller& caller,
                  std::optional<std::chrono::seconds> keep_alive,
                  std::function<void(Opened)> then) {
    Opened opened;
    {
        const std::lock_guard lock(mutex_);
        Entry* entry = find(name);
        if (draining_) {
            opened.failure = stopping();
        } else if (entry == nullptr) {
            std::string names;
            for (const auto& one : entries_)
                names += (names.empty() ? "" : ", ") + one->source.name;
            opened.failure = not_found(name, names);
        } else if (auto refused = keys_.permit(caller, entry->source.name)) {
            opened.failure = std::move(*refused);
        } else {
            entry->keep_alive = keep_alive_of(*entry);
            if (keep_alive) entry->keep_alive = keep_alive;
            if (entry->keep_alive && entry->keep_alive->count() < 0) entry->keep_alive.reset();
            entry->let_go = false;
            if (!entry->loaded) {
                entry->waiters.push_back(std::move(then));
                changed_.notify_all();
                return;
            }
            opened.model = lease(*entry);
        }
    }
    then(std::move(opened));
}

bool Models::unload(const std::string& name) {
    const std::lock_guard lock(mutex_);
    Entry* entry = find(name);
    if (entry == nullptr) return false;
    entry->let_go = true;
    changed_.notify_all();
    return true;
}

void Models::report(const Outcome& outcome) {
    metrics_.report(outcome);
    keys_.spend(outcome.owner, outcome.n_prompt + outcome.n_made, Clock::now());
}

std::vector<Models::Now> Models::now() const {
    const std::lock_guard lock(mutex_);
    std::vector<Now> all;
    for (const auto& entry : entries_)
        if (entry->loaded && entry->loaded->scheduler)
            all.push_back({entry->source.name, entry->loaded->scheduler->stats(),
                           entry->loaded->scheduler->slots()});
    return all;
}

bool Models::draining() const {
    const std::lock_guard lock(mutex_);
    return draining_;
}

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
        let_go(lock, false);
    }
}

Result<std::shared_ptr<Models::Loaded>> Models::make(const Entry& entry) const {
    const ModelSource& source = entry.source;
    HEFT_TRY(engine::Engine engine,
             source.open ? source.open(source.reference) : options_.open(source.reference));
    auto loaded = std::make_shared<Loaded>(std::move(engine));
    HEFT_TRY(loaded->scheduler, engine::Scheduler::start(
                                    loaded->engine, source.scheduler.value_or(options_.scheduler)));
    loaded->n_ctx = loaded->scheduler->n_ctx();
    return loaded;
}

void Models::load(std::unique_lock<std::mutex>& lock, Entry& entry) {
    lock.unlock();
    const auto begin = Clock::now();
    auto made = make(entry);
    if (!made && made.error().code == Code::exhausted) {
        lock.lock();
        let_go(lock, true);
        lock.unlock();
        made = make(entry);
    }
    if (made && options_.notice)
        options_.notice(fmt::format("{} is loaded, in {:.1f} s; context {} tokens",
                                    entry.source.name, seconds_since(begin), (*made)->n_ctx));
    if (!made && options_.notice) options_.notice(made.error().what);
    lock.lock();
    std::vector<std::pair<std::function<void(Opened)>, Opened>> calls;
    if (made && !draining_) entry.loaded = *made;
    for (auto& waiter : entry.waiters) {
        Opened opened;
        if (!made)
            opened.failure = cannot_load(entry.source.name, made.error());
        else if (draining_)
            opened.failure = stopping();
        else
            opened.model = lease(entry);
        calls.emplace_back(std::move(waiter), std::move(opened));
    }
    entry.waiters.clear();
    lock.unlock();
    for (auto& [call, opened] : calls) call(std::move(opened));
    calls.clear();
    lock.lock();
}

void Models::let_go(std::unique_lock<std::mutex>& lock, bool of_all_idle) {
    std::vector<std::shared_ptr<Loaded>> idle;
    std::vector<Entry*> all;
    for (const Entries* entries : {&entries_, &retired_})
        for (const auto& entry : *entries) all.push_back(entry.get());
    for (Entry* entry : all) {
        if (!entry->loaded) continue;
        if (entry->loaded.use_count() > 1) {
            entry->used = Clock::now();
            continue;
        }
        const bool old = entry->keep_alive && Clock::now() - entry->used >= *entry->keep_alive;
        if (!old && !of_all_idle && !entry->let_go) continue;
        entry->let_go = false;
        if (options_.notice) options_.notice(entry->source.name + " is unloaded");
        idle.push_back(std::move(entry->loaded));
    }
    if (idle.empty()) return;
    lock.unlock();
    idle.clear();
    lock.lock();
}

bool Models::drain(Clock::time_point deadline, const std::function<bool()>& hurry) {
    std::vector<std::shared_ptr<Loaded>> all;
    {
        const std::lock_guard lock(mutex_);
        draining_ = true;
        for (const Entries* entries : {&entries_, &retired_})
            for (const auto& entry : *entries)
                if (entry->loaded) all.push_back(std::move(entry->loaded));
    }
    constexpr std::chrono::milliseconds kSlice{50};
    bool complete = true;
    for (const auto& loaded : all) {
        bool done = loaded->scheduler->drain(Clock::now());
        while (!done && Clock::now() < deadline && !(hurry && hurry()))
            done = loaded->scheduler->drain(std::min(deadline, Clock::now() + kSlice));
        complete = complete && done;
        loaded->scheduler.reset();  // what is left is cancelled here, not on its own thread
    }
    return complete;
}

Result<Models::Replaced> Models::replace(std::vector<ModelSource> sources) {
    HEFT_TRY(Entries fresh, look_at(std::move(sources)));
    Replaced what;
    std::vector<std::pair<std::function<void(Opened)>, std::string>> without;  // and their model
    std::string names;
    {
        const std::lock_guard lock(mutex_);
        for (auto& entry : fresh) {
            names += (names.empty() ? "" : ", ") + entry->source.name;
            const auto old = std::find_if(entries_.begin(), entries_.end(), [&](const auto& one) {
                return one != nullptr && one->source.name == entry->source.name;
            });
            if (old == entries_.end()) {
                what.added.push_back(entry->source.name);
            } else if ((*old)->is_like(*entry)) {
                // May be on its way to be loaded: what that reads stays as it is.
                (*old)->source.aliases = std::move(entry->source.aliases);
                (*old)->source.keep_alive = entry->source.keep_alive;
                (*old)->keep_alive = keep_alive_of(**old);
                entry = std::move(*old);
            } else {
                what.changed.push_back(entry->source.name);
                entry->waiters = std::move((*old)->waiters);
                (*old)->waiters.clear();
                (*old)->let_go = true;
                retired_.push_back(std::move(*old));
            }
        }
        for (auto& old : entries_) {
            if (old == nullptr) continue;
            what.removed.push_back(old->source.name);
            for (auto& waiter : old->waiters)
                without.emplace_back(std::move(waiter), old->source.name);
            old->waiters.clear();
            old->let_go = true;
            retired_.push_back(std::move(old));
        }
        entries_ = std::move(fresh);
        changed_.notify_all();
    }
    for (auto& [call, name] : without) call({nullptr, not_found(name, names)});
    return what;
}

// The worker is between two models here: nothing else refers to a retired one that is not loaded.
void Models::forget_retired() {
    retired_.erase(std::remove_if(retired_.begin(), retired_.end(),
                                  [](const auto& entry) { return entry->loaded == nullptr; }),
                   retired_.end());
}

}  // namespace heft::serve
