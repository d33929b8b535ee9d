// One client: reads requests one after the other, and writes what exchanges answer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "net/limits.h"
#include "net/loop.h"
#include "net/message.h"
#include "net/request_reader.h"
#include "net/server.h"
#include "net/socket.h"

namespace heft::net {

// What all connections of a server share.
class Shared {
  public:
    explicit Shared(Callbacks calls, const Limits& limits)
        : callbacks(std::move(calls)), limits_(std::make_shared<const Limits>(limits)) {}

    const Callbacks callbacks;
    Counters counters;
    std::shared_ptr<const Limits> limits() const {
        const std::lock_guard lock(mutex_);
        return limits_;
    }
    void set_limits(const Limits& limits) {
        auto made = std::make_shared<const Limits>(limits);
        const std::lock_guard lock(mutex_);
        limits_.swap(made);
    }

  private:
    mutable std::mutex mutex_;
    std::shared_ptr<const Limits> limits_;
};

class PendingAnswer;

// Of the loop's thread, but for put(), cut(), closing() and listens().
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    Connection(std::shared_ptr<Loop> loop, std::unique_ptr<Socket> socket,
               std::shared_ptr<Shared> shared, std::string peer,
               std::function<void(Connection&)> on_closed);

    void start();
    void tick(Clock::time_point now);  // now and then: what has taken too long ends
    void drain();                      // takes no further requests; closes when it owes no answer
    void abort();

    // For the answer in the making; any thread. `last` completes it. False: nobody listens.
    bool put(std::string bytes, bool last, bool close_after);
    void cut();  // any thread: ends the connection so that the client sees an error
    bool closing() const;
    bool listens() const;  // any thread
    Shared& shared() { return *shared_; }

  private:
    friend class PendingAnswer;
    enum class Phase : std::uint8_t { handshake, idle, head, body, answering, lingering, closed };

    void read_on();
    void on_read(Io io, std::string_view bytes);
    void consume();
    bool take_head();  // false: refused
    void answer();
    void refuse(int status, const std::string& sentence);
    void send_and_close(Answer answer);
    void flush();
    void write_on();
    void answered();
    void linger();
    void half_closed();
    void probe(Clock::time_point now);
    void probe_again(Clock::time_point now);
    void lost();
    void close();
    void enter(Phase phase, std::chrono::milliseconds limit);

    const std::shared_ptr<Loop> loop_;
    const std::unique_ptr<Socket> socket_;
    const std::shared_ptr<Shared> shared_;
    const std::string peer_;
    const std::function<void(Connection&)> on_closed_;
    const std::size_t out_bytes_;
    std::shared_ptr<const Limits> limits_;  // of the request that is read or answered

    Phase phase_ = Phase::handshake;
    Clock::time_point deadline_;
    std::optional<RequestReader> reader_;
    std::string in_;  // read, not yet understood
    bool reading_ = false;
    bool peer_ended_ = false;
    Clock::time_point probed_;  // whether a client that has ended its half is there, last
    std::uint64_t written_ = 0, written_at_probe_ = 0;
    std::weak_ptr<PendingAnswer> pending_;

    std::string sending_;  // under way
    std::size_t sent_ = 0;
    bool writing_ = false;
    Clock::time_point window_begin_;  // how fast the client takes what it is sent
    std::size_t window_bytes_ = 0;

    mutable std::mutex mutex_;  // guards what follows
    std::string waiting_;
    std::size_t under_way_ = 0;
    bool flush_posted_ = false;
    bool complete_ = false;  // the answer, once what waits is written
    bool close_after_ = false;
    bool over_ = false;  // nobody listens any more
    bool draining_ = false;
};

}  // namespace heft::net
