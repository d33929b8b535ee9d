// The grammars that were used last, for one model: compiling the schemas of a thousand tools costs
// more than answering. As many as there is room for, with what their texts have made known of them
// since. Safe to use from many threads.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "grammar/matcher.h"

namespace heft::grammar {

class ConstraintCache {
  public:
    static constexpr std::size_t kBytes = std::size_t{64} << 20;
    explicit ConstraintCache(std::size_t most_bytes = kBytes) : most_bytes_(most_bytes) {}

    // By the whole source, and whatever else decides what comes of it. Nothing if it is not known.
    std::shared_ptr<Constraint> find(const std::string& source) {
        const std::lock_guard lock(mutex_);
        for (auto at = known_.begin(); at != known_.end(); ++at) {
            if (at->first != source) continue;
            known_.splice(known_.begin(), known_, at);
            trim();
            return known_.front().second;
        }
        return nullptr;
    }

    // Those that were not asked for the longest go where the room is not enough for all.
    void keep(std::string source, std::shared_ptr<Constraint> constraint) {
        const std::lock_guard lock(mutex_);
        known_.emplace_front(std::move(source), std::move(constraint));
        trim();
    }

  private:
    using Known = std::pair<std::string, std::shared_ptr<Constraint>>;

    void trim() {
        std::size_t bytes = 0;
        for (auto at = known_.begin(); at != known_.end(); ++at) {
            bytes += at->first.size() + at->second->bytes();
            const bool is_too_much = bytes > most_bytes_ && at != known_.begin();
            if (!is_too_much) continue;
            known_.erase(at, known_.end());
            return;
        }
    }

    const std::size_t most_bytes_;
    std::mutex mutex_;        // guards what follows
    std::list<Known> known_;  // the last used first
};

}  // namespace heft::grammar
