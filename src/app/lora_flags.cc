#include "app/lora_flags.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <system_error>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace heft::app {

namespace {

std::optional<float> as_number(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    float value = 0;
    const char* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc::result_out_of_range && at == end) return INFINITY;
    if (error != std::errc() || at != end) return {};
    return value;
}

}  // namespace

void add_lora(CLI::App& verb, std::vector<std::string>& arguments) {
    verb.add_option("--lora", arguments, "adapter; may repeat")
        ->type_name("F[:SCALE]")
        ->allow_extra_args(false);
}

Result<LoraArgument> parse_lora(const std::string& argument) {
    if (argument.empty()) return Error{Code::invalid, "--lora: the name of an adapter is needed"};
    std::error_code ignored;
    const auto colon = argument.rfind(':');
    if (colon == std::string::npos || std::filesystem::exists(argument, ignored))
        return LoraArgument{argument};
    const std::string path = argument.substr(0, colon);
    const auto scale = as_number(std::string_view(argument).substr(colon + 1));
    if (!scale) return LoraArgument{argument};
    if (path.empty() || !std::isfinite(*scale))
        return Error{
            Code::invalid,
            fmt::format("--lora: \"{}\" is not DIR_OR_GGUF:SCALE with a finite scale", argument)};
    return LoraArgument{path, *scale};
}

}  // namespace heft::app
