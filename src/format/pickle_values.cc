#include "format/pickle_values.h"

namespace heft::format {

namespace {

constexpr KnownGlobal kGlobals[] = {
    {"collections", "OrderedDict", Global::ordered_dict},
    {"torch._utils", "_rebuild_tensor_v2", Global::rebuild_tensor},
    {"torch._utils", "_rebuild_tensor_v3", Global::rebuild_typed_tensor},
    {"torch._utils", "_rebuild_parameter", Global::rebuild_parameter},
    {"torch", "Size", Global::size},
    {"torch", "DoubleStorage", Global::storage, DType::f64},
    {"torch", "FloatStorage", Global::storage, DType::f32},
    {"torch", "HalfStorage", Global::storage, DType::f16},
    {"torch", "BFloat16Storage", Global::storage, DType::bf16},
    {"torch", "LongStorage", Global::storage, DType::i64},
    {"torch", "IntStorage", Global::storage, DType::i32},
    {"torch", "ShortStorage", Global::storage, DType::i16},
    {"torch", "CharStorage", Global::storage, DType::i8},
    {"torch", "ByteStorage", Global::storage, DType::u8},
    {"torch", "BoolStorage", Global::storage, DType::boolean},
    {"torch", "UntypedStorage", Global::storage},
    {"torch.storage", "UntypedStorage", Global::storage},
    {"torch", "float64", Global::dtype, DType::f64},
    {"torch", "float32", Global::dtype, DType::f32},
    {"torch", "float16", Global::dtype, DType::f16},
    {"torch", "bfloat16", Global::dtype, DType::bf16},
    {"torch", "float8_e4m3fn", Global::dtype, DType::f8_e4m3},
    {"torch", "float8_e5m2", Global::dtype, DType::f8_e5m2},
    {"torch", "int64", Global::dtype, DType::i64},
    {"torch", "int32", Global::dtype, DType::i32},
    {"torch", "int16", Global::dtype, DType::i16},
    {"torch", "int8", Global::dtype, DType::i8},
    {"torch", "uint64", Global::dtype, DType::u64},
    {"torch", "uint32", Global::dtype, DType::u32},
    {"torch", "uint16", Global::dtype, DType::u16},
    {"torch", "uint8", Global::dtype, DType::u8},
    {"torch", "bool", Global::dtype, DType::boolean},
};

}  // namespace

const KnownGlobal* find_global(std::string_view module, std::string_view name) {
    for (const KnownGlobal& known : kGlobals)
        if (known.module == module && known.name == name) return &known;
    return nullptr;
}

const char* type_name(Type type) {
    switch (type) {
        case Type::none: return "None";
        case Type::boolean: return "a truth value";
        case Type::integer: return "a whole number";
        case Type::real: return "a real number";
        case Type::text: return "a string";
        case Type::tuple: return "a tuple";
        case Type::list: return "a list";
        case Type::dict: return "a dictionary";
        case Type::global: return "a name";
        case Type::storage: return "a storage";
        case Type::tensor: return "a tensor";
    }
    return "";
}

Error pickle_refused(const std::string& what) {
    return {Code::unsupported,
            "its pickle " + what
                + "; nothing of it was run; if you trust its origin, save it as safetensors with "
                  "the program that made it"};
}

Error pickle_corrupt(const std::string& what) {
    return {Code::corrupt, "its pickle " + what};
}

Error pickle_limit(const std::string& what, std::uint64_t limit) {
    return {Code::unsupported, "its pickle " + what + ", which is beyond the limit of "
                                   + std::to_string(limit)
                                   + "; no dictionary of tensors needs that"};
}

}  // namespace heft::format
