#include "base/memory.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace heft {

namespace {

using std::filesystem::path;

constexpr std::int64_t kKibibyte = 1024;

// The number behind a word, in a file of words and numbers.
std::optional<std::int64_t> number_behind(const path& file, std::string_view name) {
    std::ifstream in(file);
    std::int64_t number = 0;
    for (std::string word; in >> word;)
        if (word == name && in >> number) return number;
    return {};
}

// The file has a number, or a word where there is no limit.
std::optional<std::int64_t> number_in(const path& file) {
    std::ifstream in(file);
    std::int64_t number = 0;
    return in >> number ? std::optional(number) : std::nullopt;
}

// What a control group (version 2) has left; none: no limit.
std::optional<std::int64_t> left_in(const path& group) {
    const auto most = number_in(group / "memory.max");
    if (!most) return {};
    std::int64_t used = number_in(group / "memory.current").value_or(0);
    for (const char* pages : {"inactive_file", "active_file"})
        used -= number_behind(group / "memory.stat", pages).value_or(0);
    return std::max<std::int64_t>(0, *most - std::max<std::int64_t>(0, used));
}

// "0::/a/b" is the line of version 2.
path own_group(const path& root) {
    std::ifstream in(root / "proc/self/cgroup");
    constexpr std::string_view kMark = "0::/";
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(kMark)) return line.substr(kMark.size());
    return {};
}

}  // namespace

std::int64_t free_memory_bytes(const path& root) {
    const auto available = number_behind(root / "proc/meminfo", "MemAvailable:");
    std::optional<std::int64_t> left;
    if (available) left = *available * kKibibyte;
    // The limits of the groups that this one is part of hold for it, too.
    for (path group = own_group(root);; group = group.parent_path()) {
        if (const auto here = left_in(root / "sys/fs/cgroup" / group))
            left = left ? std::min(*left, *here) : *here;
        if (group.empty()) return left.value_or(0);
    }
}

std::int64_t own_memory_bytes(const path& root) {
    return number_behind(root / "proc/self/status", "RssAnon:").value_or(0) * kKibibyte;
}

}  // namespace heft
