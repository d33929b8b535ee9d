#include "serve/router.h"

#include <algorithm>

namespace heft::serve {

namespace {

std::vector<std::string> split(std::string_view path) {
    std::vector<std::string> parts;
    while (!path.empty()) {
        path.remove_prefix(1);  // the slash
        const std::size_t end = std::min(path.find('/'), path.size());
        parts.emplace_back(path.substr(0, end));
        path.remove_prefix(end);
    }
    return parts;
}

bool is_parameter(const std::string& part) {
    return part.size() > 2 && part.front() == '{' && part.back() == '}';
}

}  // namespace

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)) {
    std::map<std::string, std::size_t> seen;
    for (std::size_t i = 0; i < routes_.size(); ++i) {
        const std::string& text = routes_[i].pattern;
        if (text.find('{') == std::string::npos) {
            plain_[text].push_back(i);
            continue;
        }
        const auto [place, is_new] = seen.emplace(text, patterns_.size());
        if (is_new) patterns_.push_back({split(text), {}});
        patterns_[place->second].routes.push_back(i);
    }
}

bool Router::matches(const Pattern& pattern, std::string_view path,
                     std::map<std::string, std::string>& parameters) const {
    for (std::size_t i = 0; i < pattern.parts.size(); ++i) {
        if (path.empty()) return false;
        path.remove_prefix(1);
        const std::string& part = pattern.parts[i];
        if (is_parameter(part) && part[part.size() - 2] == '*') {  // all that is left
            parameters[part.substr(1, part.size() - 3)] = std::string(path);
            return true;
        }
        const std::string_view here = path.substr(0, path.find('/'));
        path.remove_prefix(here.size());
        if (!is_parameter(part)) {
            if (here != part) return false;
        } else if (here.empty()) {
            return false;
        } else {
            parameters[part.substr(1, part.size() - 2)] = std::string(here);
        }
    }
    return path.empty();
}

const Route* Router::pick(const std::vector<std::size_t>& among, std::string_view method,
                          Match& match) const {
    const auto answers = [&](const Route& route) {
        return route.method == method || (method == "HEAD" && route.method == "GET");
    };
    for (const std::size_t i : among) {
        if (answers(routes_[i])) return &routes_[i];
        match.methods.push_back(routes_[i].method);
    }
    return nullptr;
}

Router::Match Router::find(std::string_view method, const std::string& path) const {
    Match match;
    if (const auto found = plain_.find(path); found != plain_.end()) {
        match.route = pick(found->second, method, match);
        if (match.route != nullptr) return match;
    }
    for (const Pattern& pattern : patterns_) {
        std::map<std::string, std::string> parameters;
        if (!matches(pattern, path, parameters)) continue;
        match.route = pick(pattern.routes, method, match);
        if (match.route == nullptr) continue;
        match.parameters = std::move(parameters);
        return match;
    }
    return match;
}

}  // namespace heft::serve
