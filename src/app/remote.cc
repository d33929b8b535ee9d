#include "app/remote.h"

#include <cstdlib>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/console.h"
#include "base/json.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t kKeyBytes = 4096;
constexpr std::size_t kAnswerBytes = 16U << 20;
constexpr std::chrono::seconds kSilence{30};
constexpr std::size_t kShown = 300;

std::string from_environment(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return value == nullptr || *value == '\0' ? otherwise : value;
}

Result<std::string> key_of(const RemoteFlags& flags) {
    if (flags.key_file.empty()) return from_environment("HEFT_API_KEY", "");
    HEFT_TRY(std::string key, read_input(flags.key_file, kKeyBytes));
    key.resize(std::min(key.find_first_of("\r\n"), key.size()));
    if (key.empty()) return Error{Code::invalid, flags.key_file + ": no key is in its first line"};
    return key;
}

Error refused(const Remote& remote, const net::ClientAnswer& answer) {
    const auto tree = parse_json_tree(answer.body);
    std::string why;
    if (tree && tree->is_object() && tree->contains("error")) {
        const Json& error = (*tree)["error"];
        if (error.is_object() && error.contains("message") && error["message"].is_string())
            why = error["message"].get<std::string>();
        if (error.is_string()) why = error.get<std::string>();
    }
    if (why.empty()) why = answer.body.substr(0, kShown);
    constexpr int kUnauthorized = 401, kNotFound = 404;
    if (answer.status == kUnauthorized) why += " HEFT_API_KEY or --key-file gives heft one.";
    return {answer.status == kNotFound ? Code::not_found : Code::invalid,
            fmt::format("{}: {} ({})", net::to_string(remote.url), why, answer.status)};
}

}  // namespace

void add_remote(CLI::App& verb, RemoteFlags& flags) {
    verb.add_option("--url", flags.url, "the server ($HEFT_URL, http://127.0.0.1:8080)")
        ->type_name("U");
    add_remote_access(verb, flags);
}

void add_remote_access(CLI::App& verb, RemoteFlags& flags) {
    verb.add_option("--key-file", flags.key_file, "its first line is the key ($HEFT_API_KEY)")
        ->type_name("F");
    verb.add_option("--ca-file", flags.authorities, "authorities to trust, PEM")->type_name("F");
    verb.add_flag("--insecure", flags.insecure, "trust any certificate");
}

Result<Remote> remote_of(const RemoteFlags& flags, const std::atomic<bool>* cancel) {
    Remote remote;
    const std::string url =
        flags.url.empty() ? from_environment("HEFT_URL", "http://127.0.0.1:8080") : flags.url;
    HEFT_TRY(remote.url, net::parse_url(url));
    HEFT_TRY(const std::string key, key_of(flags));
    if (!key.empty()) remote.headers.emplace_back("Authorization", "Bearer " + key);
    remote.options.authorities = flags.authorities;
    remote.options.verify = !flags.insecure;
    remote.options.silence = kSilence;
    remote.options.body_bytes = kAnswerBytes;
    remote.options.cancel = cancel;
    return remote;
}

Result<Json> ask_json(const Remote& remote, const std::string& method, const std::string& target,
                      const std::string& body) {
    net::Client client(remote.url, remote.options);
    net::ClientRequest request{method, target, remote.headers, body};
    if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
    HEFT_TRY(const net::ClientAnswer answer, client.ask(request));
    constexpr int kGood = 200;
    if (answer.status != kGood) return refused(remote, answer);
    auto tree = parse_json_tree(answer.body);
    if (!tree || !tree->is_object() || !tree->contains("schema"))
        return Error{Code::corrupt, fmt::format("{} is no server of heft: it answers {} otherwise",
                                                net::to_string(remote.url), target)};
    return tree;
}

}  // namespace heft::app
