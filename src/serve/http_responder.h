// A handler's answer on its way to the sockets, and what is counted when it is over.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "net/message.h"
#include "serve/exchange.h"

namespace heft::serve {

class HttpResponder : public Responder {
  public:
    struct End {
        int status = 0;
        std::uint64_t bytes = 0;
        double seconds = 0;
        bool left = false;
    };
    // `headers` go with every answer. `on_end` is called once.
    HttpResponder(std::shared_ptr<net::Exchange> exchange, Headers headers,
                  std::function<void(const End&)> on_end);
    ~HttpResponder() override;
    HttpResponder(const HttpResponder&) = delete;
    HttpResponder& operator=(const HttpResponder&) = delete;

    void send(int status, std::string_view content_type, std::string body,
              Headers headers) override;
    void begin(int status, std::string_view content_type, Headers headers) override;
    void write(std::string chunk) override;
    void end() override;
    bool gone() const override;
    void when_gone(std::function<void()> call) override;

  private:
    Headers joined(Headers headers) const;
    void finish(bool left);

    const std::shared_ptr<net::Exchange> exchange_;
    const Headers headers_;
    const Clock::time_point begin_ = Clock::now();
    std::mutex mutex_;  // guards what follows
    std::function<void(const End&)> on_end_;
    int status_ = 0;
};

}  // namespace heft::serve
