// Reference checkpoints (tests/golden/README.md) and how close logits are to theirs.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heft::testing {

struct Golden {
    std::vector<int> prompt;
    std::vector<int> positions;
    std::vector<std::vector<double>> logits;  // per position
    std::vector<int> greedy;
};

// Folders with a golden.json: the project's own, and those in the folder that HEFT_GOLDEN names.
std::vector<std::filesystem::path> golden_folders();

// One of the project's own.
std::filesystem::path golden_folder(std::string_view name);

Golden read_golden(const std::filesystem::path& folder);

// Per position: max |logit - golden| / rms(golden).
std::vector<double> errors(const Golden& golden, std::span<const float> logits);

double worst(const std::vector<double>& values);
double median(std::vector<double> values);

// Share of clear positions (best and second of the golden apart by more than 0.5) where the best
// token is the same.
double top1_agreement(const Golden& golden, std::span<const float> logits);

}  // namespace heft::testing
