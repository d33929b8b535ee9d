// Any bytes as a chat template: parsing and rendering end in text or an error, within their limits.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <nlohmann/json.hpp>

#include "text/chat_template.h"

namespace {

const nlohmann::ordered_json& variables() {
    static const nlohmann::ordered_json all = nlohmann::ordered_json::parse(R"({
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Grüße, <b>\"you\"</b> & 'me'\n"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": {"x": 1.5, "y": [true]}}}]},
            {"role": "tool", "content": [{"type": "text", "text": "21"}], "tool_call_id": "c1"}
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "add_generation_prompt": true, "bos_token": "<s>", "eos_token": "</s>",
        "x": "a b  c", "n": -7, "r": 2.5, "l": [3, 1, 2], "d": {"b": 1, "a": 2}, "heft_now": 1700000000
    })");
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view source(reinterpret_cast<const char*>(data), size);
    const auto parsed = heft::text::ChatTemplate::parse(source);
    if (!parsed) return 0;
    heft::text::RenderLimits limits;
    limits.output_bytes = 1U << 16U;
    limits.steps = 20'000;
    limits.depth = 40;
    const auto rendered = parsed->render(variables(), limits);
    if (rendered && rendered->size() > limits.output_bytes) __builtin_trap();
    return 0;
}
