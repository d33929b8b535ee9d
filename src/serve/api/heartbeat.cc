#include "serve/api/heartbeat.h"

#include <algorithm>

namespace heft::serve {

Heartbeat::Heartbeat(std::chrono::milliseconds every) : every_(every) {}

Heartbeat::~Heartbeat() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Heartbeat::add(const std::shared_ptr<Responder>& stream) {
    const std::lock_guard lock(mutex_);
    streams_.push_back(stream);
    if (!thread_.joinable() && !stopping_) thread_ = std::thread([this] { beat(); });
}

void Heartbeat::beat() {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, every_, [this] { return stopping_; })) {
        std::vector<std::shared_ptr<Responder>> alive;
        std::vector<std::weak_ptr<Responder>> kept;
        for (const auto& stream : streams_) {
            auto held = stream.lock();
            if (held == nullptr || held->gone()) continue;
            kept.push_back(stream);
            alive.push_back(std::move(held));
        }
        streams_ = std::move(kept);
        lock.unlock();
        for (const auto& stream : alive) stream->write(": still here\n\n");
        alive.clear();
        lock.lock();
    }
}

}  // namespace heft::serve
