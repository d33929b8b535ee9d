// The files of a release on disk, and what its model card and GGUF metadata declare. Names are
// listed, contents are not read but for the card. Everything is hostile: counts, depths and sizes
// are bounded.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "format/metadata.h"

namespace heft::openness {

// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct ReleaseFiles {
    std::string name;                     // the folder's or file's own
    std::filesystem::path folder;         // that `files` are relative to
    std::vector<std::string> files;       // "eval/results.json"; sorted
    std::string card;                     // README.md; empty: none
    nlohmann::ordered_json front_matter;  // of the card; null: none, or not readable
    std::vector<std::string> notes;       // what was not understood or left out
};

// `path`: a folder (with what is below it, three levels deep, hidden names aside), or a file of
// weights with the cards and licence texts beside it. Errors: not_found.
Result<ReleaseFiles> list_release(const std::filesystem::path& path);

// What a release says of itself: the card's front matter first, then GGUF's general.* keys.
struct Declared {
    std::string licence, licence_name, licence_link;  // as written; empty: nothing said
    std::vector<std::string> base_models, datasets, tags;
    std::string relation;  // to its base: "finetune", "quantized", "merge", "adapter"; or empty
    std::string task, library, author, version, description, url;
};
Declared declared_by(const nlohmann::ordered_json& front_matter, const format::Metadata& metadata);

}  // namespace heft::openness
