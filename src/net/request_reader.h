// One request out of bytes as they come (RFC 9112), within the limits.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/limits.h"
#include "net/message.h"

namespace heft::net {

class RequestReader {
  public:
    explicit RequestReader(const Limits& limits);
    ~RequestReader();

    // Reads on and says how many of the bytes it took; the others have to be there again, with
    // what follows them, at the next call. Stops once when the head is complete.
    std::size_t read(std::string_view bytes);

    enum class State : std::uint8_t { head, body, done, failed };
    State state() const;

    const Request& request() const;  // from the state `body` on: complete but for the body
    bool expects_continue() const;   // the client waits for a word before it sends the body
    Request take();                  // done

    // Failed: why.
    int status() const;
    const std::string& sentence() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace heft::net
