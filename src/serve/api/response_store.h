// Conversations that responses left behind, to be continued by previous_response_id: in memory, or
// in a folder, where they outlive the program. Bounded; the oldest make room. Each belongs to the
// caller who made it, and nobody else can find, replace or erase it. Thread-safe.
//
// On disk each response is a file of its own, written whole or not at all, in a folder that only
// the program's user can read. Its name is the SHA-256 of caller and id: nothing that a client says
// names a file.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>

#include "serve/api/stored_response.h"

namespace heft::serve {

struct StoreLimits {
    std::size_t n = 10'000;
    std::uint64_t bytes = 64U << 20U;
    std::chrono::seconds age = std::chrono::hours(24 * 30);
};
inline constexpr std::uint64_t kStoredBytesOnDisk = 1U << 30U;

class ResponseStore {
  public:
    using Then = std::function<void(const Status&)>;

    explicit ResponseStore(StoreLimits limits = {}) : limits_(limits) {}  // in memory
    // In the folder "responses" of `state`; makes both if need be, and takes over what is there.
    // One store at a time.
    static Result<std::unique_ptr<ResponseStore>> open(const std::filesystem::path& state,
                                                       StoreLimits limits);
    ~ResponseStore();  // completes what is being written

    // Calls `then` once it is stored or could not be: at once, or from another thread where there
    // is a disk to wait for.
    void put(StoredResponse response, Then then);
    std::optional<StoredResponse> find(const std::string& id, const std::string& owner);
    bool erase(const std::string& id, const std::string& owner);

  private:
    using Time = std::chrono::system_clock::time_point;
    struct Kept {
        std::string name;  // of the file, and where there is none nevertheless
        std::uint64_t bytes = 0;
        Time when = {};
        std::optional<StoredResponse> response = {};  // where there is no folder
    };
    using Place = std::list<Kept>::iterator;
    struct Work {
        std::string name;
        std::string text;
        Then then;
    };

    Status take_over();
    void add(Kept kept);
    void drop(Place place);
    void write_all();
    Status write(const Work& work);
    std::filesystem::path file(const std::string& name) const { return folder_ / name; }

    const StoreLimits limits_;
    std::filesystem::path folder_ = {};  // empty: in memory
    int lock_ = -1;

    std::mutex mutex_;  // guards what follows
    std::condition_variable changed_;
    std::list<Kept> by_age_;  // the oldest first
    std::unordered_map<std::string, Place> by_name_;
    std::uint64_t bytes_ = 0;
    std::deque<Work> waiting_;
    bool over_ = false;
    std::thread writer_;
};

}  // namespace heft::serve
