// The models of a server by name: opened when somebody asks for one and memory allows, each with a
// scheduler, and let go of when nobody has for a while or another one needs the room. Adapters of a
// model are models of their own to clients, named "model:adapter", and one with it here: its
// weights, its scheduler. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/memory_plan.h"
#include "serve/keys.h"
#include "serve/metrics.h"
#include "serve/service.h"

namespace heft::serve {

using KeepAlive = std::optional<std::chrono::seconds>;  // none: for ever; 0: not at all

struct ModelSource;
// Without weights: names, numbers, and adapters read and checked.
using OpenModel = std::function<Result<engine::Engine>(const ModelSource& source, bool weights)>;

struct ModelSource {
    std::string name;       // as requests name it
    std::string reference;  // a folder, a file, or "tiny"
    std::vector<std::string> aliases = {};
    std::vector<engine::OpenOptions::Lora> adapters = {};  // with names
    // Where they are not the ones of all models.
    std::optional<engine::SchedulerOptions> scheduler = {};
    std::optional<KeepAlive> keep_alive = {};
    OpenModel open = {};
    // Sources that differ in it are loaded anew when they replace each other.
    std::string settings = {};
};

struct ModelsOptions {
    std::vector<ModelSource> sources;  // the first one is the default
    OpenModel open;
    // Of a model without its weights, for ModelInfo::card; may be empty.
    std::function<nlohmann::ordered_json(const std::string& reference, engine::Engine)> card;
    engine::SchedulerOptions scheduler;
    KeepAlive keep_alive;
    std::string version;
    std::function<void(const std::string&)> notice;
    // Bytes that this process may hold altogether, now; 0: not known, so that nothing is refused.
    std::function<std::int64_t()> memory = usual_memory;
    static std::int64_t usual_memory();
};

class Models : public Service {
  public:
    // Looks at every model's files; an error names the one that cannot be used. `keys` and
    // `metrics` outlive it.
    static Result<std::unique_ptr<Models>> start(ModelsOptions options, Keys& keys,
                                                 Metrics& metrics);
    ~Models() override;

    std::vector<ModelInfo> models() const override;
    void open(const std::string& name, const Caller& caller,
              std::optional<std::chrono::seconds> keep_alive,
              std::function<void(Opened)> then) override;
    bool unload(const std::string& name) override;
    void report(const Outcome& outcome) override;
    std::string version() const override { return options_.version; }

    // What replace() came to, by name.
    struct Replaced {
        std::vector<std::string> added, removed, changed;
    };
    // Other models from now on. Looks at their files first; an error changes nothing. Answers under
    // way are completed by the model that they began with.
    Result<Replaced> replace(std::vector<ModelSource> sources);

    struct Now {
        std::string name;
        engine::Scheduler::Stats stats;
        std::vector<engine::Scheduler::Slot> slots;
    };
    std::vector<Now> now() const;  // of loaded models
    bool draining() const;
    // Refuses further requests and waits for those there are; then ends what is left. Nothing that
    // opened a model may be called afterwards.
    bool drain(Clock::time_point deadline, const std::function<bool()>& hurry);

  private:
    struct Loaded;
    struct Entry;
    class Lease;
    struct Place {  // what a name means: a model, or one of its adapters
        Entry* entry = nullptr;
        int adapter = 0;
    };

    Models(ModelsOptions options, Keys& keys, Metrics& metrics);
    using Entries = std::vector<std::unique_ptr<Entry>>;
    Result<Entries> look_at(std::vector<ModelSource> sources) const;
    KeepAlive keep_alive_of(const Entry& entry) const;
    Result<engine::Engine> open_engine(const ModelSource& source, bool weights) const;
    Place find(const std::string& name) const;
    std::string all_names() const;
    std::shared_ptr<Model> lease(const Place& place);

    // models_loading.cc: what the thread does that opens and closes models.
    void work();
    void forget_retired();
    void load(std::unique_lock<std::mutex>& lock, Entry& entry);
    Result<std::shared_ptr<Loaded>> make(const ModelSource& source);
    Result<std::int64_t> admit(const engine::MemoryPlan& plan, std::int64_t usual);
    bool let_go_of_one();
    void let_go_of_old(std::unique_lock<std::mutex>& lock);
    std::vector<Entry*> everything() const;  // retired ones as well

    const ModelsOptions options_;
    Keys& keys_;
    Metrics& metrics_;

    mutable std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    Entries entries_;
    Entries retired_;  // replaced, and not yet let go of; erased by the worker alone
    bool draining_ = false, over_ = false;
    std::thread worker_;
};

}  // namespace heft::serve
