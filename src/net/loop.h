// A thread's event loop. What belongs to a loop is touched only by what runs on it, so that
// connections need no locks of their own.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>

namespace boost::asio {
class io_context;
}

namespace heft::net {

class Loop {
  public:
    Loop();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    void run();                             // until finish(), and then until nothing is left to do
    void finish();                          // any thread
    void post(std::function<void()> work);  // any thread
    // Calls `work` on the loop again and again, until finish().
    void every(std::chrono::milliseconds period, std::function<void()> work);

    boost::asio::io_context& context();
    std::span<char> scratch();  // for the loop's own thread, until it returns to the loop

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace heft::net
