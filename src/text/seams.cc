#include "text/seams.h"

#include "text/utf8.h"

namespace heft::text {

namespace {

constexpr int kBits = 20;

std::uint32_t bit_of(char32_t left, char32_t right) {
    const std::uint32_t hash = (left * 0x9E3779B1U) ^ (right * 0x85EBCA77U);
    return (hash ^ hash >> 15) * 0x2C1B3C6DU >> (32 - kBits);
}

// Calls pair(at, left, right) for every two neighbours, `at` being where the right one begins.
template <class Pair>
void each_pair(std::string_view text, const Pair& pair) {
    if (text.empty()) return;
    Utf8Char left = utf8_at(text, 0);
    for (std::size_t at = left.bytes; at < text.size();) {
        const Utf8Char right = utf8_at(text, at);
        pair(at, left.code, right.code);
        at += right.bytes;
        left = right;
    }
}

}  // namespace

Seams::Seams() : joined_((1U << kBits) / 64) {}

void Seams::add(std::string_view token) {
    each_pair(token, [this](std::size_t, char32_t left, char32_t right) {
        const std::uint32_t bit = bit_of(left, right);
        joined_[bit / 64] |= std::uint64_t{1} << bit % 64;
    });
}

void Seams::split(std::string_view text, std::vector<std::string_view>& parts) const {
    std::size_t begin = 0;
    each_pair(text, [&](std::size_t at, char32_t left, char32_t right) {
        const std::uint32_t bit = bit_of(left, right);
        if (joined_[bit / 64] >> bit % 64 & 1) return;
        parts.push_back(text.substr(begin, at - begin));
        begin = at;
    });
    if (begin < text.size()) parts.push_back(text.substr(begin));
}

}  // namespace heft::text
