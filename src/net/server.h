// An HTTP/1.1 server: TCP or a local socket, with TLS or without. A few threads, each with its own
// connections; what a client may cost is bounded (net/limits.h). Knows nothing of what it serves.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/limits.h"
#include "net/message.h"
#include "net/tls.h"

namespace heft::net {

// Called from the server's threads, several at once.
struct Callbacks {
    // Must not block: long work goes elsewhere and answers later.
    std::function<void(Request request, std::shared_ptr<Exchange> exchange)> on_request;
    // The head of a request that has a body to come: an answer refuses it. May be empty.
    std::function<std::optional<Answer>(const Request& head)> on_head;
    // What to say when a request is refused before on_request.
    std::function<Answer(int status, const std::string& sentence)> on_error;
    // Something an operator should know. May be empty.
    std::function<void(const std::string& sentence)> on_notice;
};

struct ServerOptions {
    // Names, addresses, or paths of local sockets, which begin with "/" or "./" or end in ".sock".
    std::vector<std::string> hosts = {"127.0.0.1"};
    int port = 8080;                             // 0: one that is free
    std::optional<Certificate::Files> tls = {};  // not for local sockets
    int n_threads = 2;
    Limits limits = {};
};

// Counts since the start, but for `open`.
struct Counters {
    std::atomic<std::int64_t> open{0};
    std::atomic<std::uint64_t> accepted{0}, requests{0};
    std::atomic<std::uint64_t> turned_away{0};  // too many connections
    std::atomic<std::uint64_t> refused{0};      // requests, before on_request
    std::atomic<std::uint64_t> slow{0};  // given up because the client did not take its answer
    std::atomic<std::uint64_t> left{0};  // clients that went before their answer was complete
    std::atomic<std::uint64_t> bytes_in{0}, bytes_out{0};
};

class Server {
  public:
    static Result<std::unique_ptr<Server>> start(const ServerOptions& options, Callbacks callbacks);
    ~Server();  // aborts

    struct Address {
        std::string url;  // "http://127.0.0.1:8080", "unix:/run/heft.sock"
        int port = 0;
    };
    const std::vector<Address>& addresses() const;
    const Counters& counters() const;
    // Of a server with TLS. An error leaves the one before in use.
    Status reload_certificate(const Certificate::Files& files);
    // For requests that come from now on; numbers of connections stay as they were.
    void set_limits(const Limits& limits);

    // Takes no further connections, ends idle ones, and waits for the answers in the making until
    // the deadline, or until `hurry` says true. Answers whether all of them were completed. What
    // is left then is cut off.
    bool stop(Clock::time_point deadline, const std::function<bool()>& hurry = {});

  private:
    struct Impl;
    explicit Server(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace heft::net
