#include "text/protobuf.h"

#include <bit>

namespace heft::text {

float ProtoField::real() const {
    return std::bit_cast<float>(static_cast<std::uint32_t>(value));
}

Result<std::uint64_t> ProtoReader::varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        HEFT_TRY(const auto byte, in_.take<std::uint8_t>());
        value |= std::uint64_t{byte & 0x7FU} << shift;
        if (byte < 0x80) return value;
    }
    return Error{Code::corrupt, "a number before byte " + std::to_string(in_.position())
                                    + " is longer than ten bytes"};
}

Result<std::optional<ProtoField>> ProtoReader::next() {
    if (in_.left() == 0) return std::optional<ProtoField>{};
    HEFT_TRY(const std::uint64_t tag, varint());
    ProtoField field;
    field.number = tag >> 3;
    switch (tag & 7) {
        case 0: {
            HEFT_TRY(field.value, varint());
            break;
        }
        case 1: {
            HEFT_TRY(field.value, in_.take<std::uint64_t>());
            break;
        }
        case 2: {
            HEFT_TRY(const std::uint64_t size, varint());
            HEFT_TRY(field.bytes, in_.take_bytes(size));
            break;
        }
        case 5: {
            HEFT_TRY(field.value, in_.take<std::uint32_t>());
            break;
        }
        default:
            return Error{Code::corrupt, "the field before byte " + std::to_string(in_.position())
                                            + " is of no known kind"};
    }
    return std::optional(field);
}

}  // namespace heft::text
