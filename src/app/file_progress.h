// How far long work is, on a terminal's standard error: "model.gguf: 45 %, 1.21 GB/s, 12 s left".
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/clock.h"

namespace heft::app {

class FileProgress {
  public:
    // `cancel` (may be nullptr) is a request to stop, such as InterruptGuard::requested().
    explicit FileProgress(const std::atomic<bool>* cancel = nullptr);
    ~FileProgress();  // wipes the line
    FileProgress(const FileProgress&) = delete;
    FileProgress& operator=(const FileProgress&) = delete;

    void begin(std::string name);
    // Called as often as wanted; shows ten times a second. false: stop.
    bool show(std::uint64_t done, std::uint64_t total);
    // The same of weights rather than bytes, and of tokens.
    bool show_count(std::uint64_t done, std::uint64_t total);
    bool show_tokens(std::uint64_t done, std::uint64_t total);

  private:
    bool show_in(std::uint64_t done, std::uint64_t total, double unit, const char* unit_name);

    const std::atomic<bool>* cancel_;
    bool shown_ = false;
    bool terminal_;
    std::string name_;
    Clock::time_point began_, last_;
};

}  // namespace heft::app
