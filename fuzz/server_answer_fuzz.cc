// What a server answers, whatever it is, is judged by every row of the conformance suite; and any
// text is an address of a server that says the same when it is written out, or none.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "conform/run.h"
#include "net/url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto url = heft::net::parse_url(text)) {
        const auto again = heft::net::parse_url(to_string(*url));
        HEFT_CHECK(again && to_string(*again) == to_string(*url));
    }
    for (const char* type : {"application/json", "text/event-stream", "application/x-ndjson"}) {
        heft::net::ClientAnswer answer;
        answer.status = 200;
        answer.headers["content-type"] = type;
        answer.body = text;
        const heft::conform::Reply reply = heft::conform::read_reply(std::move(answer));
        for (const heft::conform::Api& api : heft::conform::apis())
            for (const heft::conform::Case& row : api.cases)
                (void)heft::conform::judge(row, reply, "tiny");
    }
    return 0;
}
