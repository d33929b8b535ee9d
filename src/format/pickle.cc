#include "format/pickle.h"

#include <algorithm>

#include "format/pickle_machine.h"

namespace heft::format {

namespace {

// Where training programs keep the weights among other things.
constexpr std::string_view kNested[] = {"state_dict", "model", "module", "model_state_dict"};

std::vector<PickledTensor> tensors_in(const PickleMachine& machine, const Value& dict) {
    std::vector<PickledTensor> out;
    for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
        const Value& key = machine.value(dict.items[i]);
        const Value& value = machine.value(dict.items[i + 1]);
        if (key.type != Type::text || value.type != Type::tensor) continue;
        out.push_back(machine.tensor(value));
        out.back().name = key.text;
    }
    return out;
}

}  // namespace

Result<std::vector<PickledTensor>> read_pickle(Bytes bytes) {
    PickleMachine machine(bytes);
    HEFT_TRY(const Value* root, machine.run());
    if (root->type != Type::dict)
        return Error{Code::unsupported, std::string("its pickle holds ") + type_name(root->type)
                                            + ", where a dictionary of tensors is needed"};
    std::vector<PickledTensor> out = tensors_in(machine, *root);
    for (std::size_t i = 0; out.empty() && i + 1 < root->items.size(); i += 2) {
        const Value& key = machine.value(root->items[i]);
        const Value& value = machine.value(root->items[i + 1]);
        const bool nested =
            key.type == Type::text && value.type == Type::dict
            && std::find(std::begin(kNested), std::end(kNested), key.text) != std::end(kNested);
        if (nested) out = tensors_in(machine, value);
    }
    if (out.empty())
        return Error{Code::unsupported, "its pickle holds a dictionary without tensors"};
    return out;
}

}  // namespace heft::format
