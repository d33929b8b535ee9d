// One HTTP request and its answer, as handlers see them: nothing of sockets, nothing of APIs.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace heft::serve {

struct Caller {        // who asks, as the keys say
    std::string name;  // of the key; "local" where no keys are in use
    int priority = 0;
    bool admin = false;  // may unload models and stop the server
};

struct HttpRequest {
    std::string method;  // upper case
    std::string path;    // decoded, without the query
    std::map<std::string, std::string> query;
    std::map<std::string, std::string> headers;     // names in lower case
    std::map<std::string, std::string> parameters;  // of the route's pattern: "{id}"
    std::string body;
    std::string id;  // x-request-id: the client's if it is a decent one, else made
    Caller caller;
    std::optional<Clock::time_point> deadline = {};  // of the answer
};

using Headers = std::vector<std::pair<std::string, std::string>>;

// The answer: send() once, or begin(), any number of write(), end(). May be called from any thread;
// none of it blocks. What comes after the client has gone is dropped. A stream that is let go of
// without end() is cut off, so that the client sees an error rather than an end.
class Responder {
  public:
    virtual ~Responder() = default;
    virtual void send(int status, std::string_view content_type, std::string body,
                      Headers headers = {}) = 0;
    virtual void begin(int status, std::string_view content_type, Headers headers = {}) = 0;
    virtual void write(std::string chunk) = 0;
    virtual void end() = 0;
    // The client has gone, or takes what is written so slowly that it was given up.
    virtual bool gone() const = 0;
    // Called once when that happens, at once if it has; from any thread.
    virtual void when_gone(std::function<void()> call) = 0;
};

using Handler = std::function<void(const HttpRequest&, std::shared_ptr<Responder>)>;

struct Route {
    std::string method;
    std::string pattern;  // "/v1/models/{id}"; a last "{rest*}" matches slashes too
    Handler handler;
    bool open = false;  // needs no key: /health, the page
};

}  // namespace heft::serve
