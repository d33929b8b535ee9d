#include "app/file_progress.h"

#include <algorithm>
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
    return show_in(done, total, 1e9, "GB/s");
}

bool FileProgress::show_count(std::uint64_t done, std::uint64_t total) {
    return show_in(done, total, 1e6, "M weights/s");
}

bool FileProgress::show_tokens(std::uint64_t done, std::uint64_t total) {
    return show_in(done, total, 1, "tokens/s");
}

bool FileProgress::show_in(std::uint64_t done, std::uint64_t total, double unit,
                           const char* unit_name) {
    if (cancel_ != nullptr && cancel_->load()) return false;
    if (!terminal_ || total == 0) return true;
    constexpr double often = 0.1;
    if (seconds_since(last_) < often) return true;
    last_ = Clock::now();
    shown_ = true;
    const double rate = static_cast<double>(done) / seconds_since(began_);
    const double left = rate > 0 ? static_cast<double>(total - std::min(done, total)) / rate : 0;
    fmt::print(stderr, "\r{}: {:.0f} %, {:.2f} {}, {:.0f} s left\x1b[K", name_,
               100.0 * static_cast<double>(done) / static_cast<double>(total), rate / unit,
               unit_name, left);
    return true;
}

}  // namespace heft::app
