// Bodies of requests, whatever they hold, are read or refused by every dialect's table; what is
// read keeps to the rules of a request.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "serve/api/endpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace heft::serve;  // NOLINT(google-build-using-namespace)
    HttpRequest http;
    http.body.assign(reinterpret_cast<const char*>(data), size);
    for (const Dialect& dialect : dialects()) {
        for (const Endpoint& endpoint : dialect.endpoints) {
            if (endpoint.parameters.empty()) continue;
            Draft draft;
            http.path = endpoint.pattern;
            const auto failure = read_body(http, endpoint.parameters, endpoint.unknown, draft);
            if (failure) {
                HEFT_CHECK(!dialect.say(*failure, http).empty());
                continue;
            }
            if (!check(draft.request)) HEFT_CHECK(draft.request.n <= kMostChoices);
            if (!check(draft.embedding)) HEFT_CHECK(draft.embedding.inputs.size() <= kMostInputs);
        }
    }
    return 0;
}
