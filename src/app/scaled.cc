#include "app/scaled.h"

#include <iterator>

#include <fmt/format.h>

namespace heft::app {

std::string scaled(double value) {
    constexpr const char* units[] = {"", " k", " M", " G", " T"};
    std::size_t unit = 0;
    while (value >= 1000 && unit + 1 < std::size(units)) {
        value /= 1000;
        ++unit;
    }
    return unit == 0 ? fmt::format("{:.0f}", value) : fmt::format("{:.2f}{}", value, units[unit]);
}

std::string scaled_bytes(double count) {
    const std::string text = scaled(count);
    return text + (text.find(' ') == std::string::npos ? " B" : "B");
}

}  // namespace heft::app
