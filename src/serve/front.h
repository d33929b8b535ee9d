// What stands between the sockets and the handlers: which host and origin a request is for, whose
// key it carries, which route it takes; and, when it is over, the log and the numbers.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "net/server.h"
#include "serve/access_log.h"
#include "serve/keys.h"
#include "serve/metrics.h"
#include "serve/router.h"

namespace heft::serve {

struct FrontOptions {
    std::vector<std::string> origins;  // of pages elsewhere that may ask; "*": all
    // Only requests for these names, for this machine's, or for plain addresses are answered: a
    // page cannot make a browser take us for its own server. Empty: any name.
    std::vector<std::string> host_names;
    bool check_hosts = true;
    std::chrono::seconds request_timeout{0};  // for an answer at most; 0: no limit
    // In the words of the path's API.
    std::function<void(const HttpRequest&, Responder&, const Failure&)> refuse;
};

// Outlives the server that calls it. Thread-safe.
class Front {
  public:
    Front(FrontOptions options, std::vector<Route> routes, Keys& keys, Metrics& metrics,
          AccessLog& log);
    void replace(FrontOptions options);  // for requests that come from now on
    net::Callbacks callbacks(std::function<void(const std::string&)> notice);

  private:
    struct Passage {  // how far a request comes
        std::shared_ptr<const FrontOptions> options;
        HttpRequest request;
        const Route* route = nullptr;
        std::optional<Failure> failure;
        Headers headers;  // of the answer, whatever it is
        bool preflight = false;
    };
    std::shared_ptr<const FrontOptions> options() const;
    Passage pass(const net::Request& request) const;
    static void check_origin(Passage& passage);
    void find_route(Passage& passage) const;
    static void set_deadline(Passage& passage);
    void take(net::Request request, std::shared_ptr<net::Exchange> exchange);
    std::optional<net::Answer> look(const net::Request& head) const;

    mutable std::mutex mutex_;
    std::shared_ptr<const FrontOptions> options_;
    const Router router_;
    Keys& keys_;
    Metrics& metrics_;
    AccessLog& log_;
};

}  // namespace heft::serve
