// The files of a release: which there are, and the texts among them that speak of licence and
// origin. Other contents are not read. Everything is hostile: counts, depths and sizes are bounded.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "format/metadata.h"
#include "govern/catalogue.h"

namespace heft::govern {

// What general.* of a GGUF file says; empty: nothing.
struct MetadataTexts {
    std::string licence, licence_name, licence_link;
    std::string name, author, version, description, url;
    std::vector<std::string> base_models, datasets, tags;
};

struct ReleaseFiles {
    struct Text {
        std::string name, text;
    };
    std::string name;                // the folder's or file's own
    std::filesystem::path folder;    // that `names` are relative to
    std::vector<std::string> names;  // "eval/results.json"; sorted
    std::vector<Text> texts;         // licences, notices, policies, cards, configurations: at most
                                     // 64 of 1 MiB, of the folder itself
    MetadataTexts metadata;
    std::vector<std::string> notes;  // what was left out
};

// `path`: a folder (with what is below it, three levels deep, hidden names aside), a file of
// weights, or one text. A GGUF file stands alone, for what is beside it in a folder of downloads
// may belong to others; beside other weights, what speaks of a model counts. Errors: not_found.
Result<ReleaseFiles> read_release(const std::filesystem::path& path);

// What a GGUF file's metadata says about licence and origin.
MetadataTexts metadata_texts(const format::Metadata& metadata);

// The release that the program carries.
ReleaseFiles built_in_release(const Catalogue& catalogue);

}  // namespace heft::govern
