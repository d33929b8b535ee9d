// heft supported: which families and formats this heft opens.
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/console.h"
#include "app/help.h"
#include "arch/arch.h"
#include "arch/tensors.h"
#include "format/packed/packed.h"
#include "tensor/quant/quant.h"

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

// What the configuration of a family may ask for; a checkpoint need not use it.
const char* window_of(const arch::Family& family) {
    switch (family.window) {
        case arch::Window::none: return "none";
        case arch::Window::every: return "sliding";
        case arch::Window::upper_layers: return "sliding in upper layers";
        case arch::Window::periodic: return "sliding and full layers";
        case arch::Window::chunked: return "chunks and full layers";
    }
    return "none";
}

Json family_json(const arch::Family& family) {
    constexpr const char* kPositions[] = {"rope", "alibi", "learned"};
    const bool rotates = family.block.position == arch::Position::rope;
    return {
        {"model_type", family.name},
        {"gguf", family.gguf},
        {"experts", has_role(family, arch::Role::expert_up)},
        {"latent_attention", has_role(family, arch::Role::latent_kv_a)},
        {"window", window_of(family)},
        {"positions", kPositions[static_cast<int>(family.block.position)]},
        {"context_extension", rotates ? arch::scaling_names() : std::vector<std::string_view>{}}};
}

Json weights_json(const DTypeInfo& info) {
    const Codec* known = codec(info.type);
    Json out{{"name", info.name}, {"gguf_id", nullptr}, {"safetensors", nullptr}};
    if (info.gguf_id >= 0) out["gguf_id"] = info.gguf_id;
    if (info.safetensors_name != nullptr) out["safetensors"] = info.safetensors_name;
    out["bits_per_weight"] = 8.0 * info.block_bytes / info.block;
    out["read"] = known != nullptr;
    out["written"] = known != nullptr && known->quantise != nullptr;
    return out;
}

Json document() {
    Json out{{"schema", "heft.supported/1"}};
    for (const arch::Family* family : arch::families())
        out["families"].push_back(family_json(*family));
    for (const DTypeInfo& info : dtypes())
        if (!is_in_memory_only(info.type)) out["weights"].push_back(weights_json(info));
    for (const format::PackedMethod& method : format::packed_methods())
        out["packed"].push_back(
            {{"quant_method", method.name}, {"bits", method.bits}, {"kinds", method.kinds}});
    return out;
}

void put_text(const Json& all) {
    put(fmt::format("{:<16}{:<14}{:<9}{:<26}{}\n", "model_type", "GGUF", "experts", "window",
                    "positions"));
    for (const Json& family : all["families"])
        put(fmt::format(
            "{:<16}{:<14}{:<9}{:<26}{}\n", family["model_type"].get<std::string>(),
            family["gguf"].get<std::string>(), family["experts"].get<bool>() ? "yes" : "",
            family["window"].get<std::string>(), family["positions"].get<std::string>()));
    std::vector<std::string> types;
    for (const Json& type : all["weights"])
        if (type["read"].get<bool>()) types.push_back(type["name"].get<std::string>());
    put(fmt::format("\nweights: {}\n", fmt::join(types, " ")));
    for (const Json& method : all["packed"])
        put(fmt::format("packed:  {:<20}{} ({} bits)\n", method["quant_method"].get<std::string>(),
                        method["kinds"].get<std::string>(), method["bits"].get<std::string>()));
    put("files:   GGUF, safetensors, PyTorch zip archives (.bin, .pt, .pth)\n");
}

}  // namespace

void add_supported(CLI::App& app, Action& action) {
    const auto json = std::make_shared<bool>(false);
    CLI::App* verb = add_verb(app, "supported", "The model families and formats that heft opens.",
                              "heft supported --json");
    verb->add_flag("--json", *json, "one heft.supported/1 document");
    verb->callback([json, &action] {
        action = [json]() -> Status {
            const Json all = document();
            if (*json)
                put_json(all);
            else
                put_text(all);
            return {};
        };
    });
}

}  // namespace heft::app
