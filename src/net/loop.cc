#include "net/loop.h"

#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace heft::net {

namespace asio = boost::asio;

namespace {
constexpr std::size_t kScratchBytes = 64U << 10;
constexpr int kThreadsOfALoop = 1;
}  // namespace

struct Loop::Impl {
    asio::io_context context{kThreadsOfALoop};
    asio::executor_work_guard<asio::io_context::executor_type> guard{context.get_executor()};
    asio::steady_timer timer{context};
    std::function<void()> tick;
    std::chrono::milliseconds period{};
    bool finished = false;  // of the loop's thread
    std::vector<char> scratch = std::vector<char>(kScratchBytes);

    void wait() {
        timer.expires_after(period);
        timer.async_wait([this](const boost::system::error_code& error) {
            if (error || finished) return;
            tick();
            wait();
        });
    }
};

Loop::Loop() : impl_(std::make_unique<Impl>()) {}
Loop::~Loop() = default;

void Loop::run() {
    impl_->context.run();
}

void Loop::finish() {
    post([impl = impl_.get()] {
        impl->finished = true;
        impl->timer.cancel();
        impl->guard.reset();
    });
}

void Loop::post(std::function<void()> work) {
    asio::post(impl_->context, std::move(work));
}

void Loop::every(std::chrono::milliseconds period, std::function<void()> work) {
    post([impl = impl_.get(), period, work = std::move(work)] {
        impl->period = period;
        impl->tick = work;
        impl->wait();
    });
}

asio::io_context& Loop::context() {
    return impl_->context;
}

std::span<char> Loop::scratch() {
    return impl_->scratch;
}

}  // namespace heft::net
