// HTTP messages as the server gives and takes them (RFC 9110, RFC 9112).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heft::net {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
    std::string method;  // upper case
    std::string target;  // as it was sent: "/v1/models?limit=2"
    std::map<std::string, std::string>
        headers;  // names in lower case; repeated ones joined by ", "
    std::string body;
    std::string peer;      // the address it came from, without the port; "unix" for a local socket
    bool http_1_1 = true;  // else 1.0
    bool keep_alive = true;  // what the client wants

    const std::string* header(const std::string& name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? nullptr : &found->second;
    }
};

struct Answer {
    int status = 200;
    std::string type = "application/json";
    std::string body;
    Headers headers;
};

// Where the answer to a request goes: send() once, or begin(), any number of write(), end(). Any
// thread; nothing blocks; what comes after the client has gone is dropped. Let go of without an
// end, a stream is cut off so that the client sees an error, and a request that has no answer yet
// gets 500.
class Exchange {
  public:
    virtual ~Exchange() = default;
    virtual void send(Answer answer) = 0;
    virtual void begin(int status, std::string_view type, const Headers& headers) = 0;
    virtual void write(std::string_view chunk) = 0;
    virtual void end() = 0;
    // The connection is lost, closed by the client before the answer was complete, or given up
    // because the client takes too little of it.
    virtual bool gone() const = 0;
    // Called once when that happens, at once if it has; not when the answer came first.
    virtual void when_gone(std::function<void()> call) = 0;
    // Bytes of body that were taken to be sent.
    virtual std::uint64_t bytes() const = 0;
};

}  // namespace heft::net
