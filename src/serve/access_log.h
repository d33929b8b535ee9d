// One line of JSON for each request, without anything of its body. A disk that is full costs
// lines, which are counted, and nothing else. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"

namespace heft::serve {

struct AccessLine {
    std::string id, peer, key, method, path;
    int status = 0;
    std::uint64_t bytes = 0;
    double seconds = 0;
    bool left = false;  // the client did not wait for the end
};

class AccessLog {
  public:
    // "-" is standard error; empty: no log.
    static Result<std::unique_ptr<AccessLog>> open(const std::string& file);
    ~AccessLog();
    AccessLog(const AccessLog&) = delete;
    AccessLog& operator=(const AccessLog&) = delete;

    void write(const AccessLine& line);
    std::uint64_t lost() const { return lost_; }
    // After the file was moved away, or to write to another one. An error changes nothing.
    Status reopen(const std::string& file);

  private:
    AccessLog() = default;
    std::mutex mutex_;
    int fd_ = -1;  // none: no log
    std::atomic<std::uint64_t> lost_{0};
};

}  // namespace heft::serve
