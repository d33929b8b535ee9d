// heft serve: models for many clients.
#include <atomic>
#include <future>
#include <memory>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/build_info.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "app/serve_flags.h"
#include "app/signals.h"
#include "serve/api/routes.h"
#include "serve/front.h"
#include "serve/models.h"
#include "serve/operations_routes.h"

namespace heft::app {

namespace {

constexpr std::chrono::seconds kUsualKeepAlive{300};
constexpr std::chrono::milliseconds kWait{1000};
constexpr std::chrono::milliseconds kCancelTime{2000};

void tell(const std::string& sentence) {
    say("heft: " + sentence);
}

// Keys decide who may ask; a server that anyone on a network can reach has some.
Status check_reach(const net::ServerOptions& options, const serve::Keys& keys,
                   const ServeFlags& flags) {
    if (keys.required() || flags.allow_anonymous) return {};
    for (const std::string& host : options.hosts)
        if (!is_nearby(host))
            return Error{Code::invalid,
                         fmt::format("--host {} can be reached from other machines, and "
                                     "there are no API keys: add --api-key or --keys, "
                                     "or --allow-anonymous if that is meant",
                                     host)};
    return {};
}

Result<serve::ModelsOptions> models_options(const ServeFlags& flags) {
    serve::ModelsOptions options;
    HEFT_TRY(options.sources, sources_of(flags));
    if (options.sources.size() > 1) options.keep_alive = kUsualKeepAlive;
    if (!flags.keep_alive.empty()) {
        HEFT_TRY(options.keep_alive, parse_keep_alive(flags.keep_alive));
    }
    options.open = [model = flags.model](const std::string& reference) {
        ModelFlags one = model;
        one.reference = reference;
        return open_model(one, op::Precision::fast);
    };
    options.describe = open_description;
    options.scheduler = scheduler_options_of(flags);
    options.version = build_info().version;
    options.notice = tell;
    return options;
}

// A single model is there before the first request, or the program says why it cannot be.
Status preload(serve::Models& models) {
    std::promise<serve::Opened> promise;
    models.open("", {"local", 0}, std::nullopt,
                [&](serve::Opened opened) { promise.set_value(std::move(opened)); });
    const serve::Opened opened = promise.get_future().get();
    if (opened.model) return {};
    return Error{Code::unsupported, opened.failure.message};
}

serve::FrontOptions front_options(const ServeFlags& flags, const net::ServerOptions& server) {
    serve::FrontOptions options;
    options.origins = flags.origins;
    options.host_names = flags.host_names;
    options.refuse = serve::refuse;
    options.check_hosts = !flags.host_names.empty();
    bool all_nearby = true;
    for (const std::string& host : server.hosts) {
        options.host_names.push_back(host);
        all_nearby = all_nearby && is_nearby(host);
    }
    options.check_hosts = options.check_hosts || all_nearby;
    return options;
}

// On SIGHUP: what can be read again without dropping a request. An error changes nothing.
void reload(const ServeFlags& flags, serve::Keys& keys, serve::AccessLog& log,
            net::Server& server) {
    auto read = keys_of(flags);
    if (!read) return tell(read.error().what + "; the keys stay as they were");
    if (read->empty() == keys.required())
        return tell("keys cannot come into use or go out of it while the server runs");
    keys.replace(std::move(*read));
    if (const Status done = log.reopen(); !done) tell(done.error().what);
    if (const Status done = server.reload_certificate(); !done) tell(done.error().what);
    tell("keys, certificate and log were read again");
}

// Until a signal ends it; answers whether what was under way was completed.
bool attend(const ServeFlags& flags, const Signals& signals, serve::Keys& keys,
            serve::AccessLog& log, net::Server& server, serve::Models& models) {
    int signal = 0;
    while (signal != SIGINT && signal != SIGTERM) {
        signal = signals.wait(kWait);
        if (signal == SIGHUP) reload(flags, keys, log, server);
    }
    tell(
        fmt::format("stopping; answers have {} s to end, another signal ends them", flags.grace_s));
    bool hurried = false;
    const auto hurry = [&] {
        const int again = signals.wait(std::chrono::milliseconds(0));
        hurried = hurried || again == SIGINT || again == SIGTERM;
        return hurried;
    };
    const auto deadline = Clock::now() + std::chrono::seconds(flags.grace_s);
    const bool complete = server.stop(deadline, hurry);
    // Those whose clients were cut off are cancelled already.
    models.drain(Clock::now() + kCancelTime, hurry);
    return complete;
}

Status serve_models(const ServeFlags& flags) {
    const Signals signals;
    HEFT_TRY(std::vector<serve::Key> known, keys_of(flags));
    serve::Keys keys(std::move(known));
    HEFT_TRY(const net::ServerOptions options, server_options_of(flags));
    HEFT_OK(check_reach(options, keys, flags));
    HEFT_TRY(const std::unique_ptr<serve::AccessLog> log, serve::AccessLog::open(flags.access_log));
    serve::Metrics metrics;
    HEFT_TRY(serve::ModelsOptions wanted, models_options(flags));
    const bool single = wanted.sources.size() == 1;
    HEFT_TRY(const std::unique_ptr<serve::Models> models,
             serve::Models::start(std::move(wanted), keys, metrics));
    if (single) HEFT_OK(preload(*models));

    std::atomic<const net::Counters*> sockets{nullptr};
    std::vector<serve::Route> routes = serve::api_routes(*models);
    for (serve::Route& route : serve::operations_routes(
             {*models, metrics, [&] { return sockets.load(); }, build_info().version,
              build_info().commit, flags.metrics, flags.slots}))
        routes.push_back(std::move(route));
    serve::Front front(front_options(flags, options), std::move(routes), keys, metrics, *log);
    HEFT_TRY(const std::unique_ptr<net::Server> server,
             net::Server::start(options, front.callbacks(tell)));
    sockets = &server->counters();
    for (const auto& address : server->addresses()) tell("serving at " + address.url);
    const bool complete = attend(flags, signals, keys, *log, *server, *models);
    tell(complete ? "stopped" : "stopped; some answers were cut off");
    return {};
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
    auto flags = std::make_shared<ServeFlags>();
    CLI::App* verb =
        add_verb(app, "serve", "Models over HTTP: OpenAI's, Anthropic's and Ollama's APIs.",
                 "heft serve model.gguf --port 8080");
    add_serve_flags(*verb, *flags);
    verb->callback([flags, &action] { action = [flags] { return serve_models(*flags); }; });
}

}  // namespace heft::app
