// Where a server is: "https://example.org:8443/base", "http://[::1]:8080", "unix:/run/heft.sock".
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace heft::net {

struct Url {
    bool tls = false;
    std::string host;    // a name or an address, without brackets
    int port = 0;        // of the scheme, where none is said
    std::string base;    // before every path: "" or "/base"
    std::string socket;  // the path of a local socket, instead of host and port
};

// Without a scheme it is http. Names and passwords in it are refused: they end up in logs.
Result<Url> parse_url(std::string_view text);
std::string to_string(const Url& url);
std::string authority(const Url& url);  // of the Host header: "example.org:8443", "[::1]"

}  // namespace heft::net
