#include "golden_data.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include <nlohmann/json.hpp>

namespace heft::testing {

namespace {

void add_folders(const std::filesystem::path& root, std::vector<std::filesystem::path>& out) {
    if (!std::filesystem::is_directory(root)) return;
    for (const auto& entry : std::filesystem::directory_iterator(root))
        if (std::filesystem::exists(entry.path() / "golden.json")) out.push_back(entry.path());
}

}  // namespace

std::vector<std::filesystem::path> golden_folders() {
    std::vector<std::filesystem::path> out;
    add_folders(std::filesystem::path(HEFT_SOURCE_DIR) / "tests" / "golden", out);
    if (const char* more = std::getenv("HEFT_GOLDEN")) add_folders(more, out);
    std::sort(out.begin(), out.end());
    return out;
}

std::filesystem::path golden_folder(std::string_view name) {
    return std::filesystem::path(HEFT_SOURCE_DIR) / "tests" / "golden" / name;
}

Golden read_golden(const std::filesystem::path& folder) {
    std::ifstream file(folder / "golden.json");
    const auto json = nlohmann::json::parse(file);
    Golden golden;
    golden.prompt = json.at("prompt").get<std::vector<int>>();
    golden.greedy = json.at("greedy").get<std::vector<int>>();
    golden.positions = json.at("logit_positions").get<std::vector<int>>();
    for (const int position : golden.positions) {
        const auto& all = json.at("logits");
        const auto& row =
            all.is_object() ? all.at(std::to_string(position)) : all.at(golden.logits.size());
        golden.logits.push_back(row.get<std::vector<double>>());
    }
    return golden;
}

std::vector<double> errors(const Golden& golden, std::span<const float> logits) {
    std::vector<double> out;
    std::size_t at = 0;
    for (const auto& row : golden.logits) {
        double squares = 0;
        double most = 0;
        for (const double value : row) {
            const double difference = std::abs(value - static_cast<double>(logits[at++]));
            most = std::isnan(difference) ? 1e9 : std::max(most, difference);
            squares += value * value;
        }
        out.push_back(most / std::sqrt(squares / static_cast<double>(row.size())));
    }
    return out;
}

double worst(const std::vector<double>& values) {
    return *std::max_element(values.begin(), values.end());
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

double top1_agreement(const Golden& golden, std::span<const float> logits) {
    int clear = 0;
    int same = 0;
    std::size_t at = 0;
    for (const auto& row : golden.logits) {
        const auto best = std::max_element(row.begin(), row.end());
        double second = -1e300;
        for (auto it = row.begin(); it != row.end(); ++it)
            if (it != best) second = std::max(second, *it);
        const auto ours = logits.subspan(at, row.size());
        at += row.size();
        if (*best - second <= 0.5) continue;
        ++clear;
        same += std::max_element(ours.begin(), ours.end()) - ours.begin() == best - row.begin();
    }
    return clear == 0 ? 1.0 : static_cast<double>(same) / clear;
}

}  // namespace heft::testing
