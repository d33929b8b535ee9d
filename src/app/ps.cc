// heft ps: what a running server does.
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/console.h"
#include "app/help.h"
#include "app/remote.h"
#include "app/scaled.h"
#include "app/server_commands.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

struct PsOptions {
    RemoteFlags remote;
    bool json = false, ready = false;
};

// A server of another version may leave fields out.
double number(const Json& of, const char* name) {
    const auto found = of.find(name);
    return found != of.end() && found->is_number() ? found->get<double>() : 0;
}

std::string text(const Json& of, const char* name) {
    const auto found = of.find(name);
    return found != of.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string duration(double seconds) {
    constexpr int kMinute = 60, kHour = 3600, kDay = 86'400;
    const auto s = static_cast<std::int64_t>(seconds);
    if (s >= kDay) return fmt::format("{} d {} h", s / kDay, s % kDay / kHour);
    if (s >= kHour) return fmt::format("{} h {} min", s / kHour, s % kHour / kMinute);
    return s >= kMinute ? fmt::format("{} min {} s", s / kMinute, s % kMinute)
                        : fmt::format("{} s", s);
}

std::string line_of(const Json& model) {
    const auto loaded = model.find("loaded");
    const bool is_loaded = loaded != model.end() && loaded->is_boolean() && loaded->get<bool>();
    const std::string expires = text(model, "expires");
    std::string line =
        fmt::format("{:<24} {:>10} {:>9.0f}  {:<10} ", text(model, "name"),
                    scaled_bytes(number(model, is_loaded ? "memory_bytes" : "file_bytes")),
                    number(model, "n_ctx"), is_loaded ? "loaded" : "-");
    if (!is_loaded) return line + "\n";
    return line
           + fmt::format("{:<21} {:>7.0f} {:>7.0f} {:>8}\n", expires.empty() ? "for ever" : expires,
                         number(model, "running"), number(model, "waiting"),
                         fmt::format("{:.0f} %", number(model, "cache_tokens") > 0
                                                     ? 100 * number(model, "cache_tokens_used")
                                                           / number(model, "cache_tokens")
                                                     : 0));
}

// For health checks of containers: 0 and 1, and no key.
Status ask_whether_ready(const Remote& remote) {
    constexpr int kGood = 200;
    net::Client client(remote.url, remote.options);
    HEFT_TRY(const net::ClientAnswer answer, client.ask({"GET", "/ready", {}, {}}));
    put(answer.body + "\n");
    if (answer.status != kGood) answer_no();
    return {};
}

Status ps(const PsOptions& o) {
    HEFT_TRY(const Remote remote, remote_of(o.remote));
    if (o.ready) return ask_whether_ready(remote);
    HEFT_TRY(const Json document, ask_json(remote, "GET", "/heft/ps"));
    if (o.json) {
        put_json(document);
        return {};
    }
    put(fmt::format("{:<24} {:>10} {:>9}  {:<10} {:<21} {:>7} {:>7} {:>8}\n", "MODEL", "SIZE",
                    "CONTEXT", "STATE", "UNTIL", "RUNNING", "WAITING", "CACHE"));
    if (const auto models = document.find("models"); models != document.end())
        for (const Json& model : *models)
            if (model.is_object()) put(line_of(model));
    const auto stopping = document.find("stopping");
    const bool stops =
        stopping != document.end() && stopping->is_boolean() && stopping->get<bool>();
    put(fmt::format("\nheft {} at {}, process {:.0f}, up {}, {} in memory, {:.0f} connections{}\n",
                    text(document, "version"), net::to_string(remote.url), number(document, "pid"),
                    duration(number(document, "up_s")),
                    scaled_bytes(number(document, "memory_bytes")), number(document, "connections"),
                    stops ? ", stopping" : ""));
    return {};
}

}  // namespace

void add_ps(CLI::App& app, Action& action) {
    const auto o = std::make_shared<PsOptions>();
    CLI::App* verb = add_verb(app, "ps", "What a running server has loaded and is doing.",
                              "heft ps --url http://127.0.0.1:8080");
    verb->group(kBesideServe);
    add_remote(*verb, o->remote);
    verb->add_flag("--ready", o->ready, "only whether it wants requests: exit code 0 or 1");
    verb->add_flag("--json", o->json, "one heft.ps/1 document");
    verb->callback([o, &action] { action = [o] { return ps(*o); }; });
}

}  // namespace heft::app
