#include "text/charsmap.h"

#include <algorithm>

#include "text/utf8.h"

namespace heft::text {

namespace {

// The longest replacement of Unicode's compatibility forms has 33 bytes, the longest key fewer.
constexpr std::size_t kLongest = 64;

// One unit of the double array.
struct Unit {
    std::uint32_t bits;

    bool has_leaf() const { return (bits >> 8 & 1) != 0; }
    std::uint32_t value() const { return bits & 0x7FFFFFFFU; }
    std::uint32_t label() const { return bits & 0x800000FFU; }  // no byte's, in a leaf
    std::uint32_t offset() const { return bits >> 10 << ((bits & 0x200U) >> 6); }
};

}  // namespace

Result<Charsmap> Charsmap::build(Bytes blob) {
    const auto corrupt = [](const char* why) {
        return Error{Code::corrupt, std::string("the precompiled character map ") + why};
    };
    ByteReader in(blob);
    const auto taken = in.take<std::uint32_t>();
    const std::uint32_t bytes = taken ? *taken : 0;
    if (bytes == 0 || bytes % sizeof(std::uint32_t) != 0 || bytes > in.left())
        return corrupt("is cut off, or its size is not one of whole units");
    Charsmap map;
    map.units_.resize(bytes / sizeof(std::uint32_t));
    for (auto& unit : map.units_) {
        HEFT_TRY(unit, in.take<std::uint32_t>());
    }
    map.blob_ = as_text(blob);
    map.replacements_at_ = in.position();
    std::size_t run = 0;
    for (std::size_t at = map.replacements_at_; at < map.blob_.size(); ++at) {
        run = map.blob_[at] == '\0' ? 0 : run + 1;
        if (run > kLongest) return corrupt("has a replacement longer than 64 bytes");
    }
    if (run != 0) return corrupt("has a replacement without an end");
    return map;
}

Charsmap::Found Charsmap::longest_at(std::string_view text) const {
    Found found;
    std::uint32_t node = Unit{units_[0]}.offset();
    const std::size_t reach = std::min(text.size(), kLongest);
    for (std::size_t i = 0; i < reach && text[i] != '\0'; ++i) {
        const auto byte = static_cast<std::uint8_t>(text[i]);
        node ^= byte;
        if (node >= units_.size()) break;
        const Unit unit{units_[node]};
        if (unit.label() != byte) break;
        node ^= unit.offset();
        if (node >= units_.size()) break;
        if (!unit.has_leaf()) continue;
        const std::size_t at = replacements_at_ + Unit{units_[node]}.value();
        if (at >= blob_.size()) continue;
        const std::size_t end = blob_.find('\0', at);  // there is one, says build()
        found = {i + 1, std::string_view(blob_).substr(at, end - at)};
    }
    return found;
}

std::string Charsmap::apply(std::string_view text, std::size_t limit) const {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size() && out.size() <= limit;) {
        const Utf8Char c = utf8_at(text, at);
        const Found found = c.valid ? longest_at(text.substr(at)) : Found{};
        out += found.bytes == 0 ? text.substr(at, c.bytes) : found.with;
        at += found.bytes == 0 ? c.bytes : found.bytes;
    }
    return out;
}

}  // namespace heft::text
