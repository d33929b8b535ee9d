// Conversations that responses left behind, to be continued by previous_response_id. In memory and
// bounded: the oldest make room. Each belongs to the caller who made it. Thread-safe.
#pragma once

#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "serve/request.h"

namespace heft::serve {

struct StoredResponse {
    std::string id;
    std::string owner;
    std::vector<Message> messages;  // all that the next turn needs, the reply included
    std::string body;               // the response as it was sent
};

class ResponseStore {
  public:
    explicit ResponseStore(std::size_t most_bytes = 64U << 20U) : most_bytes_(most_bytes) {}

    void put(StoredResponse response);
    std::optional<StoredResponse> find(const std::string& id, const std::string& owner);
    bool erase(const std::string& id, const std::string& owner);

  private:
    using Place = std::list<StoredResponse>::iterator;
    void drop(Place place);

    const std::size_t most_bytes_;
    std::mutex mutex_;
    std::list<StoredResponse> by_age_;  // the oldest first
    std::unordered_map<std::string, Place> by_id_;
    std::size_t bytes_ = 0;
};

}  // namespace heft::serve
