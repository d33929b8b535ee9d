#include <cctype>
#include <system_error>

#include "format/gguf.h"

namespace heft::format {

namespace {

// "stem-00002-of-00003.gguf"
struct PartName {
    std::string stem;
    int part = 0;  // from 1
    int parts = 0;
};

constexpr std::size_t kDigits = 5;

std::optional<int> five_digits(std::string_view text) {
    int number = 0;
    for (const char c : text) {
        if (std::isdigit(static_cast<unsigned char>(c)) == 0) return {};
        number = number * 10 + (c - '0');
    }
    return number;
}

std::optional<PartName> part_name(const std::string& name) {
    static constexpr std::string_view kOf = "-of-";
    static constexpr std::string_view kEnd = ".gguf";
    constexpr std::size_t tail = 1 + kDigits + kOf.size() + kDigits + kEnd.size();
    if (name.size() < tail) return {};
    const std::string_view text = std::string_view(name).substr(name.size() - tail);
    if (text[0] != '-' || text.substr(1 + kDigits, kOf.size()) != kOf) return {};
    if (text.substr(tail - kEnd.size()) != kEnd) return {};
    const auto part = five_digits(text.substr(1, kDigits));
    const auto parts = five_digits(text.substr(1 + kDigits + kOf.size(), kDigits));
    if (!part || !parts || *part < 1 || *part > *parts) return {};
    return PartName{name.substr(0, name.size() - tail), *part, *parts};
}

std::string padded(int number) {
    const std::string digits = std::to_string(number);
    return std::string(kDigits - digits.size(), '0') + digits;
}

}  // namespace

std::string gguf_part_name(const std::string& stem, int part, int parts) {
    return stem + "-" + padded(part) + "-of-" + padded(parts) + ".gguf";
}

Result<std::vector<std::filesystem::path>> gguf_parts(const std::filesystem::path& path) {
    std::vector<std::filesystem::path> files;
    const auto name = part_name(path.filename().string());
    if (!name) {
        files.push_back(path);
        return files;
    }
    for (int part = 1; part <= name->parts; ++part) {
        auto file = path.parent_path() / gguf_part_name(name->stem, part, name->parts);
        std::error_code error;
        if (!std::filesystem::exists(file, error))
            return Error{Code::not_found, file.string() + ": part " + std::to_string(part) + " of "
                                              + std::to_string(name->parts)
                                              + " of the model is missing"};
        files.push_back(std::move(file));
    }
    return files;
}

}  // namespace heft::format
