#include "app/serve_reload.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/console.h"

namespace heft::app {

namespace {

void tell(const std::string& sentence) {
    say("heft: " + sentence);
}

// Settings that stay as they are, with the names of those that somebody wanted to change.
std::vector<std::string> keep_fixed(ServeSettings& now, ServeSettings& fresh) {
    std::vector<std::string> kept;
    for (const auto& setting : server_settings()) {
        if (setting.applies != Applies::restart || same(setting, now, fresh)) continue;
        kept.push_back(long_flag(setting.flag));
        copy(setting, now, fresh);
    }
    if (now.certificate.empty() != fresh.certificate.empty()) {
        kept.emplace_back("TLS instead of none, or none instead of TLS");
        fresh.certificate = now.certificate;
        fresh.key = now.key;
    }
    return kept;
}

struct Fresh {  // checked, and ready to be put into force
    ServeSettings settings;
    std::vector<std::string> kept;
    std::vector<serve::Key> keys;
    net::ServerOptions options;
    std::vector<serve::ModelSource> sources;
};

Result<Fresh> read_again(const ServeFlags& flags, RunningServer& running) {
    Fresh fresh;
    HEFT_TRY(fresh.settings, settings_of(flags));
    fresh.kept = keep_fixed(running.settings, fresh.settings);
    HEFT_TRY(fresh.keys, keys_of(fresh.settings));
    HEFT_TRY(fresh.options, server_options_of(fresh.settings));
    HEFT_OK(check_reach(fresh.options, !fresh.keys.empty(), fresh.settings));
    HEFT_TRY(fresh.sources, sources_of(fresh.settings));
    if (fresh.options.tls) {
        HEFT_TRY([[maybe_unused]] const auto usable, net::Certificate::load(*fresh.options.tls));
    }
    HEFT_TRY([[maybe_unused]] const auto writable,
             serve::AccessLog::open(fresh.settings.access_log));
    return fresh;
}

void tell_models(const serve::Models::Replaced& what) {
    const auto one = [](const char* how, const std::vector<std::string>& names) {
        if (!names.empty()) tell(fmt::format("models {}: {}", how, fmt::join(names, ", ")));
    };
    one("added", what.added);
    one("removed", what.removed);
    one("changed, to be loaded anew", what.changed);
}

Status try_reload(const ServeFlags& flags, RunningServer& running) {
    HEFT_TRY(Fresh fresh, read_again(flags, running));
    HEFT_TRY(const serve::Models::Replaced replaced,
             running.models.replace(std::move(fresh.sources)));
    // Nothing fails from here on, but for files that went in this very moment.
    if (running.keys.required() != !fresh.keys.empty())
        tell(fresh.keys.empty() ? "no keys are needed any more" : "keys are needed from now on");
    running.keys.replace(std::move(fresh.keys));
    running.front.replace(front_options_of(fresh.settings));
    running.server.set_limits(fresh.options.limits);
    if (fresh.options.tls)
        if (const Status done = running.server.reload_certificate(*fresh.options.tls); !done)
            tell(done.error().what);
    if (const Status done = running.log.reopen(fresh.settings.access_log); !done)
        tell(done.error().what);
    running.settings = std::move(fresh.settings);
    tell_models(replaced);
    for (const std::string& what : fresh.kept)
        tell(what + ": changes when the server starts again");
    return {};
}

}  // namespace

void reload(const ServeFlags& flags, RunningServer& running) {
    const Status done = try_reload(flags, running);
    running.metrics.reloaded(static_cast<bool>(done));
    if (!done) return tell(done.error().what + "; everything stays as it was");
    tell("configuration, keys, certificate and log were read again");
}

}  // namespace heft::app
