// heft serve: models for many clients.
#include <atomic>
#include <csignal>
#include <future>
#include <memory>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "app/build_info.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "app/machine.h"
#include "app/model_card.h"
#include "app/serve_config.h"
#include "app/serve_flags.h"
#include "app/serve_reload.h"
#include "app/service_manager.h"
#include "app/signals.h"
#include "serve/admin_routes.h"
#include "serve/api/response_store.h"
#include "serve/api/routes.h"
#include "serve/operations_routes.h"
#include "serve/page/routes.h"

namespace heft::app {

namespace {

constexpr std::chrono::milliseconds kWait{1000};
constexpr std::chrono::milliseconds kCancelTime{2000};

void tell(const std::string& sentence) {
    say("heft: " + sentence);
}

Result<serve::ModelsOptions> models_options(const ServeSettings& settings) {
    serve::ModelsOptions options;
    HEFT_TRY(options.sources, sources_of(settings));
    if (!settings.no_page) options.card = model_card;
    options.version = build_info().version;
    options.notice = tell;
    return options;
}

// A single model is there before the server says that it is ready, or the program says why it
// cannot be.
Status preload(serve::Models& models) {
    std::promise<serve::Opened> promise;
    models.open("", {"local", 0}, std::nullopt,
                [&](serve::Opened opened) { promise.set_value(std::move(opened)); });
    const serve::Opened opened = promise.get_future().get();
    if (opened.model) return {};
    const bool lacks_room = opened.failure.kind == serve::FailureKind::unavailable;
    return Error{lacks_room ? Code::exhausted : Code::unsupported, opened.failure.message};
}

// In memory, unless a folder was asked for: nothing that people write is on a disk by default.
Result<std::unique_ptr<serve::ResponseStore>> response_store(const ServeSettings& settings) {
    if (settings.state.empty()) return std::make_unique<serve::ResponseStore>();
    return serve::ResponseStore::open(settings.state, {.bytes = serve::kStoredBytesOnDisk});
}

// Until a signal ends it; answers whether what was under way was completed.
bool attend(const ServeFlags& flags, const Signals& signals, RunningServer& running) {
    int signal = 0;
    while (signal != SIGINT && signal != SIGTERM) {
        signal = signals.wait(kWait);
        if (signal == SIGHUP) reload(flags, running);
    }
    tell_service_manager(kServiceStopping);
    const int grace_s = running.settings.grace_s;
    tell(fmt::format("stopping; answers have {} s to end, another signal ends them", grace_s));
    bool hurried = false;
    const auto hurry = [&] {
        const int again = signals.wait(std::chrono::milliseconds(0));
        hurried = hurried || again == SIGINT || again == SIGTERM;
        return hurried;
    };
    const auto deadline = Clock::now() + std::chrono::seconds(grace_s);
    const bool complete = running.server.stop(deadline, hurry);
    // Those whose clients were cut off are cancelled already.
    running.models.drain(Clock::now() + kCancelTime, hurry);
    return complete;
}

// What the routes ask of a server that is only about to be.
struct Outside {
    std::atomic<const net::Counters*> sockets{nullptr};
    std::atomic<bool> loading{true};
};

std::vector<serve::Route> all_routes(const ServeSettings& settings, serve::Models& models,
                                     serve::Metrics& metrics, serve::AccessLog& log,
                                     Outside& outside,
                                     std::unique_ptr<serve::ResponseStore> responses) {
    std::vector<serve::Route> routes;
    const auto add = [&](std::vector<serve::Route> more) {
        for (serve::Route& route : more) routes.push_back(std::move(route));
    };
    if (!settings.no_page) add(serve::page_routes());  // first: "/" is the page's
    add(serve::api_routes(models, std::move(responses)));
    const auto sockets = [&outside] { return outside.sockets.load(); };
    add(serve::operations_routes(
        {models, metrics, sockets, build_info().version, build_info().commit,
         [&outside] { return outside.loading.load(); }, [&log] { return log.lost(); },
         settings.metrics, settings.slots, !settings.no_page}));
    // The signal is how everybody else stops it, too.
    add(serve::admin_routes({models, sockets, memory_in_use_bytes, build_info().version,
                             [] { ::kill(::getpid(), SIGTERM); }}));
    return routes;
}

Status serve_models(const ServeFlags& flags, const ServeSettings& settings) {
    const Signals signals;
    HEFT_TRY(std::vector<serve::Key> known, keys_of(settings));
    HEFT_TRY(const net::ServerOptions options, server_options_of(settings));
    HEFT_OK(check_reach(options, !known.empty(), settings));
    serve::Keys keys(std::move(known));
    HEFT_TRY(const std::unique_ptr<serve::AccessLog> log,
             serve::AccessLog::open(settings.access_log));
    HEFT_TRY(std::unique_ptr<serve::ResponseStore> responses, response_store(settings));
    serve::Metrics metrics;
    Outside outside;
    HEFT_TRY(serve::ModelsOptions wanted, models_options(settings));
    const bool single = wanted.sources.size() == 1;
    HEFT_TRY(const std::unique_ptr<serve::Models> models,
             serve::Models::start(std::move(wanted), keys, metrics));
    serve::Front front(front_options_of(settings),
                       all_routes(settings, *models, metrics, *log, outside, std::move(responses)),
                       keys, metrics, *log);
    // Before the model is loaded: an address that cannot be used is told at once.
    HEFT_TRY(const std::unique_ptr<net::Server> server,
             net::Server::start(options, front.callbacks(tell)));
    outside.sockets = &server->counters();
    if (single) HEFT_OK(preload(*models));
    outside.loading = false;
    for (const auto& address : server->addresses()) tell("serving at " + address.url);
    tell_service_manager(kServiceReady);
    RunningServer running{settings, keys, metrics, *log, *models, front, *server};
    const bool complete = attend(flags, signals, running);
    tell(complete ? "stopped" : "stopped; some answers were cut off");
    return {};
}

// Everything that a start would find wrong, but for what is free only when it starts: ports,
// memory.
Status check(const ServeSettings& settings) {
    HEFT_TRY(const std::vector<serve::Key> known, keys_of(settings));
    HEFT_TRY(const net::ServerOptions options, server_options_of(settings));
    HEFT_OK(check_reach(options, !known.empty(), settings));
    if (options.tls) {
        HEFT_TRY([[maybe_unused]] const auto usable, net::Certificate::load(*options.tls));
    }
    HEFT_TRY(serve::ModelsOptions wanted, models_options(settings));
    const std::size_t n_models = wanted.sources.size();
    serve::Keys keys;
    serve::Metrics metrics;
    HEFT_TRY([[maybe_unused]] const auto models,
             serve::Models::start(std::move(wanted), keys, metrics));
    put(fmt::format("good: {} {}, {}, {}\n", n_models, n_models == 1 ? "model" : "models",
                    known.empty() ? "no keys" : fmt::format("{} keys", known.size()),
                    options.tls ? "TLS" : "no TLS"));
    return {};
}

Status run(const ServeFlags& flags) {
    if (flags.config_help) {
        put(serve_config_document());
        return {};
    }
    HEFT_TRY(const ServeSettings settings, settings_of(flags));
    return flags.check ? check(settings) : serve_models(flags, settings);
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
    auto flags = std::make_shared<ServeFlags>();
    CLI::App* verb =
        add_verb(app, "serve", "Models over HTTP: OpenAI's, Anthropic's and Ollama's APIs.",
                 "heft serve model.gguf --port 8080");
    add_serve_flags(*verb, *flags);
    verb->callback([flags, &action] { action = [flags] { return run(*flags); }; });
}

}  // namespace heft::app
