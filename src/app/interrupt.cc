#include "app/interrupt.h"

#include <csignal>

#include <unistd.h>

#include "app/exit_code.h"

namespace heft::app {

namespace {

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set in a signal handler");

struct sigaction previous_action {};

void on_interrupt(int /*signal*/) {
    if (stop_requested.exchange(true)) ::_exit(exit_code(Code::cancelled));
}

}  // namespace

InterruptGuard::InterruptGuard() {
    stop_requested = false;
    struct sigaction action {};
    action.sa_handler = on_interrupt;
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGINT, &action, &previous_action);
}

InterruptGuard::~InterruptGuard() {
    ::sigaction(SIGINT, &previous_action, nullptr);
}

const std::atomic<bool>& InterruptGuard::requested() const {
    return stop_requested;
}

}  // namespace heft::app
