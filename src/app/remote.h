// A running server as other verbs ask it: where it is, and with which key.
#pragma once

#include <atomic>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "net/client.h"

namespace CLI {
class App;
}

namespace heft::app {

struct RemoteFlags {
    std::string url;       // empty: HEFT_URL, or this machine's port 8080
    std::string key_file;  // empty: HEFT_API_KEY, if there is one
    std::string authorities;
    bool insecure = false;
};

void add_remote(CLI::App& verb, RemoteFlags& flags);
void add_remote_access(CLI::App& verb, RemoteFlags& flags);  // all but --url

struct Remote {
    net::Url url;
    net::ClientOptions options;
    net::Headers headers;  // with the key
};
Result<Remote> remote_of(const RemoteFlags& flags, const std::atomic<bool>* cancel = nullptr);

// A JSON answer of a heft server; what the server says against it is the error.
Result<nlohmann::ordered_json> ask_json(const Remote& remote, const std::string& method,
                                        const std::string& target, const std::string& body = {});

}  // namespace heft::app
