// A request's target, taken apart (RFC 3986): the path, and the query as forms write it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace heft::net {

struct Target {
    std::string path;                          // decoded; begins with "/"
    std::map<std::string, std::string> query;  // the first of several with one name
};

// None for what is no path of this server: "*", another scheme, a bad escape, an encoded zero byte.
std::optional<Target> parse_target(std::string_view target);

}  // namespace heft::net
