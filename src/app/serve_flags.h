// The options of `heft serve`, and what they come to.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "app/model_flags.h"
#include "base/result.h"
#include "engine/scheduler.h"
#include "net/server.h"
#include "serve/keys.h"
#include "serve/models.h"

namespace CLI {
class App;
}

namespace heft::app {

struct ServeFlags {
    std::vector<std::string> models;  // MODEL or NAME=MODEL
    ModelFlags model;                 // what is the same for all of them
    std::string alias;
    std::vector<std::string> hosts, api_keys, origins, host_names;
    int port = 8080;
    std::string api_key_file, keys_file;
    std::string certificate, key;
    std::string access_log, keep_alive;
    std::int64_t n_ctx = 0, cache_mib = 0, body_mib = 32;
    int n_parallel = 64, step_tokens = 512, max_waiting = 256;
    int timeout_s = 0, grace_s = 30, n_http_threads = 2;
    bool allow_anonymous = false, metrics = false, slots = false;
};

void add_serve_flags(CLI::App& verb, ServeFlags& flags);

Result<std::vector<serve::ModelSource>> sources_of(const ServeFlags& flags);
Result<std::vector<serve::Key>> keys_of(const ServeFlags& flags);
Result<net::ServerOptions> server_options_of(const ServeFlags& flags);
engine::SchedulerOptions scheduler_options_of(const ServeFlags& flags);
// "5m", "300", "1h"; none: for ever, as negative numbers say.
Result<std::optional<std::chrono::seconds>> parse_keep_alive(const std::string& text);
// Whether only programs of this machine can reach it.
bool is_nearby(const std::string& host);

}  // namespace heft::app
