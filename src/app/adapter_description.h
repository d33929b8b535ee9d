// What heft inspect tells about an adapter: a heft.inspect/1 document with the keys of a model's
// that an adapter has, and "adapter".
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "format/adapter_files.h"

namespace heft::app {

// `reference`: as the person named it. `tensors`: list every one.
nlohmann::ordered_json describe_adapter(const std::string& reference,
                                        const format::AdapterFiles& adapter, bool tensors);

// For people, one of each module: "q_proj: 5 weights of rank 8, alpha 16, scale 2".
std::string spoken_module(const nlohmann::ordered_json& module);
// "5 layers, 0 to 4", or nothing where no name has a number.
std::string spoken_layers(const nlohmann::ordered_json& layers);

}  // namespace heft::app
