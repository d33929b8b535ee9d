#include "net/socket.h"

#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace heft::net {

namespace asio = boost::asio;

namespace {

using Stream = asio::generic::stream_protocol::socket;
using ErrorCode = boost::system::error_code;

constexpr std::size_t kTlsReadBytes = 8U << 10;

Io outcome(const ErrorCode& error) {
    if (!error) return Io::ok;
    const bool ended = error == asio::error::eof || error == asio::ssl::error::stream_truncated;
    return ended ? Io::end : Io::failed;
}

bool assign(Stream& stream, int fd) {
    ErrorCode error;
    stream.assign(asio::generic::stream_protocol(AF_UNSPEC, 0), fd, error);
    if (error) {
        ::close(fd);
        return false;
    }
    stream.non_blocking(true, error);
    return !error;
}

// Waits without a buffer, so that an idle connection holds none.
class PlainSocket : public Socket {
  public:
    explicit PlainSocket(Loop& loop) : loop_(loop), stream_(loop.context()) {}
    bool take(int fd) { return assign(stream_, fd); }

    void handshake(std::function<void(Io)> done) override {
        loop_.post([done = std::move(done)] { done(Io::ok); });
    }

    void read(std::function<void(Io, std::string_view)> done) override {
        stream_.async_wait(
            Stream::wait_read, [this, done = std::move(done)](ErrorCode error) mutable {
                if (error) return done(Io::failed, {});
                const auto buffer = loop_.scratch();
                const std::size_t n =
                    stream_.read_some(asio::buffer(buffer.data(), buffer.size()), error);
                if (error == asio::error::would_block) return read(std::move(done));
                done(outcome(error), {buffer.data(), n});
            });
    }

    void write(std::string_view bytes, std::function<void(Io, std::size_t)> done) override {
        stream_.async_write_some(
            asio::buffer(bytes.data(), bytes.size()),
            [done = std::move(done)](ErrorCode error, std::size_t n) { done(outcome(error), n); });
    }

    // A local socket says at once whether both halves are closed, TCP only when it is written to.
    bool may_read_on() override {
        pollfd look{stream_.native_handle(), 0, 0};
        return ::poll(&look, 1, 0) == 0;
    }

    void when_cut(std::function<void()> call) override {
        stream_.async_wait(Stream::wait_error,
                           [call = std::move(call)](ErrorCode /*error*/) { call(); });
    }

    void finish() override {
        ErrorCode ignored;
        stream_.shutdown(Stream::shutdown_send, ignored);
    }

    void close() override {
        ErrorCode ignored;
        stream_.close(ignored);
    }

  private:
    Loop& loop_;
    Stream stream_;
};

class TlsSocket : public Socket {
  public:
    TlsSocket(Loop& loop, std::shared_ptr<asio::ssl::context> context)
        : context_(std::move(context)), stream_(loop.context(), *context_) {}
    bool take(int fd) { return assign(stream_.next_layer(), fd); }

    void handshake(std::function<void(Io)> done) override {
        stream_.async_handshake(
            asio::ssl::stream_base::server,
            [done = std::move(done)](ErrorCode error) { done(outcome(error)); });
    }

    void read(std::function<void(Io, std::string_view)> done) override {
        buffer_.resize(kTlsReadBytes);
        stream_.async_read_some(asio::buffer(buffer_),
                                [this, done = std::move(done)](ErrorCode error, std::size_t n) {
                                    done(outcome(error), {buffer_.data(), n});
                                });
    }

    void write(std::string_view bytes, std::function<void(Io, std::size_t)> done) override {
        stream_.async_write_some(
            asio::buffer(bytes.data(), bytes.size()),
            [done = std::move(done)](ErrorCode error, std::size_t n) { done(outcome(error), n); });
    }

    // TLS clients say goodbye when they go.
    bool may_read_on() override { return false; }
    void when_cut(std::function<void()> /*call*/) override {}

    // The peer's own goodbye is what a pending read() ends with; nobody waits for this one.
    void finish() override {
        SSL_set_quiet_shutdown(stream_.native_handle(), 0);
        stream_.async_shutdown([](ErrorCode) {});
    }

    void close() override {
        ErrorCode ignored;
        stream_.next_layer().close(ignored);
    }

  private:
    std::shared_ptr<asio::ssl::context> context_;
    asio::ssl::stream<Stream> stream_;
    std::vector<char> buffer_;
};

class DescriptorWatch : public Watch {
  public:
    DescriptorWatch(Loop& loop, int fd, std::function<void()> readable)
        : state_(std::make_shared<State>(loop, std::move(readable))) {
        ErrorCode ignored;
        state_->descriptor.assign(fd, ignored);
        State::wait(state_);
    }
    ~DescriptorWatch() override {
        state_->over = true;
        ErrorCode ignored;
        state_->descriptor.cancel(ignored);
        state_->descriptor.release();
    }
    DescriptorWatch(const DescriptorWatch&) = delete;
    DescriptorWatch& operator=(const DescriptorWatch&) = delete;

  private:
    struct State {
        State(Loop& loop, std::function<void()> call)
            : descriptor(loop.context()), readable(std::move(call)) {}
        static void wait(const std::shared_ptr<State>& state) {
            state->descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                         [state](ErrorCode error) {
                                             if (error || state->over) return;
                                             state->readable();
                                             if (!state->over) wait(state);
                                         });
        }
        asio::posix::stream_descriptor descriptor;
        std::function<void()> readable;
        bool over = false;
    };
    std::shared_ptr<State> state_;
};

}  // namespace

std::unique_ptr<Socket> plain_socket(Loop& loop, int fd) {
    auto socket = std::make_unique<PlainSocket>(loop);
    return socket->take(fd) ? std::move(socket) : nullptr;
}

std::unique_ptr<Socket> tls_socket(Loop& loop, int fd,
                                   std::shared_ptr<asio::ssl::context> context) {
    auto socket = std::make_unique<TlsSocket>(loop, std::move(context));
    return socket->take(fd) ? std::move(socket) : nullptr;
}

std::unique_ptr<Watch> watch(Loop& loop, int fd, std::function<void()> readable) {
    return std::make_unique<DescriptorWatch>(loop, fd, std::move(readable));
}

}  // namespace heft::net
