// The one kind of error that a request can end with; each dialect says it in its own words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace heft::serve {

enum class FailureKind : std::uint8_t {
    invalid,       // 400: the request is wrong; sending it again does not help
    unauthorized,  // 401
    forbidden,     // 403
    not_found,     // 404: no such model, response, path
    wrong_method,  // 405
    too_large,     // 413
    rate_limited,  // 429: too many requests, of this key or of all
    cancelled,     // 499: the client took it back
    internal,      // 500
    unavailable,   // 503: the server is loading or stopping
    timed_out,     // 504: a deadline
};

struct Failure {
    FailureKind kind = FailureKind::internal;
    std::string message;        // one sentence with the remedy
    std::string code;           // for programs: "context_length_exceeded"; may be empty
    std::string param;          // the parameter at fault; may be empty
    double retry_after_s = -1;  // below 0: not known
};

int status_of(FailureKind kind);
std::string_view to_string(FailureKind kind);  // for metrics and logs: "rate_limited"

// What the engine says, as the answer to a request.
Failure failure_of(const Error& error);

Failure out_of_time();  // the request's deadline has passed
Failure admin_needed();

Failure invalid(std::string param, std::string message, std::string code = {});

}  // namespace heft::serve
