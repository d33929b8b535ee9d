#include "app/file_progress.h"

#include <cstdio>

#include <fmt/format.h>

#include "app/console.h"

namespace heft::app {

FileProgress::FileProgress(const std::atomic<bool>* cancel)
    : cancel_(cancel), terminal_(is_terminal(stderr)) {}

FileProgress::~FileProgress() {
    if (shown_) fmt::print(stderr, "\r\x1b[K");
}

void FileProgress::begin(std::string name) {
    name_ = std::move(name);
    began_ = last_ = Clock::now();
}

bool FileProgress::show(std::uint64_t done, std::uint64_t total) {
    if (cancel_ != nullptr && cancel_->load()) return false;
    if (!terminal_ || total == 0) return true;
    constexpr double often = 0.1;
    if (seconds_since(last_) < often) return true;
    last_ = Clock::now();
    shown_ = true;
    fmt::print(stderr, "\r{}: {:.0f} %, {:.2f} GB/s\x1b[K", name_,
               100.0 * static_cast<double>(done) / static_cast<double>(total),
               static_cast<double>(done) / seconds_since(began_) / 1e9);
    return true;
}

}  // namespace heft::app
