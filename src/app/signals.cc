#include "app/signals.h"

#include <ctime>

namespace heft::app {

Signals::Signals() {
    ::sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&set_, signal);
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
    // A client, or who reads our log, may go at any time.
    std::signal(SIGPIPE, SIG_IGN);
    // So may the room for a log: its lines are counted then, no more.
    std::signal(SIGXFSZ, SIG_IGN);
}

Signals::~Signals() {
    while (wait(std::chrono::milliseconds(0)) != 0) {  // the one too many of an impatient user
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int Signals::wait(std::chrono::milliseconds time) const {
    constexpr long kMillion = 1'000'000;
    const std::timespec span{time.count() / 1000,
                             static_cast<long>(time.count() % 1000) * kMillion};
    const int signal = ::sigtimedwait(&set_, nullptr, &span);
    return signal > 0 ? signal : 0;
}

}  // namespace heft::app
