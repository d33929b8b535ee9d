#include "serve/front.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <random>
#include <set>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "net/target.h"
#include "serve/http_responder.h"

namespace heft::serve {

namespace {

constexpr std::size_t kIdBytes = 128;
constexpr const char* kTimeoutHeader = "x-request-timeout";
constexpr double kMostSeconds = 1e6;
constexpr std::string_view kMethods = "GET, POST, DELETE, OPTIONS";

std::string made_id() {
    static const std::uint64_t kRun = std::random_device()() * 0x1'0000'0001ULL;
    static std::atomic<std::uint64_t> next{0};
    return fmt::format("req-{:012x}-{:x}", (kRun ^ (kRun >> 16)) & 0xffff'ffff'ffffULL, ++next);
}

// A client's own id comes back to it and into the log; so it is a word.
bool is_decent(const std::string& id) {
    return !id.empty() && id.size() <= kIdBytes && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
               || c == '-' || c == '_' || c == '.' || c == ':';
    });
}

// Without the port: "[::1]:8080" is "::1".
std::string name_of_host(const std::string& host) {
    if (!host.empty() && host.front() == '[') return host.substr(1, host.find(']') - 1);
    return host.substr(0, host.find(':'));
}

bool is_address(const std::string& host) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1
           || ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

bool ends_with(const std::string& text, std::string_view end) {
    return text.size() >= end.size()
           && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

Failure failure(FailureKind kind, std::string message, std::string code) {
    Failure failure;
    failure.kind = kind;
    failure.message = std::move(message);
    failure.code = std::move(code);
    return failure;
}

// For what is no request yet, and so belongs to no API.
net::Answer plain_error(int status, const std::string& sentence) {
    const nlohmann::ordered_json body{
        {"error",
         {{"message", sentence},
          {"type", status < 500 ? "invalid_request_error" : "server_error"},
          {"param", nullptr},
          {"code", status}}}};
    return {status,
            "application/json",
            body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace),
            {}};
}

bool host_is_ours(const FrontOptions& options, const std::string& host) {
    if (!options.check_hosts) return true;
    const std::string name = name_of_host(host);
    return name.empty() || name == "localhost" || ends_with(name, ".localhost") || is_address(name)
           || std::find(options.host_names.begin(), options.host_names.end(), name)
                  != options.host_names.end();
}

// Where no keys are in use, a program of this machine is the operator's (decision 19), unless it is
// a proxy that asks for somebody else.
bool is_of_this_machine(const net::Request& request) {
    const bool forwarded =
        request.header("forwarded") != nullptr || request.header("x-forwarded-for") != nullptr;
    return !forwarded
           && (request.peer == "unix" || request.peer == "::1"
               || request.peer.rfind("127.", 0) == 0);
}

// Keeps what an answer would be, for a request whose body nobody has read.
class Kept : public Responder {
  public:
    net::Answer answer;
    void send(int status, std::string_view type, std::string body, Headers headers) override {
        answer = {status, std::string(type), std::move(body), std::move(headers)};
    }
    void begin(int /*status*/, std::string_view /*type*/, Headers /*headers*/) override {}
    void write(std::string /*chunk*/) override {}
    void end() override {}
    bool gone() const override { return false; }
    void when_gone(std::function<void()> /*call*/) override {}
};

}  // namespace

Front::Front(FrontOptions options, std::vector<Route> routes, Keys& keys, Metrics& metrics,
             AccessLog& log)
    : options_(std::make_shared<const FrontOptions>(std::move(options))),
      router_(std::move(routes)),
      keys_(keys),
      metrics_(metrics),
      log_(log) {}

net::Callbacks Front::callbacks(std::function<void(const std::string&)> notice) {
    net::Callbacks calls;
    calls.on_request = [this](net::Request request, std::shared_ptr<net::Exchange> exchange) {
        take(std::move(request), std::move(exchange));
    };
    calls.on_head = [this](const net::Request& head) { return look(head); };
    calls.on_error = plain_error;
    calls.on_notice = std::move(notice);
    return calls;
}

void Front::replace(FrontOptions options) {
    auto made = std::make_shared<const FrontOptions>(std::move(options));
    const std::lock_guard lock(mutex_);
    options_.swap(made);
}

std::shared_ptr<const FrontOptions> Front::options() const {
    const std::lock_guard lock(mutex_);
    return options_;
}

void Front::check_origin(Passage& passage) {
    const auto& headers = passage.request.headers;
    const auto found = headers.find("origin");
    if (found == headers.end()) return;
    const std::string& origin = found->second;
    const auto& allowed = passage.options->origins;
    const auto known = [&](const std::string& one) {
        return std::find(allowed.begin(), allowed.end(), one) != allowed.end();
    };
    if (known("*") || known(origin)) {
        passage.headers.emplace_back("Access-Control-Allow-Origin", known("*") ? "*" : origin);
        passage.headers.emplace_back("Vary", "Origin");
        passage.headers.emplace_back("Access-Control-Expose-Headers", "x-request-id, retry-after");
        passage.preflight = passage.request.method == "OPTIONS";
        if (!passage.preflight) return;
        passage.headers.emplace_back("Access-Control-Allow-Methods", kMethods);
        const auto asked = headers.find("access-control-request-headers");
        passage.headers.emplace_back("Access-Control-Allow-Headers",
                                     asked == headers.end() ? "*" : asked->second);
        passage.headers.emplace_back("Access-Control-Max-Age", "600");
        return;
    }
    // A page of our own says the host that it came from.
    const auto host = headers.find("host");
    const std::size_t slashes = origin.find("://");
    if (host != headers.end() && slashes != std::string::npos
        && origin.substr(slashes + 3) == host->second)
        return;
    passage.failure =
        failure(FailureKind::forbidden,
                fmt::format("Pages of {} may not use this server; the operator can allow them by "
                            "--cors-origin.",
                            origin.substr(0, kIdBytes)),
                "origin_not_allowed");
}

void Front::find_route(Passage& passage) const {
    HttpRequest& request = passage.request;
    Router::Match match = router_.find(request.method, request.path);
    passage.route = match.route;
    request.parameters = std::move(match.parameters);
    if (passage.route != nullptr) return;
    if (match.methods.empty()) {
        passage.failure =
            failure(FailureKind::not_found, "There is nothing at this path.", "path_not_found");
        return;
    }
    std::string allow = "OPTIONS";
    for (const std::string& method : match.methods)
        allow += ", " + method + (method == "GET" ? ", HEAD" : "");
    passage.headers.emplace_back("Allow", allow);
    if (request.method == "OPTIONS")
        passage.preflight = true;
    else
        passage.failure = failure(FailureKind::wrong_method,
                                  fmt::format("This path is for {}.", allow), "method_not_allowed");
}

// The client's wish, within what the operator allows.
void Front::set_deadline(Passage& passage) {
    HttpRequest& request = passage.request;
    double seconds = std::chrono::duration<double>(passage.options->request_timeout).count();
    if (const auto found = request.headers.find(kTimeoutHeader); found != request.headers.end()) {
        double wanted = 0;
        const char* const end = found->second.data() + found->second.size();
        const auto [rest, wrong] = std::from_chars(found->second.data(), end, wanted);
        if (wrong != std::errc() || rest != end || !(wanted > 0) || wanted > kMostSeconds) {
            passage.failure =
                invalid(kTimeoutHeader,
                        fmt::format("{} has to be a number of seconds above 0", kTimeoutHeader),
                        "invalid_header");
            return;
        }
        seconds = seconds > 0 ? std::min(seconds, wanted) : wanted;
    }
    if (seconds > 0)
        request.deadline =
            Clock::now()
            + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

Front::Passage Front::pass(const net::Request& request) const {
    Passage passage;
    passage.options = options();
    HttpRequest& mine = passage.request;
    mine.method = request.method;
    mine.headers = request.headers;
    const std::string* id = request.header("x-request-id");
    mine.id = id != nullptr && is_decent(*id) ? *id : made_id();
    passage.headers.emplace_back("x-request-id", mine.id);
    auto target = net::parse_target(request.target);
    if (!target) {
        mine.path = "/";
        passage.failure = failure(FailureKind::invalid,
                                  "The request's target is no path of this server.", "bad_target");
        return passage;
    }
    mine.path = std::move(target->path);
    mine.query = std::move(target->query);
    const std::string* host = request.header("host");
    if (request.peer != "unix" && host != nullptr && !host_is_ours(*passage.options, *host)) {
        passage.failure = failure(FailureKind::forbidden,
                                  "This server does not go by that name; the operator can add "
                                  "names by --allow-host.",
                                  "host_not_allowed");
        return passage;
    }
    check_origin(passage);
    if (passage.failure || passage.preflight) return passage;
    find_route(passage);
    if (passage.failure || passage.route == nullptr || passage.route->open) return passage;
    Keys::Entry entry = keys_.identify(mine);
    mine.caller = std::move(entry.caller);
    if (!entry.has_key) mine.caller.admin = is_of_this_machine(request);
    passage.failure = std::move(entry.failure);
    if (passage.failure)
        passage.headers.emplace_back("WWW-Authenticate", "Bearer");
    else
        set_deadline(passage);
    return passage;
}

std::optional<net::Answer> Front::look(const net::Request& head) const {
    const Passage passage = pass(head);
    if (!passage.failure) return std::nullopt;
    Kept kept;
    passage.options->refuse(passage.request, kept, *passage.failure);
    kept.answer.headers.insert(kept.answer.headers.end(), passage.headers.begin(),
                               passage.headers.end());
    metrics_.http_done(kept.answer.status, 0);
    log_.write({passage.request.id, head.peer, passage.request.caller.name, head.method,
                passage.request.path, kept.answer.status, kept.answer.body.size(), 0, false});
    return std::move(kept.answer);
}

void Front::take(net::Request request, std::shared_ptr<net::Exchange> exchange) {
    Passage passage = pass(request);
    HttpRequest& mine = passage.request;
    mine.body = std::move(request.body);
    const bool counted = !passage.failure && passage.route != nullptr && !passage.route->open;
    bool entered = false;
    if (counted) {
        passage.failure = keys_.enter(mine.caller, Clock::now());
        entered = !passage.failure;
    }
    AccessLine line{mine.id, request.peer, mine.caller.name, mine.method, mine.path, 0, 0,
                    0,       false};
    auto responder = std::make_shared<HttpResponder>(
        std::move(exchange), std::move(passage.headers),
        [this, line, entered, caller = mine.caller](const HttpResponder::End& end) mutable {
            if (entered) keys_.leave(caller);
            line.status = end.status;
            line.bytes = end.bytes;
            line.seconds = end.seconds;
            line.left = end.left;
            metrics_.http_done(end.status, end.seconds);
            log_.write(line);
        });
    if (passage.failure) return passage.options->refuse(mine, *responder, *passage.failure);
    if (passage.preflight || passage.route == nullptr) return responder->send(204, "", "", {});
    passage.route->handler(mine, responder);
}

}  // namespace heft::serve
