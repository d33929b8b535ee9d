#include "format/names.h"

#include <algorithm>

#include <simdjson.h>

namespace heft::format {

Status check_name(std::string_view what, std::string_view name, std::size_t limit) {
    if (name.empty()) return Error{Code::corrupt, std::string(what) + " is empty"};
    if (name.size() > limit)
        return Error{Code::corrupt, std::string(what) + " has " + std::to_string(name.size())
                                        + " bytes, more than " + std::to_string(limit)};
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (std::any_of(name.begin(), name.end(), control))
        return Error{Code::corrupt, std::string(what) + " holds control characters"};
    if (!simdjson::validate_utf8(name.data(), name.size()))
        return Error{Code::corrupt, std::string(what) + " is not valid UTF-8"};
    return {};
}

std::string in_quotes(std::string_view name) {
    return "'" + std::string(name) + "'";
}

Status check_unique(std::string_view what, std::vector<std::string_view> names) {
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end())
        return Error{Code::corrupt, std::string(what) + " " + in_quotes(*twice) + " occurs twice"};
    return {};
}

}  // namespace heft::format
