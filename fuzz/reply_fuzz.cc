// An answer, cut into pieces as the input says, in every format: what comes out must not depend on
// the cuts, arguments that are said to be whole must be JSON, and a text without markers must come
// out as it went in.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "text/json_scan.h"
#include "text/test_replies.h"

using heft::text::ReplyOptions;
using heft::text::testing::read_reply;

// Input: a byte of options, a byte that seeds the cuts, the text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2 || size > 4096) return 0;
    const ReplyOptions options{(data[0] & 1U) != 0, (data[0] & 2U) != 0};
    const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
    for (const auto& format : heft::text::reply_formats()) {
        unsigned state = data[1];
        const auto next_cut = [&state] {
            state = state * 1103515245U + 12345U;
            return std::size_t{1} + (state >> 16U) % 9U;
        };
        const auto whole = read_reply(format, text, options);
        HEFT_CHECK(whole == read_reply(format, text, options, next_cut));
        HEFT_CHECK(whole == read_reply(format, text, options, [] { return std::size_t{1}; }));
        for (const auto& call : whole.calls)
            HEFT_CHECK(!call.whole || heft::text::is_json(call.arguments));
        const bool plain = format.name == "plain" && !options.in_reasoning;
        if (plain && text.find("<think>") == std::string_view::npos)
            HEFT_CHECK(whole.content == text);
    }
    return 0;
}
