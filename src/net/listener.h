// Listening sockets: addresses to bind, clients to take.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace heft::net {

bool is_socket_path(const std::string& host);  // "/run/heft.sock", "./x", "heft.sock"

// Owns a listening socket; a local one's file goes with it.
class Listener {
  public:
    // A name may stand for several addresses. Errors say which host and what to do.
    static Result<std::vector<Listener>> open(const std::string& host, int port);

    Listener(Listener&& other) noexcept;
    Listener& operator=(Listener&&) = delete;
    Listener(const Listener&) = delete;
    ~Listener();

    int fd() const { return fd_; }
    int port() const { return port_; }                       // 0: a local socket
    const std::string& address() const { return address_; }  // "[::1]:8080", "/run/heft.sock"

    struct Client {
        int fd = -1;
        std::string peer;     // address without the port, or "unix"
        bool nearby = false;  // of this machine
    };
    // fd < 0: nobody waits, or, when `full`, the process may open no more files.
    Client accept(bool& full) const;

  private:
    Listener(int fd, int port, std::string address) : fd_(fd), port_(port), address_(address) {}
    static Result<Listener> open_path(const std::string& path);
    int fd_;
    int port_;
    std::string address_;
};

}  // namespace heft::net
