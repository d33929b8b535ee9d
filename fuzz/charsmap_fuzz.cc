// A character map of any bytes is refused, or maps every text within its bounds.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "text/charsmap.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace heft;
    const auto map = text::Charsmap::build({reinterpret_cast<const std::byte*>(data), size});
    if (!map) {
        HEFT_CHECK(!map.error().what.empty());
        return 0;
    }
    constexpr std::array<std::string_view, 3> kTexts{
        "Hello  world 123!\n", "é日本🙂ﬁ\xFF\xE2\x82", "aaaaaaaaaaaaaaaaaaaaaaaa"};
    for (const std::string_view text : kTexts)
        HEFT_CHECK(map->apply(text).size() <= text.size() * 64);
    return 0;
}
