#include "format/quantized.h"

#include <algorithm>

#include "format/names.h"

namespace heft::format {

namespace {

struct Trace {
    std::string_view suffix;  // of a tensor's name
    std::string_view method;
};

// For checkpoints that do not say in config.json what they are.
constexpr Trace kTraces[] = {
    {".qweight", "GPTQ or AWQ integers"},      {".weight_packed", "compressed-tensors"},
    {".weight_scale_inv", "FP8 block scales"}, {".weight_scale", "scaled weights"},
    {".weight.absmax", "bitsandbytes"},        {".SCB", "bitsandbytes"},
};

Error refused(const std::string& method, const std::string& where) {
    return {Code::unsupported,
            "its weights are quantised by " + method + " (" + where
                + "), which is not read; use the unquantised model or a GGUF of it"};
}

// The declared method, or empty.
std::string declared_method(JsonElement config) {
    for (const char* key : {"quantization_config", "compression_config"}) {
        const auto declared = json_find(config, key);
        if (!declared || !declared->is_object()) continue;
        const std::string method(
            json_string(*declared, "quant_method").value_or("an unnamed method"));
        return check_name("quant_method", method, 64) ? method : "a method with a malformed name";
    }
    return {};
}

}  // namespace

Status refuse_quantized(JsonElement config, const std::vector<TensorView>& tensors) {
    const std::string method = declared_method(config);
    const bool plain = method.empty() || method == "mxfp4" || method == "fp8";
    if (!plain) return refused(method, "config.json");
    for (const TensorView& tensor : tensors)
        for (const Trace& trace : kTraces)
            if (tensor.name.ends_with(trace.suffix))
                return refused(std::string(trace.method), "tensor " + in_quotes(tensor.name));
    return {};
}

}  // namespace heft::format
