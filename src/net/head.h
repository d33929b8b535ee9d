// The head of an answer, as bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/message.h"

namespace heft::net {

std::string_view reason(int status);  // "Not Found"

struct HeadOptions {
    std::optional<std::uint64_t> length = {};  // of the body; none: see `chunked`
    bool chunked = false;
    bool close = false;  // the connection ends with this answer
};

// A header whose name or value would end its line is left out.
std::string compose_head(int status, std::string_view type, const Headers& headers,
                         const HeadOptions& options);

// One piece of a chunked body; nothing for nothing, for that would be its end.
std::string compose_chunk(std::string_view bytes);

inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace heft::net
