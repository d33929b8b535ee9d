#include "serve/access_log.h"

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace heft::serve {

namespace {

std::string now() {
    const auto time = std::chrono::system_clock::now();
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    const auto ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count()
        % 1000;
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                       utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, ms);
}

}  // namespace

Result<std::unique_ptr<AccessLog>> AccessLog::open(const std::string& file) {
    std::unique_ptr<AccessLog> log(new AccessLog());
    HEFT_OK(log->reopen(file));
    return log;
}

AccessLog::~AccessLog() {
    if (fd_ > STDERR_FILENO) ::close(fd_);
}

Status AccessLog::reopen(const std::string& file) {
    int fd = file.empty() ? -1 : STDERR_FILENO;
    if (!file.empty() && file != "-")
        fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (!file.empty() && fd < 0)
        return Error{Code::not_found, fmt::format("--access-log {}: cannot be written: {}", file,
                                                  std::strerror(errno))};
    const std::lock_guard lock(mutex_);
    if (fd_ > STDERR_FILENO) ::close(fd_);
    fd_ = fd;
    return {};
}

void AccessLog::write(const AccessLine& line) {
    {
        const std::lock_guard lock(mutex_);
        if (fd_ < 0) return;
    }
    const nlohmann::ordered_json document{
        {"time", now()},
        {"id", line.id},
        {"peer", line.peer},
        {"key", line.key},
        {"method", line.method},
        {"path", line.path},
        {"status", line.status},
        {"bytes", line.bytes},
        {"seconds", std::round(line.seconds * 1e6) / 1e6},
        {"left", line.left},
    };
    const std::string text =
        document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    const std::lock_guard lock(mutex_);
    if (fd_ < 0) return;
    // In one piece, or the part of a line that fitted is what the next one is appended to.
    if (::write(fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) ++lost_;
}

}  // namespace heft::serve
