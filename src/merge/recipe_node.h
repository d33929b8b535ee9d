// A value of a recipe and its line, for errors that say where. Internal to reading recipes.
#pragma once

#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "format/yaml.h"

namespace heft::merge {

class Node {
  public:
    using Json = nlohmann::ordered_json;

    Node(const Json& value, const format::YamlLines& lines, std::string pointer = {})
        : value_(&value), lines_(&lines), pointer_(std::move(pointer)) {}

    const Json& value() const { return *value_; }
    int line() const { return format::line_of(*lines_, pointer_); }
    std::size_t size() const { return value_->size(); }

    // Items of a list, or values of a mapping.
    Node item(std::size_t i) const {
        if (value_->is_array()) return {(*value_)[i], *lines_, pointer_ + "/" + std::to_string(i)};
        const auto member = std::next(value_->begin(), static_cast<std::ptrdiff_t>(i));
        return {member.value(), *lines_, pointer_ + "/" + format::pointer_token(member.key())};
    }
    std::string key(std::size_t i) const {
        return std::next(value_->begin(), static_cast<std::ptrdiff_t>(i)).key();
    }

    Error error(const std::string& what) const {
        return {Code::invalid, "line " + std::to_string(line()) + ": " + what};
    }

    Result<std::string> text(const char* what) const {
        if (value_->is_string() && !value_->get_ref<const std::string&>().empty())
            return value_->get<std::string>();
        return error(std::string(what) + " has to be a text");
    }

  private:
    const Json* value_;
    const format::YamlLines* lines_;
    std::string pointer_;
};

}  // namespace heft::merge
