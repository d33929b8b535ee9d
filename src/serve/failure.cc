#include "serve/failure.h"

#include <utility>

namespace heft::serve {

namespace {

struct Row {
    FailureKind kind;
    int status;
    std::string_view name;
};

// In the order of the enumeration.
constexpr Row kRows[] = {
    {FailureKind::invalid, 400, "invalid"},
    {FailureKind::unauthorized, 401, "unauthorized"},
    {FailureKind::forbidden, 403, "forbidden"},
    {FailureKind::not_found, 404, "not_found"},
    {FailureKind::wrong_method, 405, "wrong_method"},
    {FailureKind::too_large, 413, "too_large"},
    {FailureKind::rate_limited, 429, "rate_limited"},
    {FailureKind::cancelled, 499, "cancelled"},
    {FailureKind::internal, 500, "internal"},
    {FailureKind::unavailable, 503, "unavailable"},
    {FailureKind::timed_out, 504, "timed_out"},
};

const Row& row_of(FailureKind kind) {
    return kRows[static_cast<std::size_t>(kind)];
}

}  // namespace

int status_of(FailureKind kind) {
    return row_of(kind).status;
}

std::string_view to_string(FailureKind kind) {
    return row_of(kind).name;
}

Failure failure_of(const Error& error) {
    Failure failure;
    failure.message = error.what;
    switch (error.code) {
        case Code::invalid:
        case Code::unsupported: failure.kind = FailureKind::invalid; break;
        case Code::not_found: failure.kind = FailureKind::not_found; break;
        case Code::exhausted: failure.kind = FailureKind::rate_limited; break;
        case Code::cancelled: failure.kind = FailureKind::cancelled; break;
        case Code::corrupt:
        case Code::internal: failure.kind = FailureKind::internal; break;
    }
    return failure;
}

Failure admin_needed() {
    return {.kind = FailureKind::forbidden,
            .message =
                "Only an administrator may do that: a key made by `heft keys add NAME "
                "--admin`, or, where no keys are in use, a program of the server's own "
                "machine.",
            .code = "admin_needed",
            .param = {}};
}

Failure out_of_time() {
    Failure failure;
    failure.kind = FailureKind::timed_out;
    failure.message =
        "The request's time has run out; give it more (x-request-timeout, or the server's "
        "--request-timeout) or ask for less.";
    failure.code = "request_timeout";
    return failure;
}

Failure invalid(std::string param, std::string message, std::string code) {
    Failure failure;
    failure.kind = FailureKind::invalid;
    failure.param = std::move(param);
    failure.message = std::move(message);
    failure.code = std::move(code);
    return failure;
}

}  // namespace heft::serve
