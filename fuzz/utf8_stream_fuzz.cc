// Bytes that arrive in portions come out as valid UTF-8, and as the same text as all at once. The
// first byte of the input seeds the portions.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/rng.h"
#include "text/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace heft;
    if (size == 0) return 0;
    Rng rng(data[0]);
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::string whole = text::to_valid_utf8(bytes);
    HEFT_CHECK(text::is_utf8(whole));
    HEFT_CHECK(!text::is_utf8(bytes) || whole == bytes);
    text::Utf8Stream stream;
    std::string joined;
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t count = rng.next() % 5;
        const std::string piece = stream.push(bytes.substr(at, count));
        HEFT_CHECK(text::is_utf8(piece));
        joined += piece;
        at += count;
    }
    joined += stream.finish();
    HEFT_CHECK(joined == whole);
    return 0;
}
