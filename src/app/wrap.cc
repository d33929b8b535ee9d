#include "app/wrap.h"

#include <algorithm>

#include <fmt/format.h>

namespace heft::app {

std::vector<std::string> wrapped(std::string_view text, std::size_t columns) {
    std::vector<std::string> lines(1);
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
        const std::string_view word = text.substr(0, end);
        std::string& last = lines.back();
        if (!last.empty() && last.size() + 1 + word.size() > columns)
            lines.emplace_back(word);
        else if (!word.empty())
            last += (last.empty() ? "" : " ") + std::string(word);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

std::string paragraph(std::string_view name, std::string_view text, std::size_t indent) {
    std::string out = fmt::format("{:<{}}", name, indent);
    const std::size_t columns = kReportColumns > indent ? kReportColumns - indent : 1;
    bool first = true;
    for (const std::string& line : wrapped(text, columns)) {
        if (!first) out += std::string(indent, ' ');
        out += line + "\n";
        first = false;
    }
    return out;
}

}  // namespace heft::app
