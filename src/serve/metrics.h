// Numbers for operators, in Prometheus' text format 0.0.4. One table names them all (metrics.cc);
// labels come from small fixed sets, never from what clients send. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engine/scheduler.h"
#include "net/server.h"
#include "serve/service.h"

namespace heft::serve {

// Seconds in buckets that double.
class Histogram {
  public:
    void add(double seconds);
    void write(std::string& text, std::string_view name, std::string_view help) const;

  private:
    static constexpr int kBuckets = 20;  // 0.5 ms … 4.4 minutes
    std::array<std::atomic<std::uint64_t>, kBuckets + 1> counts_{};
    std::atomic<std::uint64_t> sum_us_{0};
};

class Metrics {
  public:
    void http_done(int status, double seconds);
    void reloaded(bool good);  // the configuration, on SIGHUP
    void report(const Outcome& outcome);

    struct ModelNow {
        std::string name;
        engine::Scheduler::Stats stats;
    };
    // Everything, and what the models and the sockets say at this moment.
    std::string text(const std::vector<ModelNow>& models, const net::Counters* sockets,
                     std::uint64_t log_lines_lost = 0) const;

  private:
    Histogram http_, first_token_, between_tokens_, total_;
    mutable std::mutex mutex_;  // guards what follows
    std::map<int, std::uint64_t> statuses_;
    std::map<std::string, std::uint64_t> failures_, degraded_, endpoints_;
    std::map<std::string, std::uint64_t> reloads_ = {{"failed", 0}, {"ok", 0}};
    bool stale_ = false;
    std::uint64_t outcomes_ = 0, cancelled_ = 0;
    std::uint64_t prompt_tokens_ = 0, cached_tokens_ = 0, made_tokens_ = 0;
};

}  // namespace heft::serve
