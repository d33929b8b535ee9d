// Which handler a path belongs to.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "serve/exchange.h"

namespace heft::serve {

// Safe to use from many threads once it is made.
class Router {
  public:
    explicit Router(std::vector<Route> routes);

    struct Match {
        const Route* route = nullptr;
        std::map<std::string, std::string> parameters;
        std::vector<std::string>
            methods;  // that the path knows, when there is no route for this one
    };
    Match find(std::string_view method, const std::string& path) const;

  private:
    struct Pattern {
        std::vector<std::string> parts;
        std::vector<std::size_t> routes;  // one for each method
    };
    bool matches(const Pattern& pattern, std::string_view path,
                 std::map<std::string, std::string>& parameters) const;
    const Route* pick(const std::vector<std::size_t>& among, std::string_view method,
                      Match& match) const;

    std::vector<Route> routes_;
    std::unordered_map<std::string, std::vector<std::size_t>> plain_;
    std::vector<Pattern> patterns_;
};

}  // namespace heft::serve
