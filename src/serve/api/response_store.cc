#include "serve/api/response_store.h"

namespace heft::serve {

namespace {

std::size_t bytes_of(const StoredResponse& response) {
    std::size_t bytes = sizeof response + response.body.size() + response.owner.size();
    for (const Message& message : response.messages) {
        bytes += sizeof message + message.text.size() + message.reasoning.size();
        for (const ToolCall& call : message.calls) bytes += sizeof call + call.arguments.size();
    }
    return bytes;
}

}  // namespace

void ResponseStore::drop(Place place) {
    bytes_ -= bytes_of(*place);
    by_id_.erase(place->id);
    by_age_.erase(place);
}

void ResponseStore::put(StoredResponse response) {
    const std::size_t bytes = bytes_of(response);
    if (bytes > most_bytes_) return;
    const std::lock_guard lock(mutex_);
    if (const auto found = by_id_.find(response.id); found != by_id_.end()) drop(found->second);
    while (bytes_ + bytes > most_bytes_) drop(by_age_.begin());
    bytes_ += bytes;
    by_age_.push_back(std::move(response));
    by_id_[by_age_.back().id] = std::prev(by_age_.end());
}

std::optional<StoredResponse> ResponseStore::find(const std::string& id, const std::string& owner) {
    const std::lock_guard lock(mutex_);
    const auto found = by_id_.find(id);
    if (found == by_id_.end() || found->second->owner != owner) return {};
    return *found->second;
}

bool ResponseStore::erase(const std::string& id, const std::string& owner) {
    const std::lock_guard lock(mutex_);
    const auto found = by_id_.find(id);
    if (found == by_id_.end() || found->second->owner != owner) return false;
    drop(found->second);
    return true;
}

}  // namespace heft::serve
