// The paths for operators and for the page: /health, /ready, /version, /metrics, /slots,
// /heft/models, /heft/live.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "net/server.h"
#include "serve/exchange.h"
#include "serve/metrics.h"
#include "serve/models.h"

namespace heft::serve {

struct Operations {
    Models& models;
    const Metrics& metrics;
    std::function<const net::Counters*()> sockets;  // null until the server listens
    std::string version, commit;
    std::function<bool()> loading;  // what is to be loaded before the first request
    std::function<std::uint64_t()> log_lines_lost;
    bool show_metrics = false, show_slots = false, show_page = true;
};

// What the operations refer to outlives the routes.
std::vector<Route> operations_routes(Operations operations);

struct OperationsPath {  // for docs/api.md
    std::string_view path, what;
    bool open;
};
std::vector<OperationsPath> operations_paths();

}  // namespace heft::serve
