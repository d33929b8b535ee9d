// An HTTP/1.1 client: TCP or a local socket, with TLS or without. One request at a time over one
// connection, which is kept; each call waits for its answer. Not thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/message.h"
#include "net/url.h"

namespace heft::net {

struct ClientOptions {
    std::chrono::milliseconds connect_time{10'000};  // for each address, and for TLS
    std::chrono::milliseconds silence{120'000};      // nothing comes, or nothing is taken
    std::size_t head_bytes = 64U << 10;
    std::size_t body_bytes = 64U << 20;  // of an answer that is kept
    // Certificates are checked against the system's authorities, or those of this PEM file.
    std::filesystem::path authorities = {};
    bool verify = true;
    const std::atomic<bool>* cancel = nullptr;  // ends what is under way with Code::cancelled
};

struct ClientRequest {
    std::string method = "GET";
    std::string target = "/";  // after the URL's base
    Headers headers = {};
    std::string body = {};
};

struct ClientAnswer {
    int status = 0;
    std::map<std::string, std::string> headers;  // names in lower case; repeated ones joined
    std::string body;                            // unless pieces were asked for
    bool cut_short = false;                      // by on_piece

    std::string header(const std::string& name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? std::string() : found->second;
    }
};

class Client {
  public:
    explicit Client(Url url, ClientOptions options = {});
    ~Client();
    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;

    // `on_piece` gets the body as it comes, without its chunks' frames, and says whether to read
    // on. Errors: not_found when the server cannot be reached, exhausted when it is too slow or
    // sends too much, corrupt when it sends no HTTP, invalid when its certificate is not trusted.
    Result<ClientAnswer> ask(const ClientRequest& request,
                             const std::function<bool(std::string_view)>& on_piece = {});

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace heft::net
