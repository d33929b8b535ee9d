#include "text/byte_level.h"

#include <array>

#include "text/utf8.h"

namespace heft::text {

namespace {

// Printable Latin-1 bytes stand for themselves, all others for U+0100 and up, in order.
constexpr bool prints(int byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr int kFirstShifted = 0x100;
constexpr int kChars = kFirstShifted + 68;  // 188 bytes print, 68 do not

struct Tables {
    std::array<char32_t, 256> chars{};
    std::array<std::int16_t, kChars> bytes{};
};

constexpr Tables make_tables() {
    Tables tables;
    for (auto& byte : tables.bytes) byte = -1;
    int shifted = kFirstShifted;
    for (int byte = 0; byte < 256; ++byte) {
        const int code = prints(byte) ? byte : shifted++;
        tables.chars[static_cast<std::size_t>(byte)] = static_cast<char32_t>(code);
        tables.bytes[static_cast<std::size_t>(code)] = static_cast<std::int16_t>(byte);
    }
    return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

char32_t byte_level_char(std::uint8_t byte) {
    return kTables.chars[byte];
}

std::optional<std::uint8_t> byte_level_byte(char32_t code) {
    if (code >= kChars || kTables.bytes[code] < 0) return {};
    return static_cast<std::uint8_t>(kTables.bytes[code]);
}

std::string byte_level_spell(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char c : bytes) append_utf8(out, byte_level_char(static_cast<std::uint8_t>(c)));
    return out;
}

std::string byte_level_bytes(std::string_view spelling) {
    std::string out;
    for (std::size_t at = 0; at < spelling.size();) {
        const Utf8Char c = utf8_at(spelling, at);
        const auto byte = c.valid ? byte_level_byte(c.code) : std::nullopt;
        if (!byte) return std::string(spelling);
        out += static_cast<char>(*byte);
        at += c.bytes;
    }
    return out;
}

}  // namespace heft::text
