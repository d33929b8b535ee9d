// adapter_config.json, from any bytes: parsed, and the scale of modules asked of it.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "format/peft_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto config =
        heft::format::parse_peft_config({reinterpret_cast<const char*>(data), size});
    if (!config) {
        if (config.error().what.empty()) std::abort();
        return 0;
    }
    if (config->rank < 1) std::abort();
    for (const std::string_view module : {"", ".", "q_proj", "model.layers.1.self_attn.q_proj"})
        if (config->scale(module, 1) != config->scale(module, 1)) std::abort();  // NaN
    return 0;
}
