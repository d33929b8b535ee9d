// Reader of the pickle inside a PyTorch checkpoint: a dictionary of tensors, and nothing else. A
// pickle is a program for Python's unpickler, which may call anything. This reader knows the few
// instructions and the few names that a dictionary of tensors needs, computes with plain values
// only, and refuses everything else by name; nothing is ever imported, called or executed. Source:
// Python's pickletools (protocols 2 to 5), torch.serialization.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor.h"

namespace heft::format {

// Where a tensor's numbers are: an entry of the archive, not read here.
struct PickledStorage {
    std::string_view key;       // the entry's name
    std::optional<DType> type;  // absent: bytes, typed by each tensor
    std::int64_t count = 0;     // numbers; bytes without type
};

struct PickledTensor {
    std::string_view name;
    PickledStorage storage;
    DType type = DType::f32;
    std::int64_t offset = 0;  // in numbers
    Shape shape;
    Shape strides;  // in numbers, as many as extents; not checked against the storage
};

// The tensors of the dictionary, or of the dictionary that it holds under "state_dict", "model",
// "module" or "model_state_dict", in order; other values are skipped. Views into `bytes`. Errors:
// unsupported (a global or an instruction that is not known, by name; a limit), corrupt.
Result<std::vector<PickledTensor>> read_pickle(Bytes bytes);

}  // namespace heft::format
