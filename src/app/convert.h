// What is asked of heft convert, and what there is to say in the end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/making.h"
#include "app/measured_writing.h"

namespace heft::app {

struct ConvertOptions {
    std::string in, type, base;
    std::vector<std::string> lora;
    MakingFlags making;
    MeasureFlags measure;
};

// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct Converted {
    std::vector<std::filesystem::path> files;
    std::vector<std::string> missing;  // of the folder that the file was made of
    std::size_t n_tensors = 0;
    std::uint64_t bytes = 0;
    nlohmann::ordered_json lineage;
};

}  // namespace heft::app
