#include "app/family_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace heft::app {

namespace {

using Json = nlohmann::ordered_json;

std::string joined(const Json& licences) {
    std::string text;
    for (const Json& id : licences) text += (text.empty() ? "" : " and ") + printable_name(id);
    return text;
}

// "b.gguf (itself; apache-2.0): quantize Q8_0 by heft 0.1.0"
std::string spoken(const Json& node) {
    std::string text = printable_name(node["model"]);
    const std::string relation = node["relation"].is_null() ? "" : printable_name(node["relation"]);
    const std::string licences = joined(node["licences"]);
    const char* between = relation.empty() || licences.empty() ? "" : "; ";
    if (!relation.empty() || !licences.empty())
        text += fmt::format(" ({}{}{})", relation, between, licences);
    if (node.contains("repeated")) return text + ": as above";
    if (node["verb"].is_null()) return text;
    text += ": " + printable_name(node["verb"]);
    if (!node["how"].is_null()) text += " " + printable_name(node["how"]);
    return text + " by " + printable_name(node["made_by"]);
}

// A node's line after `first`, and what is below it after `below`.
void add(const Json& node, const std::string& first, const std::string& below,
         std::vector<std::string>& lines) {
    lines.push_back(first + spoken(node));
    const Json& parents = node["parents"];
    for (std::size_t i = 0; i < parents.size(); ++i) {
        const bool is_last = i + 1 == parents.size();
        add(parents[i], below + (is_last ? "└─ " : "├─ "), below + (is_last ? "   " : "│  "),
            lines);
    }
}

}  // namespace

// Control characters are the first 32, DEL, and those that UTF-8 writes as C2 80 to 9F.
std::string printable_name(const Json& text) {
    constexpr std::size_t kLongest = 80;
    if (!text.is_string()) return "?";
    std::string out;
    unsigned char before = 0;
    for (const char c : text.get<std::string>().substr(0, kLongest)) {
        const auto byte = static_cast<unsigned char>(c);
        const bool is_control =
            byte < 0x20 || byte == 0x7f || (before == 0xc2 && byte >= 0x80 && byte < 0xa0);
        if (is_control && byte >= 0x80) out.pop_back();
        out += is_control ? '?' : c;
        before = byte;
    }
    return out;
}

std::vector<std::string> family_lines(const Json& family) {
    std::vector<std::string> lines;
    add(family, "", "", lines);
    if (family["is_cut"].get<bool>()) lines.emplace_back("older steps were left out");
    for (const Json& lost : family["unlinked"]) {
        lines.emplace_back("and, by its own account, from a file that is none of these:");
        add(lost, "   ", "   ", lines);
    }
    return lines;
}

}  // namespace heft::app
