#include "serve/api/responses_kept.h"

#include <algorithm>
#include <charconv>

#include "serve/api/routes.h"

namespace heft::serve::responses {

namespace {

constexpr std::size_t kUsualItems = 20;  // of a list
constexpr std::size_t kMostItems = 100;

std::string id_of(const HttpRequest& http) {
    const auto found = http.parameters.find("id");
    return found == http.parameters.end() ? "" : found->second;
}

}  // namespace

Failure no_response(const std::string& id, FailureKind kind) {
    Failure failure;
    failure.kind = kind;
    failure.message = "there is no stored response \"" + id
                      + "\"; it was never stored, is another's, or has made room for others";
    failure.code = "previous_response_not_found";
    return failure;
}

void show(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out) {
    const std::string id = id_of(http);
    const auto found = api.responses->find(id, http.caller.name);
    if (!found) return refuse(http, *out, no_response(id, FailureKind::not_found));
    out->send(200, "application/json", found->body);
}

// A page of the list: the latest first, unless asked otherwise.
void list_input(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out) {
    const std::string id = id_of(http);
    const auto found = api.responses->find(id, http.caller.name);
    if (!found) return refuse(http, *out, no_response(id, FailureKind::not_found));
    const auto asked = [&](const char* name) {
        const auto at = http.query.find(name);
        return at == http.query.end() ? std::string() : at->second;
    };
    const std::string order = asked("order");
    if (!order.empty() && order != "asc" && order != "desc")
        return refuse(http, *out, invalid("order", "order is asc or desc", "invalid_value"));
    std::size_t limit = kUsualItems;
    if (const std::string text = asked("limit"); !text.empty()) {
        const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), limit);
        if (wrong != std::errc() || end != text.data() + text.size() || limit < 1
            || limit > kMostItems)
            return refuse(http, *out, invalid("limit", "limit is from 1 to 100", "invalid_value"));
    }
    Json items = input_items(*found);
    if (order != "asc") std::reverse(items.begin(), items.end());
    const std::string after = asked("after");
    auto first = items.begin();
    if (!after.empty()) {
        first = std::find_if(items.begin(), items.end(),
                             [&](const Json& item) { return item["id"] == after; });
        if (first == items.end())
            return refuse(http, *out, invalid("after", "after names no item of this response"));
        ++first;
    }
    const auto n_left = static_cast<std::size_t>(items.end() - first);
    const auto last = first + static_cast<std::ptrdiff_t>(std::min(limit, n_left));
    const Json data(std::vector<Json>(first, last));
    send_json(*out, {{"object", "list"},
                     {"data", data},
                     {"first_id", data.empty() ? Json() : data.front()["id"]},
                     {"last_id", data.empty() ? Json() : data.back()["id"]},
                     {"has_more", n_left > limit}});
}

void erase(Api& api, const HttpRequest& http, std::shared_ptr<Responder> out) {
    const std::string id = id_of(http);
    if (!api.responses->erase(id, http.caller.name))
        return refuse(http, *out, no_response(id, FailureKind::not_found));
    send_json(*out, {{"id", id}, {"object", "response"}, {"deleted", true}});
}

}  // namespace heft::serve::responses
