#include "app/serve_flags.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "net/listener.h"

namespace heft::app {

namespace {

constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kMostBodyMiB = 1024;
constexpr int kHashDigitsInName = 8;

std::string usual_name(const std::string& reference) {
    std::filesystem::path path(reference);
    if (!path.has_filename()) path = path.parent_path();  // "folder/"
    const std::string extension = path.extension().string();
    const bool is_file = extension == ".gguf" || extension == ".safetensors" || extension == ".bin";
    return (is_file ? path.stem() : path.filename()).string();
}

Result<serve::Key> key_of(const std::string& text) {
    constexpr std::size_t kShortest = 8;
    if (text.size() < kShortest)
        return Error{Code::invalid, fmt::format("an API key has at least {} characters; `heft keys "
                                                "add` makes good ones",
                                                kShortest)};
    serve::Key key;
    HEFT_TRY(key.sha256, serve::hash_key(text));
    key.name = "key-" + key.sha256.substr(0, kHashDigitsInName);
    return key;
}

Status add_key(std::vector<serve::Key>& keys, const std::string& text) {
    HEFT_TRY(serve::Key key, key_of(text));
    const bool known = std::any_of(keys.begin(), keys.end(),
                                   [&](const serve::Key& other) { return other.name == key.name; });
    if (!known) keys.push_back(std::move(key));
    return {};
}

}  // namespace

void add_serve_flags(CLI::App& verb, ServeFlags& f) {
    verb.add_option("MODEL", f.models, "models, or NAME=MODEL (the built-in one)");
    verb.add_option("--host", f.hosts, "address or socket.sock (127.0.0.1)")->type_name("H");
    verb.add_option("--port", f.port, "port (8080; 0: a free one)")->type_name("N");
    verb.add_option("-c,--ctx-size", f.n_ctx, "context of one request")->type_name("N");
    verb.add_option("--parallel", f.n_parallel, "-np: answers at a time (64)")->type_name("N");
    verb.add_option("-a,--alias", f.alias, "the first model's name")->type_name("S");
    verb.add_option("--keep-alive", f.keep_alive, "idle models stay: 5m, 0, -1")->type_name("T");
    verb.add_option("-b,--batch-size", f.step_tokens, "tokens per step (512)")->type_name("N");
    verb.add_option("--cache-size", f.cache_mib, "MiB of cache (half of what is free)")
        ->type_name("N");
    verb.add_option("--queue", f.max_waiting, "requests that wait (256)")->type_name("N");
    add_threads(verb, f.model);
    add_cache_types(verb, f.model);
    add_deterministic(verb, f.model);
    verb.add_option("--api-key", f.api_keys, "a key; may be repeated")->type_name("K");
    verb.add_option("--api-key-file", f.api_key_file, "one key a line")->type_name("F");
    verb.add_option("--keys", f.keys_file, "keys with limits (`heft keys`)")->type_name("F");
    verb.add_flag("--allow-anonymous", f.allow_anonymous, "no keys, and reachable from elsewhere");
    verb.add_option("--ssl-cert-file", f.certificate, "TLS certificate")->type_name("F");
    verb.add_option("--ssl-key-file", f.key, "its key")->type_name("F");
    verb.add_option("--cors-origin", f.origins, "pages that may ask, or *")->type_name("O");
    verb.add_option("--allow-host", f.host_names, "a further name of this server")->type_name("H");
    verb.add_option("--timeout", f.timeout_s, "s to send or take (120, 30)")->type_name("S");
    verb.add_option("--max-body", f.body_mib, "MiB of a request (32)")->type_name("N");
    verb.add_option("--grace", f.grace_s, "s to finish at the end (30)")->type_name("S");
    verb.add_option("--threads-http", f.n_http_threads, "threads for clients (2)")->type_name("N");
    verb.add_option("--access-log", f.access_log, "JSON lines; -: stderr")->type_name("F");
    verb.add_flag("--metrics", f.metrics, "GET /metrics (Prometheus)");
    verb.add_flag("--slots", f.slots, "GET /slots");
}

Result<std::vector<serve::ModelSource>> sources_of(const ServeFlags& flags) {
    std::vector<serve::ModelSource> sources;
    for (const std::string& word : flags.models) {
        const std::size_t equals = word.find('=');
        std::error_code ignored;
        if (equals == std::string::npos || std::filesystem::exists(word, ignored))
            sources.push_back({usual_name(word), word});
        else
            sources.push_back({word.substr(0, equals), word.substr(equals + 1)});
        if (sources.back().name.empty())
            return Error{Code::invalid, fmt::format("\"{}\": a name is needed before the =", word)};
    }
    if (sources.empty()) sources.push_back({"tiny", "tiny"});
    if (!flags.alias.empty()) sources.front().name = flags.alias;
    return sources;
}

Result<std::vector<serve::Key>> keys_of(const ServeFlags& flags) {
    std::vector<serve::Key> keys;
    if (!flags.keys_file.empty()) {
        HEFT_TRY(keys, serve::read_keys(flags.keys_file));
        if (keys.empty())
            return Error{Code::invalid,
                         fmt::format("{}: no key is in it; add one by `heft keys add "
                                     "NAME`",
                                     flags.keys_file)};
    }
    for (const std::string& text : flags.api_keys) HEFT_OK(add_key(keys, text));
    if (flags.api_key_file.empty()) return keys;
    std::ifstream in(flags.api_key_file);
    if (!in) return Error{Code::not_found, flags.api_key_file + ": cannot be read"};
    std::size_t n = 0;
    for (std::string line; std::getline(in, line);) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (line.empty()) continue;
        HEFT_OK(add_key(keys, line));
        ++n;
    }
    if (n == 0)
        return Error{Code::invalid, flags.api_key_file + ": no key is in it; one a line is needed"};
    return keys;
}

bool is_nearby(const std::string& host) {
    return net::is_socket_path(host) || host == "localhost" || host == "::1"
           || host.rfind("127.", 0) == 0;
}

Result<net::ServerOptions> server_options_of(const ServeFlags& flags) {
    net::ServerOptions options;
    if (!flags.hosts.empty()) options.hosts = flags.hosts;
    options.port = flags.port;
    options.n_threads = flags.n_http_threads;
    if (flags.certificate.empty() != flags.key.empty())
        return Error{Code::invalid, "--ssl-cert-file and --ssl-key-file need each other"};
    if (!flags.certificate.empty()) options.tls = {flags.certificate, flags.key};
    if (flags.body_mib < 1 || flags.body_mib > kMostBodyMiB)
        return Error{Code::invalid, fmt::format("--max-body: 1 to {} MiB", kMostBodyMiB)};
    options.limits.body_bytes = static_cast<std::size_t>(flags.body_mib * kMiB);
    if (flags.timeout_s > 0) {
        options.limits.body_time = std::chrono::seconds(flags.timeout_s);
        options.limits.slow_time = std::chrono::seconds(flags.timeout_s);
    }
    return options;
}

engine::SchedulerOptions scheduler_options_of(const ServeFlags& flags) {
    engine::SchedulerOptions options;
    options.n_sequences = flags.n_parallel;
    options.n_ctx = flags.n_ctx;
    options.cache_bytes = flags.cache_mib * kMiB;
    options.step_tokens = flags.step_tokens;
    options.max_waiting = flags.max_waiting;
    return options;
}

Result<std::optional<std::chrono::seconds>> parse_keep_alive(const std::string& text) {
    std::int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    const std::string unit(rest, end);
    constexpr std::int64_t kMost = 1'000'000;
    std::int64_t seconds = 1;
    if (unit == "m") seconds = 60;
    if (unit == "h") seconds = 3600;
    const bool known = unit.empty() || unit == "s" || unit == "m" || unit == "h";
    if (error != std::errc() || !known || number > kMost)
        return Error{Code::invalid, fmt::format("--keep-alive {}: a time such as 5m, 300 or 1h is "
                                                "needed, 0 for at once, -1 for never",
                                                text)};
    if (number < 0) return std::optional<std::chrono::seconds>{};
    return std::optional<std::chrono::seconds>{std::chrono::seconds(number * seconds)};
}

}  // namespace heft::app
