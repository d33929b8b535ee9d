// The hash of the tokenizer's tables. Seeded per process, so that a file cannot be made whose
// entries all collide; nothing that is stored or printed depends on it.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace heft::text {

std::uint64_t hash_seed();

inline std::uint64_t hash_word(std::uint64_t hash, std::uint64_t word) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15U;
    return hash ^ (hash >> 29);
}

inline std::uint64_t hash_pair(std::uint64_t pair) {
    return hash_word(hash_word(hash_seed(), pair), pair >> 32);
}

inline std::uint64_t hash_text(std::string_view text) {
    std::uint64_t hash = hash_seed() ^ text.size();
    std::uint64_t word = 0;
    while (text.size() >= sizeof word) {
        std::memcpy(&word, text.data(), sizeof word);
        hash = hash_word(hash, word);
        text.remove_prefix(sizeof word);
    }
    word = 0;
    // Byte by byte: a memcpy of a length known only at run time is a call.
    for (const char c : text) word = word << 8 | static_cast<std::uint8_t>(c);
    hash = hash_word(hash, word);
    return hash_word(hash, hash >> 32);
}

}  // namespace heft::text
