#include "format/packed/packed.h"

#include <algorithm>
#include <string>

#include "format/names.h"
#include "format/packed/methods.h"

namespace heft::format {

namespace {

using packed::Parts;
using packed::Settings;

struct Method {
    std::string_view quant_method;  // in config.json
    std::string_view trace;         // how a tensor's name ends that shows it; empty: none
    Status (*build)(Parts& parts, const Settings& settings);
    std::string_view bits = {};  // these two as in PackedMethod, in the first row of a method
    std::string_view kinds = {};
};

constexpr Method kMethods[] = {
    {"fp8", ".weight_scale_inv", packed::build_fp8, "8",
     "E4M3 floats, scaled by blocks (128 x 128), rows or matrices"},
    {"fbgemm_fp8", "", packed::build_fp8, "8", "E4M3 floats, scaled by rows"},
    {"compressed-tensors", ".weight_packed", packed::build_compressed_tensors, "2-8",
     "integers of 2 to 8 bits, packed or plain; E4M3 floats"},
    {"gptq", ".g_idx", packed::build_gptq, "2, 3, 4, 8",
     "act-order or not, zero points of versions 1 and 2"},
    {"awq", "", packed::build_awq, "4", "gemm and gemv layouts"},
    {"bitsandbytes", ".weight.absmax", packed::build_bitsandbytes, "4, 8",
     "NF4 and FP4, nested scales or not; int8"},
    {"bitsandbytes", ".SCB", packed::build_bitsandbytes},
    {"mxfp4", "_blocks", packed::build_mxfp4, "4", "E2M1 floats in blocks of 32"},
    {"fp8", ".weight_scale", packed::build_fp8},
};

// What is left of weights that nobody put together.
struct Trace {
    std::string_view suffix;
    std::string_view method;
};
constexpr Trace kTraces[] = {
    {".qweight", "GPTQ or AWQ integers"},      {".weight_packed", "compressed-tensors"},
    {".weight_scale_inv", "FP8 block scales"}, {".weight_scale", "scaled weights"},
    {".weight.absmax", "bitsandbytes"},        {".SCB", "bitsandbytes"},
};

constexpr const char* kSections[] = {"quantization_config", "compression_config"};

Error refused(std::string_view method, const std::string& where) {
    return {Code::unsupported,
            "its weights are quantised by " + std::string(method) + " (" + where
                + "), which is not read; use the unquantised model or a GGUF of it"};
}

std::optional<JsonElement> section(JsonElement config) {
    for (const char* key : kSections)
        if (const auto found = json_find(config, key); found && found->is_object()) return found;
    return {};
}

// The declared method under one name each; empty when it has none.
std::string method_of(JsonElement settings) {
    const auto declared = json_string(settings, "quant_method");
    if (!declared) {  // as transformers did before there was a second method
        const bool bits = json_bool(settings, "load_in_8bit").value_or(false)
                          || json_bool(settings, "load_in_4bit").value_or(false);
        return bits ? "bitsandbytes" : "";
    }
    if (declared->starts_with("bitsandbytes")) return "bitsandbytes";
    if (*declared == "compressed_tensors") return "compressed-tensors";
    return std::string(*declared);
}

const Method* find_method(std::string_view name) {
    for (const Method& method : kMethods)
        if (method.quant_method == name) return &method;
    return nullptr;
}

Result<const Method*> declared_method(JsonElement settings) {
    const std::string name = method_of(settings);
    if (const Method* method = find_method(name)) return method;
    if (name.empty()) return refused("an unnamed method", "config.json");
    const bool printable = static_cast<bool>(check_name("quant_method", name, 64));
    return refused(printable ? name : "a method with a malformed name", "config.json");
}

const Method* traced_method(const Parts& parts) {
    for (const Method& method : kMethods)
        if (!method.trace.empty() && parts.any_ends_with(method.trace)) return &method;
    return nullptr;
}

Status check_nothing_left(const std::vector<TensorView>& tensors) {
    for (const TensorView& tensor : tensors)
        for (const Trace& trace : kTraces)
            if (tensor.name.ends_with(trace.suffix))
                return refused(trace.method, "tensor " + in_quotes(tensor.name)
                                                 + "; config.json does not say how");
    return {};
}

// The settings of GPTQ and AWQ in files of their own name no method.
const Method* method_of_file(JsonElement settings) {
    return find_method(json_find(settings, "w_bit") ? "awq" : "gptq");
}

}  // namespace

std::vector<PackedMethod> packed_methods() {
    std::vector<PackedMethod> out;
    for (const Method& method : kMethods)
        if (!method.bits.empty()) out.push_back({method.quant_method, method.bits, method.kinds});
    return out;
}

bool declares_packing(JsonElement config) {
    return section(config).has_value();
}

Result<std::vector<TensorView>> unpack(JsonElement config, std::optional<JsonElement> apart,
                                       std::vector<TensorView> tensors) {
    HEFT_TRY(Parts parts, Parts::of(std::move(tensors)));
    Settings settings{section(config)};
    const Method* method = nullptr;
    if (settings.json) {
        HEFT_TRY(method, declared_method(*settings.json));
    } else if (apart && parts.any_ends_with(".qweight")) {
        settings.json = apart;
        method = method_of_file(*apart);
    } else {
        method = traced_method(parts);
    }
    if (method != nullptr) HEFT_OK(method->build(parts, settings));
    std::vector<TensorView> out = std::move(parts).finish();
    HEFT_OK(check_nothing_left(out));
    return out;
}

}  // namespace heft::format
