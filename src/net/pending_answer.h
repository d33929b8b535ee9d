// The exchange that a connection hands out for a request.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "net/connection.h"
#include "net/message.h"

namespace heft::net {

class PendingAnswer : public Exchange {
  public:
    PendingAnswer(std::shared_ptr<Connection> connection, const Request& request);
    ~PendingAnswer() override;
    PendingAnswer(const PendingAnswer&) = delete;
    PendingAnswer& operator=(const PendingAnswer&) = delete;

    void send(Answer answer) override;
    void begin(int status, std::string_view type, const Headers& headers) override;
    void write(std::string_view chunk) override;
    void end() override;
    bool gone() const override { return gone_; }
    void when_gone(std::function<void()> call) override;
    std::uint64_t bytes() const override { return bytes_; }

    // Sends something that changes nothing, so that a client that has gone is found out. False:
    // there is nothing that could be sent.
    bool probe();
    void leave();  // the connection says that nobody listens any more

  private:
    bool wants_close() const;

    const std::shared_ptr<Connection> connection_;
    const bool head_only_, http_1_1_, keep_alive_;
    std::atomic<bool> gone_{false};
    std::atomic<std::uint64_t> bytes_{0};
    std::mutex mutex_;  // guards what follows
    bool begun_ = false, ended_ = false, chunked_ = false, close_ = false;
    std::vector<std::function<void()>> calls_;
};

}  // namespace heft::net
