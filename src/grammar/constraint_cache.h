// The grammars that were compiled last, for one model: compiling the schemas of a thousand tools
// costs more than answering. Safe to use from many threads.
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
    explicit ConstraintCache(std::size_t most = 16) : most_(most) {}

    // By the whole source, and whatever else decides what comes of it. Nothing if it is not known.
    std::shared_ptr<Constraint> find(const std::string& source) {
        const std::lock_guard lock(mutex_);
        for (auto at = known_.begin(); at != known_.end(); ++at) {
            if (at->first != source) continue;
            known_.splice(known_.begin(), known_, at);
            return at->second;
        }
        return nullptr;
    }

    // The one that was not asked for the longest goes when there are too many.
    void keep(std::string source, std::shared_ptr<Constraint> constraint) {
        const std::lock_guard lock(mutex_);
        known_.emplace_front(std::move(source), std::move(constraint));
        if (known_.size() > most_) known_.pop_back();
    }

  private:
    using Known = std::pair<std::string, std::shared_ptr<Constraint>>;

    std::size_t most_;
    std::mutex mutex_;        // guards what follows
    std::list<Known> known_;  // the last used first
};

}  // namespace heft::grammar
