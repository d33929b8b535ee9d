// GPT-2's reversible spelling of bytes as printable characters: vocabularies of byte-level BPE
// store " the" as "Ġthe". Source: the byte-to-Unicode table of the GPT-2 encoder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heft::text {

char32_t byte_level_char(std::uint8_t byte);
std::optional<std::uint8_t> byte_level_byte(char32_t code);

// Bytes to their spelling.
std::string byte_level_spell(std::string_view bytes);

// The bytes that a spelling stands for; a text with a character outside the table stands for
// itself, as published decoders have it.
std::string byte_level_bytes(std::string_view spelling);

}  // namespace heft::text
