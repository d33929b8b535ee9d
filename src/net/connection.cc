#include "net/connection.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "net/head.h"
#include "net/pending_answer.h"

namespace heft::net {

namespace {
constexpr std::size_t kKeptBytes = 4U << 10;           // of a buffer, between requests
constexpr std::chrono::milliseconds kLastLinger{500};  // of a server that stops
constexpr std::chrono::milliseconds kProbeAgain{2000};
}  // namespace

Connection::Connection(std::shared_ptr<Loop> loop, std::unique_ptr<Socket> socket,
                       std::shared_ptr<Shared> shared, std::string peer,
                       std::function<void(Connection&)> on_closed)
    : loop_(std::move(loop)),
      socket_(std::move(socket)),
      shared_(std::move(shared)),
      peer_(std::move(peer)),
      on_closed_(std::move(on_closed)),
      out_bytes_(shared_->limits()->out_bytes),
      limits_(shared_->limits()) {}

void Connection::enter(Phase phase, std::chrono::milliseconds limit) {
    phase_ = phase;
    deadline_ = Clock::now() + limit;
}

void Connection::start() {
    enter(Phase::handshake, limits_->header_time);
    socket_->handshake([self = shared_from_this()](Io io) {
        if (self->phase_ != Phase::handshake) return;
        if (io != Io::ok) return self->close();
        self->enter(Phase::idle, self->limits_->idle_time);
        self->read_on();
    });
}

void Connection::read_on() {
    if (reading_ || peer_ended_ || phase_ == Phase::closed) return;
    if (phase_ == Phase::answering && in_.size() >= limits_->pipelined_bytes) return;
    reading_ = true;
    socket_->read([self = shared_from_this()](Io io, std::string_view bytes) {
        self->reading_ = false;
        self->on_read(io, bytes);
    });
}

void Connection::on_read(Io io, std::string_view bytes) {
    if (phase_ == Phase::closed) return;
    shared_->counters.bytes_in += bytes.size();
    if (io == Io::failed) return lost();
    if (io == Io::end) {
        peer_ended_ = true;
        if (phase_ != Phase::answering) return close();
        return half_closed();
    }
    if (phase_ != Phase::lingering) {
        in_.append(bytes);
        consume();
    }
    read_on();
}

void Connection::consume() {
    while (!in_.empty()
           && (phase_ == Phase::idle || phase_ == Phase::head || phase_ == Phase::body)) {
        if (phase_ == Phase::idle) {
            limits_ = shared_->limits();
            reader_.emplace(*limits_);
            enter(Phase::head, limits_->header_time);
        }
        const std::size_t taken = reader_->read(in_);
        in_.erase(0, taken);
        switch (reader_->state()) {
            case RequestReader::State::failed:
                return refuse(reader_->status(), reader_->sentence());
            case RequestReader::State::head: return;
            case RequestReader::State::body:
                if (phase_ == Phase::head && !take_head()) return;
                if (taken == 0) return;
                break;
            case RequestReader::State::done: answer(); break;
        }
    }
}

bool Connection::take_head() {
    enter(Phase::body, limits_->body_time);
    if (shared_->callbacks.on_head) {
        if (auto refusal = shared_->callbacks.on_head(reader_->request())) {
            ++shared_->counters.refused;
            send_and_close(std::move(*refusal));
            return false;
        }
    }
    if (reader_->expects_continue()) {
        phase_ = Phase::body;
        put("HTTP/1.1 100 Continue\r\n\r\n", false, false);
    }
    return true;
}

void Connection::answer() {
    Request request = reader_->take();
    reader_.reset();
    request.peer = peer_;
    phase_ = Phase::answering;
    ++shared_->counters.requests;
    const auto pending = std::make_shared<PendingAnswer>(shared_from_this(), request);
    pending_ = pending;
    // Nothing of ours throws, but the standard library may; one request's end is not the server's.
    try {
        shared_->callbacks.on_request(std::move(request), pending);
    } catch (const std::exception& e) {
        if (shared_->callbacks.on_notice)
            shared_->callbacks.on_notice(fmt::format("a request failed: {}", e.what()));
        pending->send(shared_->callbacks.on_error(500, "The server failed at this request."));
    }
}

void Connection::refuse(int status, const std::string& sentence) {
    ++shared_->counters.refused;
    send_and_close(shared_->callbacks.on_error(status, sentence));
}

void Connection::send_and_close(Answer answer) {
    phase_ = Phase::answering;
    reader_.reset();
    HeadOptions options;
    options.length = answer.body.size();
    options.close = true;
    std::string bytes = compose_head(answer.status, answer.type, answer.headers, options);
    put(std::move(bytes) + answer.body, true, true);
}

bool Connection::put(std::string bytes, bool last, bool close_after) {
    const std::lock_guard lock(mutex_);
    if (over_) return false;
    if (!last && waiting_.size() + under_way_ > out_bytes_) {
        over_ = true;
        waiting_ = {};
        ++shared_->counters.slow;
        loop_->post([self = shared_from_this()] { self->lost(); });
        return false;
    }
    if (waiting_.empty())
        waiting_ = std::move(bytes);
    else
        waiting_ += bytes;
    complete_ = complete_ || last;
    close_after_ = close_after_ || close_after;
    if (!flush_posted_) {
        flush_posted_ = true;
        loop_->post([self = shared_from_this()] { self->flush(); });
    }
    return true;
}

void Connection::cut() {
    const std::lock_guard lock(mutex_);
    if (over_) return;
    over_ = true;
    loop_->post([self = shared_from_this()] { self->close(); });
}

bool Connection::closing() const {
    const std::lock_guard lock(mutex_);
    return draining_;
}

bool Connection::listens() const {
    const std::lock_guard lock(mutex_);
    return !over_;
}

void Connection::flush() {
    bool complete = false;
    {
        const std::lock_guard lock(mutex_);
        flush_posted_ = false;
        if (over_ || writing_) return;
        sending_.clear();
        sending_.swap(waiting_);
        under_way_ = sending_.size();
        complete = complete_;
    }
    sent_ = 0;
    if (sending_.empty()) {
        if (complete) answered();
        return;
    }
    writing_ = true;
    window_begin_ = Clock::now();
    window_bytes_ = 0;
    write_on();
}

void Connection::write_on() {
    socket_->write(std::string_view(sending_).substr(sent_),
                   [self = shared_from_this()](Io io, std::size_t n) {
                       if (self->phase_ == Phase::closed) return;
                       if (io != Io::ok) return self->lost();
                       self->sent_ += n;
                       self->window_bytes_ += n;
                       self->written_ += n;
                       self->shared_->counters.bytes_out += n;
                       if (self->sent_ < self->sending_.size()) return self->write_on();
                       self->writing_ = false;
                       self->flush();
                   });
}

void Connection::answered() {
    bool close_after = false;
    {
        const std::lock_guard lock(mutex_);
        complete_ = false;
        close_after = close_after_ || draining_;
    }
    pending_.reset();
    if (sending_.capacity() > kKeptBytes) sending_ = {};
    if (in_.empty() && in_.capacity() > kKeptBytes) in_ = {};
    if (close_after) return linger();
    enter(Phase::idle, limits_->idle_time);
    consume();
    if (phase_ == Phase::answering) return read_on();
    if (peer_ended_) return close();
    read_on();
}

// To close with bytes unread would make the system tell the client of an error, and the client
// lose the answer: read on for a while.
void Connection::linger() {
    if (peer_ended_) return close();
    in_ = {};
    const std::chrono::milliseconds usual = limits_->linger_time;
    enter(Phase::lingering, closing() ? std::min(usual, kLastLinger) : usual);
    socket_->finish();
    read_on();
}

void Connection::tick(Clock::time_point now) {
    if (phase_ == Phase::closed) return;
    if (writing_ && now - window_begin_ > limits_->slow_time) {
        if (window_bytes_ < limits_->slow_bytes) {
            ++shared_->counters.slow;
            return lost();
        }
        window_begin_ = now;
        window_bytes_ = 0;
    }
    if (phase_ == Phase::answering && peer_ended_) return probe_again(now);
    if (phase_ == Phase::answering || now < deadline_) return;
    if (phase_ == Phase::head || phase_ == Phase::body)
        return refuse(408, "The request did not come to its end in time.");
    close();
}

void Connection::drain() {
    {
        const std::lock_guard lock(mutex_);
        draining_ = true;
    }
    // Nobody has asked it anything.
    if (phase_ == Phase::idle || phase_ == Phase::handshake) close();
}

void Connection::abort() {
    lost();
}

// A client that has sent all it wants to and closes its half, and one that has gone, look the same
// until something is sent to them: the one reads on, the other's system resets the connection.
void Connection::half_closed() {
    if (!socket_->may_read_on()) {
        std::unique_lock lock(mutex_);
        if (complete_) return;  // it may have ended so early because the answer is there
        lock.unlock();
        return lost();
    }
    socket_->when_cut([self = shared_from_this()] { self->lost(); });
    probe(Clock::now());
}

void Connection::probe(Clock::time_point now) {
    probed_ = now;
    written_at_probe_ = written_;
    if (const auto pending = pending_.lock()) pending->probe();
}

// It may have read the last probe and gone after that; and a stream, which is its own probe, may be
// silent. Most clients that end their half have gone: one that cannot be asked is given up.
void Connection::probe_again(Clock::time_point now) {
    if (now - probed_ < kProbeAgain) return;
    const auto pending = pending_.lock();
    const bool silent = written_ == written_at_probe_;
    if (pending && !pending->probe() && silent) return lost();
    probed_ = now;
    written_at_probe_ = written_;
}

void Connection::lost() {
    const auto pending = pending_.lock();
    if (pending && phase_ == Phase::answering) ++shared_->counters.left;
    close();
}

void Connection::close() {
    if (phase_ == Phase::closed) return;
    const auto self = shared_from_this();
    phase_ = Phase::closed;
    bool complete = false;
    {
        const std::lock_guard lock(mutex_);
        over_ = true;
        waiting_ = {};
        complete = complete_;
    }
    socket_->close();
    reader_.reset();
    in_ = {};
    if (const auto pending = pending_.lock(); pending && !complete) pending->leave();
    on_closed_(*this);
}

}  // namespace heft::net
