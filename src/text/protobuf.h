// The little of protobuf's wire format that sentencepiece_model.proto needs: fields of a message,
// one after the other. Bounded: a length never passes the message's end.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace heft::text {

struct ProtoField {
    std::uint64_t number = 0;
    std::uint64_t value = 0;  // of integers; the bits of fixed-width ones
    Bytes bytes;              // of strings and messages

    std::string_view text() const { return as_text(bytes); }
    float real() const;
};

class ProtoReader {
  public:
    explicit ProtoReader(Bytes message) : in_(message) {}

    // The next field, or nothing at the end. Errors: corrupt.
    Result<std::optional<ProtoField>> next();

  private:
    Result<std::uint64_t> varint();

    ByteReader in_;
};

}  // namespace heft::text
