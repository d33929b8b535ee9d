// A connected stream, plain or with TLS, on the loop that it belongs to. Every function is called
// on the loop's thread and calls back there, never before it returns.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/loop.h"

namespace boost::asio::ssl {
class context;
}

namespace heft::net {

enum class Io : std::uint8_t { ok, end, failed };

class Socket {
  public:
    virtual ~Socket() = default;
    virtual void handshake(std::function<void(Io)> done) = 0;
    // One at a time. The bytes are there until `done` returns.
    virtual void read(std::function<void(Io, std::string_view bytes)> done) = 0;
    // One at a time; some of the bytes, which stay where they are until `done`.
    virtual void write(std::string_view bytes, std::function<void(Io, std::size_t n)> done) = 0;
    // After read() has said `end`: the peer may still read, as far as can be seen.
    virtual bool may_read_on() = 0;
    // Calls once when the connection is reset, or close() was called.
    virtual void when_cut(std::function<void()> call) = 0;
    virtual void finish() = 0;  // tells the peer that nothing more comes
    virtual void close() = 0;   // what is under way fails
};

// Takes a connected, non-blocking socket over; null when the system refuses.
std::unique_ptr<Socket> plain_socket(Loop& loop, int fd);
std::unique_ptr<Socket> tls_socket(Loop& loop, int fd,
                                   std::shared_ptr<boost::asio::ssl::context> context);

// Calls whenever `fd`, a listening socket, has somebody waiting, until it goes.
class Watch {
  public:
    virtual ~Watch() = default;
};
std::unique_ptr<Watch> watch(Loop& loop, int fd, std::function<void()> readable);

}  // namespace heft::net
