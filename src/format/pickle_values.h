// Values of the restricted pickle reader, and the names that a pickle may use.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "format/pickle.h"

namespace heft::format {

// What a name in a pickle stands for.
enum class Global : std::uint8_t {
    ordered_dict,
    rebuild_tensor,        // typed storage
    rebuild_typed_tensor,  // storage of bytes, and a type
    rebuild_parameter,
    size,
    storage,  // the type of a storage
    dtype,
};

struct KnownGlobal {
    std::string_view module;
    std::string_view name;
    Global what;
    std::optional<DType> type = {};  // of storages and dtypes; a storage without one is bytes
};

// nullptr: refused.
const KnownGlobal* find_global(std::string_view module, std::string_view name);

// Index of a value in the machine's list. Values are never copied: a list that holds itself, or the
// same list a thousand times, costs nothing.
using Ref = std::uint32_t;

enum class Type : std::uint8_t {
    none,
    boolean,
    integer,
    real,
    text,
    tuple,
    list,
    dict,
    global,
    storage,
    tensor,
};

struct Value {
    Type type = Type::none;
    std::uint8_t depth = 0;   // of nested containers
    std::int64_t number = 0;  // boolean, integer; of others, the index of what they are
    std::string_view text = {};
    std::vector<Ref> items = {};          // tuple, list; of a dict, keys and values in turn
    const KnownGlobal* global = nullptr;  // global
};

const char* type_name(Type type);

// "its pickle …": what a dictionary of tensors does not need; bytes that contradict themselves;
// more of something than any such dictionary has.
Error pickle_refused(const std::string& what);
Error pickle_corrupt(const std::string& what);
Error pickle_limit(const std::string& what, std::uint64_t limit);

}  // namespace heft::format
