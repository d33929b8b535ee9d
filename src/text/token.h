// What one token is. Shared by the tokenizer's interface and its parts.
#pragma once

#include <cstdint>

namespace heft::text {

using TokenId = std::int32_t;

inline constexpr TokenId kNoToken = -1;

enum class TokenKind : std::uint8_t { normal, unknown, control, user_defined, unused, byte };

}  // namespace heft::text
