// A response that was kept, and its form in a file: one JSON document. What a file says is checked
// like what a client says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "serve/request.h"

namespace heft::serve {

struct StoredResponse {
    std::string id;
    std::string owner;              // Caller::name
    std::vector<Message> messages;  // all that the next turn needs, the reply included, last
    std::string body;               // the response as it was sent
};

std::string write_stored(const StoredResponse& response);
Result<StoredResponse> read_stored(std::string_view text);

// The messages before the reply, as OpenAI's API lists them: messages, calls, their results.
Json input_items(const StoredResponse& response);

}  // namespace heft::serve
