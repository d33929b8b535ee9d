// Tells waiting clients that the server is alive: a comment in their event streams now and then, so
// that nothing on the way takes the silence of a long queue for a broken connection.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "serve/exchange.h"

namespace heft::serve {

class Heartbeat {
  public:
    explicit Heartbeat(std::chrono::milliseconds every = std::chrono::seconds(15));
    ~Heartbeat();
    Heartbeat(const Heartbeat&) = delete;
    Heartbeat& operator=(const Heartbeat&) = delete;

    // A stream that has begun and is not at its end; forgotten when nobody holds it any more. Each
    // write() to it is one whole event, so that a comment can stand between any two.
    void add(const std::shared_ptr<Responder>& stream);

  private:
    void beat();

    const std::chrono::milliseconds every_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<std::weak_ptr<Responder>> streams_;
    bool stopping_ = false;
    std::thread thread_;  // started with the first stream
};

}  // namespace heft::serve
