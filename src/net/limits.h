// What a client may ask of the server before anything of its request is understood.
#pragma once

#include <chrono>
#include <cstddef>

namespace heft::net {

struct Limits {
    std::size_t header_bytes = 16U << 10;
    std::size_t target_bytes = 8U << 10;
    std::size_t body_bytes = 32U << 20;
    // Waiting to be sent on one connection. A stream that finds more than this waiting is given
    // up; a single answer may be larger.
    std::size_t out_bytes = 4U << 20;
    std::size_t pipelined_bytes = 16U << 10;        // read ahead while an answer is in the making
    int connections = 16'384;                       // fewer where the system allows fewer files
    int connections_per_address = 1'024;            // not of this machine's own addresses
    std::chrono::milliseconds header_time{10'000};  // for a TLS handshake, too
    std::chrono::milliseconds body_time{120'000};
    std::chrono::milliseconds idle_time{120'000};
    // In every stretch of this length in which something waits to be sent, the client has to take
    // all of it or slow_bytes.
    std::chrono::milliseconds slow_time{30'000};
    std::size_t slow_bytes = 16U << 10;
    std::chrono::milliseconds linger_time{2'000};  // for a refused client to read the reason
};

}  // namespace heft::net
