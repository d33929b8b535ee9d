// A rank file, a tekken.json or an RWKV vocabulary of any bytes is refused, or gives a tokenizer
// that keeps what it can say. The rank reader proper asks for one of the known numbers of tokens,
// so the same lines are read as tekken's ranks too.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "text/tokenizer.h"

namespace {

using heft::Result;
using heft::text::Tokenizer;

constexpr std::array<std::string_view, 4> kTexts{"Hello  world 123!\n", "<s>é日本🙂</s>[INST]",
                                                 "\xFF\xFE \x80 \xE2\x82", "   aaaaaaaa"};

void check(const Result<Tokenizer>& tokenizer) {
    if (!tokenizer) {
        HEFT_CHECK(!tokenizer.error().what.empty());
        return;
    }
    for (const std::string_view text : kTexts) {
        const auto ids = tokenizer->encode(text, {.add_special = true, .parse_special = true});
        HEFT_CHECK(static_cast<bool>(tokenizer->decode(ids, true)));
    }
    HEFT_CHECK(tokenizer->vocabulary().tokens.size()
               == static_cast<std::size_t>(tokenizer->size()));
}

// Lines "TOKEN RANK" in tekken's frame; what is no such line makes it no JSON, or no token.
std::string as_tekken(std::string_view lines) {
    std::string vocab;
    int count = 0;
    while (!lines.empty() && count < 1000) {
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        const std::string_view token = lines.substr(0, std::min(end, lines.find(' ')));
        vocab.append(count ? "," : "").append(R"({"rank":)").append(std::to_string(count));
        vocab.append(R"(,"token_bytes":")").append(token).append(R"("})");
        lines.remove_prefix(std::min(end + 1, lines.size()));
        ++count;
    }
    return R"({"config":{"pattern":"\\p{L}+|\\s+","default_num_special_tokens":3,)"
           R"("default_vocab_size":)"
           + std::to_string(count + 3) + R"(},"vocab":[)" + vocab + "]}";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check(Tokenizer::from_model_file(heft::as_bytes(text), ""));
    check(Tokenizer::from_tekken(text));
    check(Tokenizer::from_tekken(as_tekken(text)));
    check(Tokenizer::from_rwkv(text, ""));
    return 0;
}
