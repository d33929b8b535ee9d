#include "net/server.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string_view>
#include <thread>
#include <unordered_map>

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/connection.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/socket.h"

namespace heft::net {

namespace {

constexpr std::chrono::milliseconds kTick{250};
constexpr int kTicksPerLook = 8;      // at the certificate's files
constexpr int kAcceptedAtOnce = 64;   // before others of the loop have their turn
constexpr int kFilesForOthers = 128;  // models, logs
constexpr std::chrono::milliseconds kPause{20};
constexpr std::string_view kTurnedAway =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n"
    "Connection: close\r\n\r\n";

// As many files as the system allows; how many connections that is.
int room_for_connections(int wanted) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
        ::getrlimit(RLIMIT_NOFILE, &limit);
    }
    const auto files = static_cast<std::int64_t>(std::min<rlim_t>(limit.rlim_cur, 1U << 30));
    return static_cast<int>(
        std::clamp<std::int64_t>(files - kFilesForOthers, 1, std::max(wanted, 1)));
}

// A thread, its loop, and the connections on it.
struct Worker {
    std::shared_ptr<Loop> loop = std::make_shared<Loop>();
    std::unordered_map<Connection*, std::shared_ptr<Connection>> connections;  // the loop's
    std::thread thread;
};

}  // namespace

struct Server::Impl {
    Impl(Callbacks callbacks, const Limits& limits)
        : shared(std::make_shared<Shared>(std::move(callbacks), limits)),
          connections(limits.connections),
          connections_per_address(limits.connections_per_address) {}

    const std::shared_ptr<Shared> shared;
    const int connections, connections_per_address;
    std::unique_ptr<Certificate> certificate;
    std::vector<Listener> listeners;
    std::vector<std::unique_ptr<Watch>> watches;  // of the first loop
    std::vector<Address> addresses;
    std::vector<std::unique_ptr<Worker>> workers;
    std::size_t next_worker = 0;  // of the first loop
    int ticks = 0;                // of the first loop
    bool stopping = false;        // of the caller of stop()

    std::mutex mutex;  // guards what follows
    std::condition_variable emptied;
    std::map<std::string, int> per_address;
    int open = 0;

    void notice(const std::string& sentence) const {
        if (shared->callbacks.on_notice) shared->callbacks.on_notice(sentence);
    }

    Status listen(const ServerOptions& options);
    void begin();
    void accept_from(const Listener& listener);
    bool admit(const Listener::Client& client);
    void release(const std::string& peer);
    void adopt(Worker& worker, Listener::Client client, bool local);
    void tick(Worker& worker);
    void look_at_certificate();
    void for_all(void (Connection::*call)());
};

Status Server::Impl::listen(const ServerOptions& options) {
    if (options.hosts.empty()) return Error{Code::invalid, "--host: an address is needed"};
    if (options.port < 0 || options.port > 65535)
        return Error{Code::invalid, fmt::format("--port {}: ports are 0 to 65535", options.port)};
    if (options.tls) {
        HEFT_TRY(certificate, Certificate::load(*options.tls));
    }
    for (const std::string& host : options.hosts) {
        HEFT_TRY(std::vector<Listener> opened, Listener::open(host, options.port));
        for (Listener& listener : opened) {
            const bool local = listener.port() == 0;
            const std::string scheme = local ? "unix:" : certificate ? "https://" : "http://";
            addresses.push_back({scheme + listener.address(), listener.port()});
            listeners.push_back(std::move(listener));
        }
    }
    return {};
}

void Server::Impl::begin() {
    for (auto& worker : workers) {
        Worker* one = worker.get();
        one->loop->every(kTick, [this, one] { tick(*one); });
        one->thread = std::thread([one] { one->loop->run(); });
    }
    Loop& first = *workers.front()->loop;
    first.post([this, &first] {
        for (const Listener& listener : listeners)
            watches.push_back(
                watch(first, listener.fd(), [this, &listener] { accept_from(listener); }));
    });
}

void Server::Impl::accept_from(const Listener& listener) {
    for (int i = 0; i < kAcceptedAtOnce; ++i) {
        bool full = false;
        Listener::Client client = listener.accept(full);
        // The client stays in the system's queue meanwhile.
        if (full) std::this_thread::sleep_for(kPause);
        if (client.fd < 0) return;
        if (!admit(client)) {
            ++shared->counters.turned_away;
            if (!certificate)
                (void)!::send(client.fd, kTurnedAway.data(), kTurnedAway.size(), MSG_NOSIGNAL);
            ::close(client.fd);
            continue;
        }
        ++shared->counters.accepted;
        Worker& worker = *workers[next_worker++ % workers.size()];
        const bool local = listener.port() == 0;
        worker.loop->post(
            [this, &worker, client = std::move(client), local] { adopt(worker, client, local); });
    }
}

bool Server::Impl::admit(const Listener::Client& client) {
    const std::lock_guard lock(mutex);
    if (open >= connections) return false;
    int& here = per_address[client.peer];
    if (!client.nearby && here >= connections_per_address) return false;
    ++here;
    ++open;
    shared->counters.open = open;
    return true;
}

void Server::Impl::release(const std::string& peer) {
    const std::lock_guard lock(mutex);
    const auto here = per_address.find(peer);
    if (here != per_address.end() && --here->second == 0) per_address.erase(here);
    --open;
    shared->counters.open = open;
    if (open == 0) emptied.notify_all();
}

void Server::Impl::adopt(Worker& worker, Listener::Client client, bool local) {
    auto socket = certificate && !local
                      ? tls_socket(*worker.loop, client.fd, certificate->current())
                      : plain_socket(*worker.loop, client.fd);
    if (!socket) return release(client.peer);
    auto connection =
        std::make_shared<Connection>(worker.loop, std::move(socket), shared, client.peer,
                                     [this, &worker, peer = client.peer](Connection& closed) {
                                         // Later: whoever calls may still be in the middle of the
                                         // connection.
                                         worker.loop->post([this, &worker, peer, key = &closed] {
                                             worker.connections.erase(key);
                                             release(peer);
                                         });
                                     });
    worker.connections.emplace(connection.get(), connection);
    connection->start();
}

void Server::Impl::tick(Worker& worker) {
    const auto now = Clock::now();
    std::vector<std::shared_ptr<Connection>> all;  // ticking may close some
    all.reserve(worker.connections.size());
    for (const auto& [key, connection] : worker.connections) all.push_back(connection);
    for (const auto& connection : all) connection->tick(now);
    if (&worker == workers.front().get() && ++ticks % kTicksPerLook == 0) look_at_certificate();
}

void Server::Impl::look_at_certificate() {
    if (!certificate || !certificate->changed()) return;
    const Status reloaded = certificate->reload();
    notice(reloaded ? "the certificate was read again"
                    : reloaded.error().what + "; the one before stays in use");
}

void Server::Impl::for_all(void (Connection::*call)()) {
    for (auto& worker : workers) {
        Worker* one = worker.get();
        one->loop->post([one, call] {
            std::vector<std::shared_ptr<Connection>> all;
            for (const auto& [key, connection] : one->connections) all.push_back(connection);
            for (const auto& connection : all) ((*connection).*call)();
        });
    }
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, Callbacks callbacks) {
    Limits limits = options.limits;
    limits.connections = room_for_connections(limits.connections);
    auto impl = std::make_unique<Impl>(std::move(callbacks), limits);
    HEFT_OK(impl->listen(options));
    for (int i = 0; i < std::max(options.n_threads, 1); ++i)
        impl->workers.push_back(std::make_unique<Worker>());
    impl->begin();
    return std::unique_ptr<Server>(new Server(std::move(impl)));
}

Server::~Server() {
    stop(Clock::now());
}

const std::vector<Server::Address>& Server::addresses() const {
    return impl_->addresses;
}

const Counters& Server::counters() const {
    return impl_->shared->counters;
}

Status Server::reload_certificate(const Certificate::Files& files) {
    return impl_->certificate ? impl_->certificate->reload_from(files) : Status{};
}

void Server::set_limits(const Limits& limits) {
    impl_->shared->set_limits(limits);
}

bool Server::stop(Clock::time_point deadline, const std::function<bool()>& hurry) {
    Impl& impl = *impl_;
    if (impl.stopping) return true;
    impl.stopping = true;
    // Whoever is accepted in the last moment is on a loop's list before the drain below is.
    std::mutex mutex;
    std::condition_variable closed;
    bool done = false;
    impl.workers.front()->loop->post([&] {
        impl.watches.clear();
        const std::lock_guard lock(mutex);
        done = true;
        closed.notify_all();
    });
    {
        std::unique_lock lock(mutex);
        closed.wait(lock, [&] { return done; });
    }
    impl.listeners.clear();
    impl.for_all(&Connection::drain);
    bool complete = false;
    {
        std::unique_lock lock(impl.mutex);
        while (impl.open > 0 && Clock::now() < deadline && !(hurry && hurry()))
            impl.emptied.wait_for(lock, kPause);
        complete = impl.open == 0;
    }
    if (!complete) {
        impl.for_all(&Connection::abort);
        std::unique_lock lock(impl.mutex);
        impl.emptied.wait(lock, [&] { return impl.open == 0; });
    }
    for (auto& worker : impl.workers) worker->loop->finish();
    for (auto& worker : impl.workers) worker->thread.join();
    return complete;
}

}  // namespace heft::net
