// What `heft ps` and `heft stop` ask of a running server: GET /heft/ps and POST /heft/stop
// (docs/decisions/0019-stopping-over-http.md).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "net/server.h"
#include "serve/exchange.h"
#include "serve/models.h"

namespace heft::serve {

struct Admin {
    Models& models;
    std::function<const net::Counters*()> sockets;  // null until the server listens
    std::function<std::int64_t()> memory_bytes;     // of the process
    std::string version;
    std::function<void()> stop;  // the server; returns at once
    Clock::time_point began = Clock::now();
};

// What it refers to outlives the routes.
std::vector<Route> admin_routes(Admin admin);

}  // namespace heft::serve
