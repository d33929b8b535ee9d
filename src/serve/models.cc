#include "serve/models.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/memory.h"
#include "serve/model_info.h"
#include "serve/models_impl.h"

namespace heft::serve {

namespace {

constexpr const char* kLatest = "latest";

}  // namespace

Failure model_failure(FailureKind kind, std::string message, std::string code) {
    Failure failure;
    failure.kind = kind;
    failure.message = std::move(message);
    failure.code = std::move(code);
    return failure;
}

Failure server_is_stopping() {
    return model_failure(FailureKind::unavailable, "The server is stopping.", "stopping");
}

Failure no_such_model(const std::string& name, const std::string& names) {
    Failure failure = model_failure(
        FailureKind::not_found,
        fmt::format("There is no model \"{}\" here; there is {}.", name, names), "model_not_found");
    failure.param = "model";
    return failure;
}

class Models::Lease : public Model {
  public:
    Lease(std::string name, int adapter, std::shared_ptr<Loaded> loaded)
        : name_(std::move(name)), adapter_(adapter), loaded_(std::move(loaded)) {}
    const std::string& name() const override { return name_; }
    const engine::Engine& engine() const override { return loaded_->engine; }
    engine::Scheduler& scheduler() const override { return *loaded_->scheduler; }
    int adapter() const override { return adapter_; }
    std::int64_t n_ctx() const override { return loaded_->n_ctx; }

  private:
    const std::string name_;
    const int adapter_;
    const std::shared_ptr<Loaded> loaded_;
};

std::int64_t ModelsOptions::usual_memory() {
    const std::int64_t left = free_memory_bytes();
    return left == 0 ? 0 : left + own_memory_bytes();
}

Models::Models(ModelsOptions options, Keys& keys, Metrics& metrics)
    : options_(std::move(options)), keys_(keys), metrics_(metrics) {}

Result<std::unique_ptr<Models>> Models::start(ModelsOptions options, Keys& keys, Metrics& metrics) {
    std::unique_ptr<Models> models(new Models(std::move(options), keys, metrics));
    HEFT_TRY(models->entries_, models->look_at(models->options_.sources));
    models->worker_ = std::thread([models = models.get()] { models->work(); });
    return models;
}

Result<engine::Engine> Models::open_engine(const ModelSource& source, bool weights) const {
    return source.open ? source.open(source, weights) : options_.open(source, weights);
}

Result<Models::Entries> Models::look_at(std::vector<ModelSource> sources) const {
    Entries entries;
    std::set<std::string> names;
    for (ModelSource& source : sources) {
        auto entry = std::make_unique<Entry>();
        HEFT_TRY(engine::Engine engine, open_engine(source, false));
        entry->info = model_info(source.name, engine);
        const std::int64_t n_ctx = source.scheduler.value_or(options_.scheduler).n_ctx;
        if (n_ctx > 0) entry->info.n_ctx = n_ctx;
        for (const engine::OpenOptions::Lora& adapter : source.adapters) {
            if (adapter.name.empty() || adapter.name == kLatest
                || adapter.name.find(':') != std::string::npos)
                return Error{Code::invalid,
                             fmt::format("an adapter cannot be called \"{}\": a name without "
                                         "colons is needed, and not \"{}\"",
                                         adapter.name, kLatest)};
            entry->adapters.push_back(adapter_info(entry->info, adapter));
        }
        if (options_.card)
            entry->info.card = std::make_shared<const nlohmann::ordered_json>(
                options_.card(source.reference, std::move(engine)));
        entry->source = std::move(source);
        for (int i = 0; i < entry->n_names(); ++i)
            for (const std::string& name : entry->names_of(i))
                if (!names.insert(name).second)
                    return Error{Code::invalid,
                                 fmt::format("two models are called \"{}\"; name one of them as "
                                             "NAME=MODEL",
                                             name)};
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
Models::Place Models::find(const std::string& name) const {
    if (name.empty()) return {entries_.empty() ? nullptr : entries_.front().get(), 0};
    const std::string end = std::string(":") + kLatest;
    const std::string plain = name.ends_with(end) ? name.substr(0, name.size() - end.size()) : name;
    for (const auto& entry : entries_)
        for (int i = 0; i < entry->n_names(); ++i)
            for (const std::string& one : entry->names_of(i))
                if (one == name || one == plain) return {entry.get(), i};
    return {};
}

std::string Models::all_names() const {
    std::string names;
    for (const auto& entry : entries_)
        for (int i = 0; i < entry->n_names(); ++i)
            names += (names.empty() ? "" : ", ") + entry->info_of(i).name;
    return names;
}

std::vector<ModelInfo> Models::models() const {
    const std::lock_guard lock(mutex_);
    std::vector<ModelInfo> all;
    for (const auto& entry : entries_)
        for (int i = 0; i < entry->n_names(); ++i) {
            ModelInfo& info = all.emplace_back(entry->info_of(i));
            info.aliases = entry->names_of(i);
            info.aliases.pop_back();
            info.loaded = entry->loaded != nullptr;
            if (!info.loaded) continue;
            // What is shared is counted once.
            info.memory_bytes = i == 0 ? static_cast<std::uint64_t>(entry->loaded->bytes) : 0;
            info.n_ctx = entry->loaded->n_ctx;
            if (!entry->keep_alive) continue;
            const auto left = entry->used + *entry->keep_alive - Clock::now();
            info.expires = std::chrono::system_clock::now()
                           + std::chrono::duration_cast<std::chrono::system_clock::duration>(left);
        }
    return all;
}

std::shared_ptr<Model> Models::lease(const Place& place) {
    place.entry->used = Clock::now();
    return std::make_shared<Lease>(place.entry->info_of(place.adapter).name, place.adapter,
                                   place.entry->loaded);
}

void Models::open(const std::string& name, const Caller& caller,
                  std::optional<std::chrono::seconds> keep_alive,
                  std::function<void(Opened)> then) {
    Opened opened;
    {
        const std::lock_guard lock(mutex_);
        const Place place = find(name);
        Entry* const entry = place.entry;
        if (draining_) {
            opened.failure = server_is_stopping();
        } else if (entry == nullptr) {
            opened.failure = no_such_model(name, all_names());
        } else if (auto refused = keys_.permit(caller, entry->info_of(place.adapter).name)) {
            opened.failure = std::move(*refused);
        } else {
            entry->keep_alive = keep_alive_of(*entry);
            if (keep_alive && caller.admin) entry->keep_alive = keep_alive;
            if (entry->keep_alive && entry->keep_alive->count() < 0) entry->keep_alive.reset();
            entry->let_go = false;
            if (!entry->loaded) {
                entry->waiters.push_back({entry->info_of(place.adapter).name, std::move(then)});
                changed_.notify_all();
                return;
            }
            opened.model = lease(place);
        }
    }
    then(std::move(opened));
}

bool Models::unload(const std::string& name) {
    const std::lock_guard lock(mutex_);
    Entry* const entry = find(name).entry;
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

bool Models::drain(Clock::time_point deadline, const std::function<bool()>& hurry) {
    std::vector<std::shared_ptr<Loaded>> all;
    {
        const std::lock_guard lock(mutex_);
        draining_ = true;
        for (Entry* entry : everything())
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
    std::vector<Entry::Waiter> without;  // their model
    std::string names;
    {
        const std::lock_guard lock(mutex_);
        for (auto& entry : fresh) {
            const auto old = std::find_if(entries_.begin(), entries_.end(), [&](const auto& one) {
                return one != nullptr && one->source.name == entry->source.name;
            });
            if (old == entries_.end()) {
                what.added.push_back(entry->source.name);
            } else if ((*old)->is_like(*entry)) {
                // May be on its way to be loaded: what that reads stays as it is.
                (*old)->source.aliases = std::move(entry->source.aliases);
                (*old)->source.keep_alive = entry->source.keep_alive;
                (*old)->info.card = std::move(entry->info.card);
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
            std::move(old->waiters.begin(), old->waiters.end(), std::back_inserter(without));
            old->waiters.clear();
            old->let_go = true;
            retired_.push_back(std::move(old));
        }
        entries_ = std::move(fresh);
        names = all_names();
        changed_.notify_all();
    }
    for (auto& [name, call] : without) call({nullptr, no_such_model(name, names)});
    return what;
}

}  // namespace heft::serve
