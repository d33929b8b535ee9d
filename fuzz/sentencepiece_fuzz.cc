// A tokenizer.model of any bytes is refused, or gives a tokenizer whose ids are all its own.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "text/tokenizer.h"

namespace {

constexpr std::array<std::string_view, 4> kTexts{"Hello  world 123!\n", "<s>é日本🙂</s>",
                                                 "\xFF\xFE \x80 \xE2\x82", "   aaaaaaaa"};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace heft;
    const auto tokenizer =
        text::Tokenizer::from_sentencepiece({reinterpret_cast<const std::byte*>(data), size}, "");
    if (!tokenizer) {
        HEFT_CHECK(!tokenizer.error().what.empty());
        return 0;
    }
    for (const std::string_view text : kTexts) {
        const auto ids = tokenizer->encode(text, {.add_special = true, .parse_special = true});
        HEFT_CHECK(static_cast<bool>(tokenizer->decode(ids, true)));
    }
    return 0;
}
