// Runs the rows against a server and says, for each, whether it does what its API promises.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conform/case.h"
#include "net/client.h"

namespace heft::conform {

enum class Verdict : std::uint8_t { pass, fail, not_offered };
std::string_view to_string(Verdict verdict);

struct Outcome {
    const Api* api = nullptr;
    const Case* row = nullptr;
    Verdict verdict = Verdict::fail;
    std::string got;  // what was wrong, where something was
    double seconds = 0;
};

struct RunOptions {
    net::Url url;
    net::ClientOptions client;
    net::Headers headers;  // of every request: the key
    std::string model;     // empty: the first that the server lists
    std::function<void(const Outcome&)> on_outcome;
};

struct Run {
    std::string model;
    std::vector<Outcome> outcomes;
};

// An error when the server cannot be reached at all, or lists no model and none was named.
Result<Run> run(const RunOptions& options);

// What is wrong with the reply; empty: nothing.
std::string judge(const Case& row, const Reply& reply, const std::string& model);

Reply read_reply(net::ClientAnswer answer);  // the body, taken apart by its type

}  // namespace heft::conform
