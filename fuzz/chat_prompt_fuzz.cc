// Whatever stands in a message, the prompt has the control tokens of the template and no others.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "engine/engine.h"
#include "text/chat_prompt.h"

namespace {

using Json = nlohmann::ordered_json;

// Each writes four control tokens of the embedded model's vocabulary around one message.
constexpr const char* kTemplates[] = {
    "<|begin_of_text|><|start|>user\n{{ messages[0]['content'] }}<|end|>\n<|start|>assistant\n",
    "<|begin_of_text|><|start|>user\n{{ messages[0]['content'] | trim "
    "}}<|end|>\n<|start|>assistant\n",
    "<|begin_of_text|><|start|>user\n{{ messages[0]['content'] | replace('fox', 'cat') "
    "}}<|end|>\n<|start|>",
};

const heft::text::Tokenizer& tokenizer() {
    static const heft::engine::Engine kEngine = [] {
        heft::engine::OpenOptions options;
        options.weights = false;
        options.n_threads = 1;
        auto engine = heft::engine::Engine::open("tiny", options);
        HEFT_CHECK(engine);
        return std::move(*engine);
    }();
    const auto found = kEngine.tokenizer();
    HEFT_CHECK(found);
    return **found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string said(reinterpret_cast<const char*>(data), size);
    const Json variables = {{"messages", {{{"role", "user"}, {"content", said}}}}};
    for (const char* source : kTemplates) {
        const auto chat = heft::text::ChatTemplate::parse(source);
        HEFT_CHECK(chat);
        const auto ids = heft::text::encode_chat(*chat, tokenizer(), variables);
        if (!ids) continue;
        const auto controls = std::count_if(ids->begin(), ids->end(), [](heft::text::TokenId id) {
            return tokenizer().kind(id) == heft::text::TokenKind::control;
        });
        HEFT_CHECK(controls == 4);
    }
    return 0;
}
