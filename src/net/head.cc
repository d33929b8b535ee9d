#include "net/head.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace heft::net {

namespace {

struct Reason {
    int status;
    std::string_view text;
};

constexpr std::array kReasons{
    Reason{100, "Continue"},
    Reason{200, "OK"},
    Reason{201, "Created"},
    Reason{202, "Accepted"},
    Reason{204, "No Content"},
    Reason{301, "Moved Permanently"},
    Reason{304, "Not Modified"},
    Reason{400, "Bad Request"},
    Reason{401, "Unauthorized"},
    Reason{403, "Forbidden"},
    Reason{404, "Not Found"},
    Reason{405, "Method Not Allowed"},
    Reason{408, "Request Timeout"},
    Reason{409, "Conflict"},
    Reason{413, "Content Too Large"},
    Reason{414, "URI Too Long"},
    Reason{415, "Unsupported Media Type"},
    Reason{421, "Misdirected Request"},
    Reason{422, "Unprocessable Content"},
    Reason{429, "Too Many Requests"},
    Reason{431, "Request Header Fields Too Large"},
    Reason{499, "Client Closed Request"},
    Reason{500, "Internal Server Error"},
    Reason{501, "Not Implemented"},
    Reason{503, "Service Unavailable"},
    Reason{504, "Gateway Timeout"},
    Reason{505, "HTTP Version Not Supported"},
    Reason{507, "Insufficient Storage"},
};

bool ends_a_line(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

}  // namespace

std::string_view reason(int status) {
    const auto* found = std::find_if(kReasons.begin(), kReasons.end(),
                                     [&](const Reason& r) { return r.status == status; });
    return found == kReasons.end() ? "Status" : found->text;
}

std::string compose_head(int status, std::string_view type, const Headers& headers,
                         const HeadOptions& options) {
    std::string head = fmt::format("HTTP/1.1 {} {}\r\nServer: heft\r\n", status, reason(status));
    if (!type.empty() && !ends_a_line(type)) head += fmt::format("Content-Type: {}\r\n", type);
    if (options.length) head += fmt::format("Content-Length: {}\r\n", *options.length);
    if (options.chunked) head += "Transfer-Encoding: chunked\r\n";
    head += options.close ? "Connection: close\r\n" : "Connection: keep-alive\r\n";
    for (const auto& [name, value] : headers) {
        if (name.empty() || ends_a_line(name) || ends_a_line(value)) continue;
        head += name;
        head += ": ";
        head += value;
        head += "\r\n";
    }
    return head + "\r\n";
}

std::string compose_chunk(std::string_view bytes) {
    if (bytes.empty()) return {};
    std::string chunk = fmt::format("{:x}\r\n", bytes.size());
    chunk += bytes;
    chunk += "\r\n";
    return chunk;
}

}  // namespace heft::net
