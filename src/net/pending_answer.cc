#include "net/pending_answer.h"

#include <utility>

#include "net/head.h"

namespace heft::net {

PendingAnswer::PendingAnswer(std::shared_ptr<Connection> connection, const Request& request)
    : connection_(std::move(connection)),
      head_only_(request.method == "HEAD"),
      http_1_1_(request.http_1_1),
      keep_alive_(request.keep_alive) {}

PendingAnswer::~PendingAnswer() {
    if (ended_ || !connection_->listens()) return;
    if (begun_) {
        connection_->cut();
        return;
    }
    send(connection_->shared().callbacks.on_error(500, "The server gave no answer."));
}

bool PendingAnswer::wants_close() const {
    return !keep_alive_ || connection_->closing();
}

void PendingAnswer::send(Answer answer) {
    const std::lock_guard lock(mutex_);
    if (begun_ || ended_) return;
    begun_ = ended_ = true;
    const bool close = wants_close();
    const bool bare = answer.status == 204 || answer.status == 304;
    HeadOptions options;
    if (!bare) options.length = answer.body.size();
    options.close = close;
    std::string bytes = compose_head(answer.status, answer.type, answer.headers, options);
    if (!head_only_ && !bare) {
        bytes_ += answer.body.size();
        bytes += answer.body;
    }
    connection_->put(std::move(bytes), true, close);
}

// An interim answer, of which a request may have any number (RFC 9110, 15.2).
bool PendingAnswer::probe() {
    const std::lock_guard lock(mutex_);
    if (ended_) return true;
    if (begun_ || !http_1_1_) return false;
    return connection_->put("HTTP/1.1 100 Continue\r\n\r\n", false, false);
}

void PendingAnswer::begin(int status, std::string_view type, const Headers& headers) {
    const std::lock_guard lock(mutex_);
    if (begun_ || ended_) return;
    begun_ = true;
    chunked_ = http_1_1_;  // else the end of the connection is the end of the body
    close_ = wants_close() || !http_1_1_;
    HeadOptions options;
    options.chunked = chunked_;
    options.close = close_;
    connection_->put(compose_head(status, type, headers, options), false, close_);
}

void PendingAnswer::write(std::string_view chunk) {
    const std::lock_guard lock(mutex_);
    if (!begun_ || ended_ || head_only_ || chunk.empty()) return;
    bytes_ += chunk.size();
    connection_->put(chunked_ ? compose_chunk(chunk) : std::string(chunk), false, close_);
}

void PendingAnswer::end() {
    const std::lock_guard lock(mutex_);
    if (!begun_ || ended_) return;
    ended_ = true;
    connection_->put(chunked_ && !head_only_ ? std::string(kLastChunk) : std::string(), true,
                     close_);
}

void PendingAnswer::when_gone(std::function<void()> call) {
    {
        const std::lock_guard lock(mutex_);
        if (!gone_) {
            calls_.push_back(std::move(call));
            return;
        }
    }
    call();
}

void PendingAnswer::leave() {
    std::vector<std::function<void()>> calls;
    {
        const std::lock_guard lock(mutex_);
        if (gone_.exchange(true)) return;
        calls.swap(calls_);
    }
    for (const auto& call : calls) call();
}

}  // namespace heft::net
