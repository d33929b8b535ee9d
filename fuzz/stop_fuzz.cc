// Stop strings and a text, cut into pieces as the input says: what the filter lets through has to
// equal what a search of the whole text finds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gen/stop.h"

namespace {

// Input: stop strings, each ended by a zero byte, up to an empty one; then the text, in which a
// zero byte ends a piece.
struct Input {
    std::vector<std::string> stops;
    std::vector<std::string> pieces;
};

Input read(std::string_view data) {
    Input input;
    bool in_stops = true;
    while (!data.empty()) {
        const auto end = data.find('\0');
        const auto part = data.substr(0, end);
        data.remove_prefix(end == std::string_view::npos ? data.size() : end + 1);
        if (in_stops && (part.empty() || input.stops.size() == 16)) in_stops = false;
        (in_stops ? input.stops : input.pieces).emplace_back(part);
    }
    return input;
}

std::string expected(const Input& input, const std::string& text) {
    for (std::size_t end = 1; end <= text.size(); ++end) {
        std::size_t longest = 0;
        for (const auto& stop : input.stops) {
            if (stop.size() <= longest) continue;
            if (std::string_view(text).substr(0, end).ends_with(stop)) longest = stop.size();
        }
        if (longest > 0) return text.substr(0, end - longest);
    }
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // The search of the whole text is quadratic.
    if (size > 4096) return 0;
    const Input input = read({reinterpret_cast<const char*>(data), size});
    heft::gen::StopFilter filter(input.stops);
    std::string text;
    std::string shown;
    for (const auto& piece : input.pieces) {
        text += piece;
        shown += filter.push(piece);
    }
    shown += filter.finish();
    if (shown != expected(input, text)) std::abort();
    return 0;
}
