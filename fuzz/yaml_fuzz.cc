// Any bytes as YAML, as JSON or YAML, and as a model card. What is read must be a tree that JSON
// can write and read back, within the limits.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <nlohmann/json.hpp>

#include "format/yaml.h"

namespace {

using Json = nlohmann::ordered_json;

std::size_t nodes(const Json& tree) {
    std::size_t sum = 1;
    for (const auto& item : tree)
        if (tree.is_structured()) sum += nodes(item);
    return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const heft::format::YamlLimits limits{1U << 16, 5000, 1U << 16, 32};
    heft::format::YamlLines lines;
    const auto tree = heft::format::read_yaml(text, lines, limits);
    const auto n_lines = std::count(text.begin(), text.end(), '\n') + 1;
    for (const auto& [pointer, line] : lines)
        if (line < 1 || line > n_lines + 1 || heft::format::line_of(lines, pointer) != line)
            std::abort();
    if (tree) {
        if (nodes(*tree) > limits.nodes) std::abort();
        const auto written = tree->dump();  // would throw for text that is not UTF-8
        if (Json::parse(written, nullptr, false).is_discarded()) std::abort();
    }
    (void)heft::format::read_yaml_or_json(text, limits);
    const auto card = heft::format::split_card(text);
    if (card.front_matter) (void)heft::format::read_yaml(*card.front_matter, limits);
    return 0;
}
