// The values that recipes are made of. Internal to reading recipes. Errors name the line.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "merge/recipe.h"
#include "merge/recipe_node.h"

namespace heft::merge {

// What a mapping may say: for each key what is done with its value.
struct Key {
    const char* name;
    std::function<Status(const Node&)> read;
};
// A key that is not listed is an error; `what` names the mapping. null is as if it were not there.
Status read_keys(const Node& node, const char* what, const std::vector<Key>& keys);

Result<Setting> setting_of(const Node& node);
Result<DType> dtype_of(const Node& node);
// "org/name", or {model: {path: org/name, revision: main}}.
Result<std::string> model_of(const Node& node);

}  // namespace heft::merge
