// Base64 and protobuf, written for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace heft::text::testing {

inline std::string base64(std::string_view bytes) {
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t bits = 0;
        for (std::size_t k = 0; k < 3; ++k)
            bits =
                bits << 8 | (i + k < bytes.size() ? static_cast<std::uint8_t>(bytes[i + k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k)
            out += i + k > bytes.size() ? '=' : kDigits[bits >> (18 - 6 * k) & 63];
    }
    return out;
}

// A message field: its number, its length, its bytes.
inline std::string proto_field(int number, std::string_view bytes) {
    std::string out(1, static_cast<char>(number << 3 | 2));
    std::size_t size = bytes.size();
    for (; size >= 128; size >>= 7) out += static_cast<char>(size | 128);
    return out.append(1, static_cast<char>(size)).append(bytes);
}

}  // namespace heft::text::testing
