// Build tool: makes one JSON file of the licences, of what goes with them, and of the built-in
// model's own texts. It is read in a millisecond, where 64 YAML files would take twenty.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/mapped_file.h"
#include "format/yaml.h"

namespace heft {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

Result<Json> read(const fs::path& file) {
    HEFT_TRY(const std::string text, read_text(file));
    auto tree = format::read_yaml(text);
    if (!tree) return within(file.string(), std::move(tree.error()));
    return tree;
}

Status make(const fs::path& folder, const fs::path& tiny, const fs::path& out) {
    Json catalogue;
    for (const char* name : {"LICENSE", "README.md"}) {
        HEFT_TRY(const std::string text, read_text(tiny / name));
        catalogue["tiny"][name] = text;
    }
    HEFT_TRY(catalogue["vocabulary"], read(folder / "data" / "vocabulary.yaml"));
    HEFT_TRY(const Json releases, read(folder / "data" / "releases.yaml"));
    catalogue["releases"] = releases.value("releases", Json::array());
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder / "licences"))
        if (entry.path().extension() == ".yaml") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    catalogue["licences"] = Json::array();
    for (const auto& file : files) {
        HEFT_TRY(Json licence, read(file));
        catalogue["licences"].push_back(std::move(licence));
    }
    std::ofstream stream(out, std::ios::binary);
    stream << catalogue.dump();
    stream.close();
    if (!stream) return Error{Code::not_found, out.string() + ": cannot be written"};
    return {};
}

}  // namespace
}  // namespace heft

// NOLINTNEXTLINE(bugprone-exception-escape): a build step; what it throws ends it
int main(int argc, char** argv) {
    if (argc != 4) {
        std::fputs("usage: heft-catalogue FOLDER TINY OUT.json\n", stderr);
        return 2;
    }
    const auto done = heft::make(argv[1], argv[2], argv[3]);
    if (!done) std::fprintf(stderr, "heft-catalogue: %s\n", done.error().what.c_str());
    return done ? 0 : 1;
}
