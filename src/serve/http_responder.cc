#include "serve/http_responder.h"

#include <utility>

namespace heft::serve {

namespace {
constexpr int kLeft = 499;  // nginx's word for a client that did not wait
}

HttpResponder::HttpResponder(std::shared_ptr<net::Exchange> exchange, Headers headers,
                             std::function<void(const End&)> on_end)
    : exchange_(std::move(exchange)), headers_(std::move(headers)), on_end_(std::move(on_end)) {}

HttpResponder::~HttpResponder() {
    finish(true);
}

Headers HttpResponder::joined(Headers headers) const {
    headers.insert(headers.end(), headers_.begin(), headers_.end());
    return headers;
}

void HttpResponder::finish(bool left) {
    std::function<void(const End&)> call;
    End end;
    {
        const std::lock_guard lock(mutex_);
        call = std::exchange(on_end_, nullptr);
        end.status = status_ != 0 ? status_ : left ? kLeft : 200;
    }
    if (!call) return;
    end.left = left;
    end.bytes = exchange_->bytes();
    end.seconds = seconds_since(begin_);
    call(end);
}

void HttpResponder::send(int status, std::string_view content_type, std::string body,
                         Headers headers) {
    {
        const std::lock_guard lock(mutex_);
        if (status_ != 0) return;
        status_ = status;
    }
    exchange_->send(
        {status, std::string(content_type), std::move(body), joined(std::move(headers))});
    finish(false);
}

void HttpResponder::begin(int status, std::string_view content_type, Headers headers) {
    {
        const std::lock_guard lock(mutex_);
        if (status_ != 0) return;
        status_ = status;
    }
    exchange_->begin(status, content_type, joined(std::move(headers)));
}

void HttpResponder::write(std::string chunk) {
    exchange_->write(chunk);
}

void HttpResponder::end() {
    exchange_->end();
    finish(exchange_->gone());
}

bool HttpResponder::gone() const {
    return exchange_->gone();
}

void HttpResponder::when_gone(std::function<void()> call) {
    exchange_->when_gone(std::move(call));
}

}  // namespace heft::serve
