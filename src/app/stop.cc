// heft stop: unloads models of a running server, or ends it.
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/console.h"
#include "app/help.h"
#include "app/remote.h"
#include "app/server_commands.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

struct StopOptions {
    RemoteFlags remote;
    std::string model;
    bool all = false, server = false, json = false;
};

Result<Json> order_of(const StopOptions& o) {
    const int n_asked = (o.model.empty() ? 0 : 1) + (o.all ? 1 : 0) + (o.server ? 1 : 0);
    if (n_asked != 1) return Error{Code::invalid, "one of MODEL, --all and --server is needed"};
    if (o.server) return Json{{"server", true}};
    return o.all ? Json{{"all", true}} : Json{{"model", o.model}};
}

Status stop(const StopOptions& o) {
    HEFT_TRY(const Json order, order_of(o));
    HEFT_TRY(const Remote remote, remote_of(o.remote));
    HEFT_TRY(const Json document, ask_json(remote, "POST", "/heft/stop", order.dump()));
    if (o.json) {
        put_json(document);
        return {};
    }
    const auto each = [&](const char* list, const char* what) {
        const auto found = document.find(list);
        if (found == document.end()) return;
        for (const Json& name : *found)
            if (name.is_string()) put(fmt::format("{} {}\n", name.get<std::string>(), what));
    };
    each("unloading", "is unloaded as soon as nobody uses it");
    each("not_loaded", "is not loaded");
    if (o.server) put("the server stops once the answers under way have ended\n");
    return {};
}

}  // namespace

void add_stop(CLI::App& app, Action& action) {
    const auto o = std::make_shared<StopOptions>();
    CLI::App* verb =
        add_verb(app, "stop", "Unloads models of a running server, or ends it.", "heft stop coder");
    verb->group(kBesideServe);
    verb->add_option("MODEL", o->model, "the model to unload");
    verb->add_flag("--all", o->all, "all models");
    verb->add_flag("--server", o->server, "the server itself");
    add_remote(*verb, o->remote);
    verb->add_flag("--json", o->json, "one heft.stop/1 document");
    verb->callback([o, &action] { action = [o] { return stop(*o); }; });
}

}  // namespace heft::app
