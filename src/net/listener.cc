#include "net/listener.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace heft::net {

namespace {

constexpr int kBacklog = 4096;
using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Error cannot_listen(const std::string& where, int error) {
    std::string remedy;
    if (error == EADDRINUSE) remedy = "; another program listens there: choose another --port";
    if (error == EACCES) remedy = "; that port or folder needs more rights: choose another";
    if (error == EADDRNOTAVAIL) remedy = "; --host has to be an address of this machine";
    return {Code::invalid,
            fmt::format("cannot listen on {}: {}{}", where, std::strerror(error), remedy)};
}

std::string text_of(const sockaddr_storage& address, bool with_port) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.ss_family == AF_INET6) {
        sockaddr_in6 six{};
        std::memcpy(&six, &address, sizeof six);
        // A client of IPv4 on a socket of both is one of IPv4.
        if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr) && !with_port) {
            ::inet_ntop(AF_INET, &six.sin6_addr.s6_addr[12], text.data(), text.size());
            return text.data();
        }
        ::inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
        if (!with_port) return text.data();
        return fmt::format("[{}]:{}", text.data(), ntohs(six.sin6_port));
    }
    sockaddr_in four{};
    std::memcpy(&four, &address, sizeof four);
    ::inet_ntop(AF_INET, &four.sin_addr, text.data(), text.size());
    if (!with_port) return text.data();
    return fmt::format("{}:{}", text.data(), ntohs(four.sin_port));
}

int port_of(const sockaddr_storage& address) {
    sockaddr_in four{};  // the port lies at the same place in both
    std::memcpy(&four, &address, sizeof four);
    return ntohs(four.sin_port);
}

int listening_socket(const sockaddr* address, socklen_t size, int& error) {
    const int fd = ::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int yes = 1;
    if (fd >= 0 && address->sa_family != AF_UNIX)
        ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (fd >= 0 && ::bind(fd, address, size) == 0 && ::listen(fd, kBacklog) == 0) return fd;
    error = errno;
    if (fd >= 0) ::close(fd);
    return -1;
}

bool somebody_answers(const sockaddr_un& address) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    const int done = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::close(fd);
    return done == 0;
}

}  // namespace

bool is_socket_path(const std::string& host) {
    constexpr std::string_view kEnding = ".sock";
    return host.rfind('/', 0) == 0 || host.rfind("./", 0) == 0
           || (host.size() > kEnding.size()
               && host.compare(host.size() - kEnding.size(), kEnding.size(), kEnding) == 0);
}

Listener::Listener(Listener&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), port_(other.port_), address_(std::move(other.address_)) {}

Listener::~Listener() {
    if (fd_ < 0) return;
    ::close(fd_);
    if (port_ == 0) ::unlink(address_.c_str());
}

Result<Listener> Listener::open_path(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return Error{Code::invalid, fmt::format("--host {}: the path of a socket has at most {} "
                                                "bytes",
                                                path, sizeof address.sun_path - 1)};
    std::memcpy(address.sun_path, path.data(), path.size());
    struct stat found {};
    if (::lstat(path.c_str(), &found) == 0) {
        if (!S_ISSOCK(found.st_mode) || somebody_answers(address))
            return cannot_listen(path, EADDRINUSE);
        ::unlink(path.c_str());  // left behind by a server that was killed
    }
    int error = 0;
    const int fd =
        listening_socket(reinterpret_cast<const sockaddr*>(&address), sizeof address, error);
    if (fd < 0) return cannot_listen(path, error);
    ::chmod(path.c_str(), S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP);
    return Listener(fd, 0, path);
}

Result<std::vector<Listener>> Listener::open(const std::string& host, int port) {
    std::vector<Listener> listeners;
    if (is_socket_path(host)) {
        HEFT_TRY(Listener local, open_path(host));
        listeners.push_back(std::move(local));
        return listeners;
    }
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
    if (failed != 0)
        return Error{Code::invalid, fmt::format("--host {}: {}; an address such as 127.0.0.1 or "
                                                "0.0.0.0 is needed",
                                                host, ::gai_strerror(failed))};
    const Addresses all(found, ::freeaddrinfo);
    int error = 0;
    for (const addrinfo* one = all.get(); one != nullptr; one = one->ai_next) {
        const int fd = listening_socket(one->ai_addr, one->ai_addrlen, error);
        if (fd < 0) continue;  // localhost may stand for an IPv6 that the machine does not have
        sockaddr_storage bound{};
        socklen_t size = sizeof bound;
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
        listeners.push_back(Listener(fd, port_of(bound), text_of(bound, true)));
    }
    if (listeners.empty()) return cannot_listen(fmt::format("{}:{}", host, port), error);
    return listeners;
}

Listener::Client Listener::accept(bool& full) const {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    Client client;
    client.fd =
        ::accept4(fd_, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client.fd < 0) {
        full = errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS;
        return client;
    }
    if (port_ == 0) {
        client.peer = "unix";
        client.nearby = true;
        return client;
    }
    client.peer = text_of(address, false);
    client.nearby = client.peer.rfind("127.", 0) == 0 || client.peer == "::1";
    const int yes = 1;
    ::setsockopt(client.fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    ::setsockopt(client.fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
    return client;
}

}  // namespace heft::net
