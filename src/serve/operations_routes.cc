#include "serve/operations_routes.h"

#include <memory>

#include <nlohmann/json.hpp>

#include "serve/page/documents.h"

namespace heft::serve {

namespace {

using Json = nlohmann::ordered_json;
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kPrometheus = "text/plain; version=0.0.4; charset=utf-8";

std::string dumped(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Alive: the process answers. Nothing is asked of the models.
void health(const Operations& /*all*/, const HttpRequest& /*request*/, Responder& out) {
    out.send(200, kJson, R"({"status":"ok"})");
}

// Ready: to be sent requests.
void ready(const Operations& all, const HttpRequest& /*request*/, Responder& out) {
    if (all.models.draining())
        out.send(503, kJson, R"({"status":"stopping"})");
    else if (all.loading())
        out.send(503, kJson, R"({"status":"loading"})", {{"Retry-After", "1"}});
    else
        out.send(200, kJson, R"({"status":"ready"})");
}

void version(const Operations& all, const HttpRequest& /*request*/, Responder& out) {
    out.send(200, kJson, dumped({{"version", all.version}, {"commit", all.commit}}));
}

void metrics(const Operations& all, const HttpRequest& /*request*/, Responder& out) {
    std::vector<Metrics::ModelNow> models;
    for (Models::Now& one : all.models.now()) models.push_back({one.name, one.stats});
    out.send(200, kPrometheus, all.metrics.text(models, all.sockets(), all.log_lines_lost()));
}

void slots(const Operations& all, const HttpRequest& /*request*/, Responder& out) {
    Json list = Json::array();
    for (const Models::Now& one : all.models.now())
        for (const auto& slot : one.slots)
            list.push_back({
                {"id", slot.id},
                {"model", one.name},
                {"owner", slot.owner},
                {"is_processing", true},
                {"n_prompt", slot.n_prompt},
                {"n_read", slot.n_read},
                {"n_cached", slot.n_cached},
                {"n_made", slot.n_made},
                {"age_s", slot.age_s},
            });
    out.send(200, kJson, dumped(list));
}

void page_models(const Operations& all, const HttpRequest& /*request*/, Responder& out) {
    out.send(200, kJson, dumped(models_document(all.models)));
}

void live(const Operations& all, const HttpRequest& request, Responder& out) {
    out.send(200, kJson, dumped(live_document(all.models, request.caller, all.show_slots)));
}

struct Row {
    std::string_view path;
    void (*handle)(const Operations&, const HttpRequest&, Responder&);
    bool open;
    bool Operations::*shown;  // null: always
    std::string_view what;    // for docs/api.md
};

constexpr Row kRows[] = {
    {"/health", health, true, nullptr, "Whether the process answers"},
    {"/v1/health", health, true, nullptr, "The same"},
    {"/ready", ready, true, nullptr, "Whether it wants requests; 503 while it loads or stops"},
    {"/version", version, true, nullptr, "Version and commit of the program"},
    {"/metrics", metrics, false, &Operations::show_metrics, "Numbers for Prometheus (`--metrics`)"},
    {"/slots", slots, false, &Operations::show_slots, "The answers in the making (`--slots`)"},
    {"/heft/models", page_models, false, &Operations::show_page,
     "The models with their memory, licence and openness: heft.models/1"},
    {"/heft/live", live, false, &Operations::show_page,
     "What they are doing now, and the caller's answers in the making: heft.live/1"},
};

}  // namespace

std::vector<Route> operations_routes(Operations operations) {
    const auto all = std::make_shared<const Operations>(std::move(operations));
    std::vector<Route> routes;
    for (const Row& row : kRows) {
        if (row.shown != nullptr && !((*all).*row.shown)) continue;
        routes.push_back({"GET", std::string(row.path),
                          [all, handle = row.handle](const HttpRequest& request,
                                                     std::shared_ptr<Responder> out) {
                              handle(*all, request, *out);
                          },
                          row.open});
    }
    return routes;
}

std::vector<OperationsPath> operations_paths() {
    std::vector<OperationsPath> paths;
    for (const Row& row : kRows) paths.push_back({row.path, row.what, row.open});
    return paths;
}

}  // namespace heft::serve
