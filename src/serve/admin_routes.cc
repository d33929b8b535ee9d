#include "serve/admin_routes.h"

#include <algorithm>
#include <ctime>
#include <memory>

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "base/json.h"
#include "serve/api/routes.h"

namespace heft::serve {

namespace {

using Json = nlohmann::ordered_json;

void send_json(Responder& out, const Json& body) {
    out.send(200, "application/json", body.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string text_of(std::chrono::system_clock::time_point time) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                       fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

Json describe(const ModelInfo& info, const engine::Scheduler::Stats* stats) {
    Json model = {{"name", info.name},
                  {"aliases", info.aliases},
                  {"loaded", info.loaded},
                  {"format", info.format},
                  {"family", info.family},
                  {"parameters", info.parameter_size},
                  {"quantization", info.quantization},
                  {"file_bytes", info.file_bytes},
                  {"memory_bytes", info.memory_bytes},
                  {"n_ctx", info.n_ctx},
                  {"expires", info.expires ? Json(text_of(*info.expires)) : Json()}};
    if (stats == nullptr) return model;
    model["running"] = stats->running;
    model["waiting"] = stats->waiting;
    model["tokens_made"] = stats->made_tokens;
    model["cache_tokens"] = stats->blocks * stats->block_tokens;
    model["cache_tokens_used"] = stats->blocks_used * stats->block_tokens;
    return model;
}

void ps(const Admin& admin, const HttpRequest& /*request*/, Responder& out) {
    const std::vector<Models::Now> now = admin.models.now();
    Json models = Json::array();
    for (const ModelInfo& info : admin.models.models()) {
        const auto found = std::find_if(
            now.begin(), now.end(), [&](const Models::Now& one) { return one.name == info.name; });
        models.push_back(describe(info, found == now.end() ? nullptr : &found->stats));
    }
    const net::Counters* sockets = admin.sockets();
    send_json(out, {{"schema", "heft.ps/1"},
                    {"version", admin.version},
                    {"pid", ::getpid()},
                    {"up_s", static_cast<std::int64_t>(seconds_since(admin.began))},
                    {"stopping", admin.models.draining()},
                    {"memory_bytes", admin.memory_bytes()},
                    {"connections", sockets == nullptr ? 0 : sockets->open.load()},
                    {"models", std::move(models)}});
}

// One of {"model": NAME}, {"all": true} and {"server": true}.
struct Order {
    std::string model;
    bool all = false, server = false;
};

std::optional<Order> read_order(const std::string& body) {
    const auto tree = parse_json_tree(body);
    if (!tree || !tree->is_object() || tree->size() != 1) return std::nullopt;
    const Json& value = tree->begin().value();
    const std::string& what = tree->begin().key();
    Order order;
    order.all = what == "all";
    order.server = what == "server";
    if (order.all || order.server)
        return value.is_boolean() && value.get<bool>() ? std::optional(order) : std::nullopt;
    if (what != "model" || !value.is_string()) return std::nullopt;
    order.model = value.get<std::string>();
    return order.model.empty() ? std::nullopt : std::optional(order);
}

void unload(const Admin& admin, const Order& order, const HttpRequest& request, Responder& out) {
    Json unloading = Json::array(), idle = Json::array();
    for (const ModelInfo& info : admin.models.models()) {
        if (!order.all && !info.is_called(order.model)) continue;
        (info.loaded ? unloading : idle).push_back(info.name);
        if (info.loaded) admin.models.unload(info.name);
    }
    if (!order.all && unloading.empty() && idle.empty()) {
        Failure failure;
        failure.kind = FailureKind::not_found;
        failure.message = fmt::format("There is no model \"{}\" here.", order.model);
        failure.code = "model_not_found";
        return refuse(request, out, failure);
    }
    send_json(out, {{"schema", "heft.stop/1"},
                    {"unloading", std::move(unloading)},
                    {"not_loaded", std::move(idle)},
                    {"server", "serving"}});
}

void stop(const Admin& admin, const HttpRequest& request, Responder& out) {
    if (!request.caller.admin) return refuse(request, out, admin_needed());
    const std::optional<Order> order = read_order(request.body);
    if (!order)
        return refuse(request, out,
                      invalid("",
                              "One of {\"model\": NAME}, {\"all\": true} and {\"server\": true} "
                              "is needed."));
    if (!order->server) return unload(admin, *order, request, out);
    send_json(out, {{"schema", "heft.stop/1"},
                    {"unloading", Json::array()},
                    {"not_loaded", Json::array()},
                    {"server", "stopping"}});
    admin.stop();
}

struct Row {
    std::string_view method, path;
    void (*handle)(const Admin&, const HttpRequest&, Responder&);
};

constexpr Row kRows[] = {
    {"GET", "/heft/ps", ps},
    {"POST", "/heft/stop", stop},
};

}  // namespace

std::vector<Route> admin_routes(Admin admin) {
    const auto all = std::make_shared<const Admin>(std::move(admin));
    std::vector<Route> routes;
    for (const Row& row : kRows)
        routes.push_back({std::string(row.method), std::string(row.path),
                          [all, handle = row.handle](const HttpRequest& request,
                                                     std::shared_ptr<Responder> out) {
                              handle(*all, request, *out);
                          }});
    return routes;
}

}  // namespace heft::serve
