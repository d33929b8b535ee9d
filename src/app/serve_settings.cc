#include "app/serve_settings.h"

#include <algorithm>

#include <fmt/format.h>

namespace heft::app {

namespace {

constexpr std::int64_t kMostMib = std::int64_t{1} << 24;
constexpr std::int64_t kMostBodyMib = 1024;
constexpr std::int64_t kMostContext = std::int64_t{1} << 31;
constexpr int kMostThreads = 4096;
constexpr int kMostSeconds = 86'400;
constexpr int kMostPort = 65'535;

template <class Of, auto first, auto... rest>
auto& part(Of& of) {
    if constexpr (sizeof...(rest) == 0)
        return of.*first;
    else
        return part<std::remove_reference_t<decltype(of.*first)>, rest...>(of.*first);
}

using Model = ModelSettings;
using Server = ServeSettings;
using enum Applies;

// clang-format off
const Setting<Model> kModelSettings[] = {
    {"-c,--ctx-size", &part<Model, &Model::n_ctx>, "N", "context of one request", reloaded, 0, kMostContext},
    {"--parallel", &part<Model, &Model::n_parallel>, "N", "-np: answers at a time (64)", reloaded, 1, 65'536},
    {"--keep-alive", &part<Model, &Model::keep_alive>, "T", "idle models stay: 5m, 0, -1"},
    {"-b,--batch-size", &part<Model, &Model::step_tokens>, "N", "tokens per step (512)", reloaded, 1, 65'536},
    {"--cache-size", &part<Model, &Model::cache_mib>, "N", "MiB of cache (half of what is free)", reloaded, 0, kMostMib},
    {"--queue", &part<Model, &Model::max_waiting>, "N", "requests that wait (256)", reloaded, 0, 1'000'000},
    {"--lora", &part<Model, &Model::open, &ModelFlags::lora>, "F", "adapter; NAME=F: on request", reloaded},
    {"-t,--threads", &part<Model, &Model::open, &ModelFlags::n_threads>, "N", "threads (0: all CPUs)", reloaded, 0, kMostThreads},
    {"--cache-type-k", &part<Model, &Model::open, &ModelFlags::cache_keys>, "T", "-ctk: f32, f16, bf16, q8_0", reloaded},
    {"--cache-type-v", &part<Model, &Model::open, &ModelFlags::cache_values>, "T", "-ctv: the same, for values", reloaded},
    {"--deterministic", &part<Model, &Model::open, &ModelFlags::deterministic>, "", "same bits in any batch", reloaded},
};

const Setting<Server> kServerSettings[] = {
    {"--host", &part<Server, &Server::hosts>, "H", "address or x.sock (127.0.0.1)", restart},
    {"--port", &part<Server, &Server::port>, "N", "port (8080; 0: a free one)", restart, 0, kMostPort},
    {"-a,--alias", &part<Server, &Server::alias>, "S", "the first model's name"},
    {"--api-key", &part<Server, &Server::api_keys>, "K", "a key; may be repeated"},
    {"--api-key-file", &part<Server, &Server::api_key_file>, "F", "one key a line"},
    {"--keys", &part<Server, &Server::keys_file>, "F", "keys with limits (`heft keys`)"},
    {"--allow-anonymous", &part<Server, &Server::allow_anonymous>, "", "no keys, and reachable from elsewhere"},
    {"--ssl-cert-file", &part<Server, &Server::certificate>, "F", "TLS certificate"},
    {"--ssl-key-file", &part<Server, &Server::key>, "F", "its key"},
    {"--cors-origin", &part<Server, &Server::origins>, "O", "pages that may ask, or *"},
    {"--allow-host", &part<Server, &Server::host_names>, "H", "a further name of this server"},
    {"--timeout", &part<Server, &Server::timeout_s>, "S", "s to send or take (120, 30)", at_once, 0, kMostSeconds},
    {"--request-timeout", &part<Server, &Server::request_timeout_s>, "S", "s for an answer (no limit)", at_once, 0, kMostSeconds},
    {"--max-body", &part<Server, &Server::body_mib>, "N", "MiB of a request (32)", at_once, 1, kMostBodyMib},
    {"--grace", &part<Server, &Server::grace_s>, "S", "s to finish at the end (30)", at_once, 0, kMostSeconds},
    {"--threads-http", &part<Server, &Server::n_http_threads>, "N", "threads for clients (2)", restart, 1, kMostThreads},
    {"--access-log", &part<Server, &Server::access_log>, "F", "JSON lines; -: stderr"},
    {"--state", &part<Server, &Server::state>, "F", "keep responses here", restart},
    {"--metrics", &part<Server, &Server::metrics>, "", "GET /metrics (Prometheus)", restart},
    {"--slots", &part<Server, &Server::slots>, "", "GET /slots", restart},
    {"--no-page", &part<Server, &Server::no_page>, "", "no page at /", restart},
};
// clang-format on

}  // namespace

std::string_view to_string(Applies applies) {
    switch (applies) {
        case at_once: return "at once";
        case reloaded: return "the model is loaded anew";
        case restart: return "restart";
    }
    return "";
}

std::span<const Setting<ModelSettings>> model_settings() {
    return kModelSettings;
}

std::span<const Setting<ServeSettings>> server_settings() {
    return kServerSettings;
}

std::string long_flag(std::string_view flag) {
    return std::string(flag.substr(flag.find("--")));
}

std::string key_of(std::string_view flag) {
    std::string key = long_flag(flag).substr(2);
    std::replace(key.begin(), key.end(), '-', '_');
    return key;
}

template <class Of>
Status check_range(const Setting<Of>& setting, Of& of, const std::string& name) {
    const auto number = std::visit(
        [&](auto place) -> std::int64_t {
            if constexpr (std::is_integral_v<std::remove_reference_t<decltype(place(of))>>)
                return static_cast<std::int64_t>(place(of));
            else
                return setting.least;
        },
        setting.place);
    const bool is_flag = std::holds_alternative<bool& (*)(Of&)>(setting.place);
    if (is_flag || (number >= setting.least && number <= setting.most)) return {};
    return Error{Code::invalid, fmt::format("{} {}: {} to {} is possible", name, number,
                                            setting.least, setting.most)};
}

template Status check_range(const Setting<ModelSettings>&, ModelSettings&, const std::string&);
template Status check_range(const Setting<ServeSettings>&, ServeSettings&, const std::string&);

}  // namespace heft::app
