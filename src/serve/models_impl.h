// What the registry of models keeps of each. Private to it.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "serve/models.h"

namespace heft::serve {

struct Models::Loaded {
    engine::Engine engine;
    std::unique_ptr<engine::Scheduler> scheduler;
    std::int64_t n_ctx = 0;
    std::int64_t bytes = 0;  // at most
    explicit Loaded(engine::Engine e) : engine(std::move(e)) {}
};

struct Models::Entry {
    ModelSource source;
    ModelInfo info;
    std::vector<ModelInfo> adapters;  // in the order of the source's
    std::shared_ptr<Loaded> loaded;   // others are leases, which are made under the mutex only
    struct Waiter {
        std::string name;  // of the model or adapter, as it was asked for
        std::function<void(Opened)> call;
    };
    std::vector<Waiter> waiters;
    std::optional<std::chrono::seconds> keep_alive;
    Clock::time_point used;
    bool let_go = false;      // as soon as nobody holds it
    bool was_loaded = false;  // ever

    int n_names() const { return 1 + static_cast<int>(adapters.size()); }
    // Of the model itself, 0, or of one of its adapters.
    const ModelInfo& info_of(int adapter) const {
        return adapter == 0 ? info : adapters[static_cast<std::size_t>(adapter) - 1];
    }
    // All names of it, its own last: those of the adapters follow every name of the model.
    std::vector<std::string> names_of(int adapter) const {
        std::vector<std::string> names = source.aliases;
        names.push_back(source.name);
        if (adapter > 0)
            for (std::string& name : names)
                name += ":" + source.adapters[static_cast<std::size_t>(adapter) - 1].name;
        return names;
    }

    // Of the same files, opened in the same way.
    bool is_like(const Entry& other) const {
        const auto same_files = [](const ModelInfo& a, const ModelInfo& b) {
            return a.name == b.name && a.digest == b.digest && a.file_bytes == b.file_bytes
                   && a.created_s == b.created_s;
        };
        return source.reference == other.source.reference
               && source.settings == other.source.settings && same_files(info, other.info)
               && std::equal(adapters.begin(), adapters.end(), other.adapters.begin(),
                             other.adapters.end(), same_files);
    }
};

Failure model_failure(FailureKind kind, std::string message, std::string code);
Failure server_is_stopping();
Failure no_such_model(const std::string& name, const std::string& names);

}  // namespace heft::serve
