// The options of `heft serve`, and what they and the configuration file come to.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/serve_settings.h"
#include "base/result.h"
#include "net/server.h"
#include "serve/front.h"
#include "serve/keys.h"
#include "serve/models.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace heft::app {

struct ServeFlags {
    std::string config;
    bool check = false, config_help = false;
    ServeSettings values;  // of the flags that are given
    // Tells which ones are, once the command line is parsed.
    std::vector<std::pair<const CLI::Option*, const Setting<ModelSettings>*>> of_models;
    std::vector<std::pair<const CLI::Option*, const Setting<ServeSettings>*>> of_server;
};

void add_serve_flags(CLI::App& verb, ServeFlags& flags);

// The file, and over it the flags.
Result<ServeSettings> settings_of(const ServeFlags& flags);

// The models, named, with their own settings; the built-in one where none is told.
Result<std::vector<ServedModel>> served_models(const ServeSettings& settings);
Result<std::vector<serve::ModelSource>> sources_of(const ServeSettings& settings);
engine::SchedulerOptions scheduler_options_of(const ModelSettings& settings);
Result<std::vector<serve::Key>> keys_of(const ServeSettings& settings);
Result<net::ServerOptions> server_options_of(const ServeSettings& settings);
serve::FrontOptions front_options_of(const ServeSettings& settings);
// "5m", "300", "1h"; none: for ever, as negative numbers say.
Result<serve::KeepAlive> parse_keep_alive(const std::string& text);
// Whether only programs of this machine can reach it.
bool is_nearby(const std::string& host);
// Keys decide who may ask; a server that anyone on a network can reach has some.
Status check_reach(const net::ServerOptions& options, bool has_keys, const ServeSettings& settings);

}  // namespace heft::app
