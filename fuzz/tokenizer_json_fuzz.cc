// A tokenizer.json of any bytes is refused, or gives a tokenizer whose ids are all its own.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "text/tokenizer.h"

namespace {

constexpr std::array<std::string_view, 5> kTexts{
    "Hello  world 123!\n", "<s>é日本🙂</s><|end|>", "\xFF\xFE \x80 \xE2\x82", "",
    "e\u0301   aaaaaaaa"};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace heft;
    const std::string_view json(reinterpret_cast<const char*>(data), size);
    const auto tokenizer = text::Tokenizer::from_tokenizer_json(json, "");
    if (!tokenizer) {
        HEFT_CHECK(!tokenizer.error().what.empty());
        return 0;
    }
    for (const std::string_view text : kTexts) {
        const auto ids = tokenizer->encode(text, {.add_special = true, .parse_special = true});
        const auto whole = tokenizer->decode(ids, true);
        HEFT_CHECK(static_cast<bool>(whole));
        text::StreamDecoder decoder(*tokenizer, true);
        std::string joined;
        for (const auto id : ids) joined += decoder.push(id);
        joined += decoder.finish();
        HEFT_CHECK(joined == text::to_valid_utf8(*whole));
    }
    HEFT_CHECK(tokenizer->vocabulary().tokens.size()
               == static_cast<std::size_t>(tokenizer->size()));
    return 0;
}
