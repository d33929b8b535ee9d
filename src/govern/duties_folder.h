// Duties as a folder that can be shipped as it is: copies of licences, the Notice file, what to
// display, how to name the model, what to pass on, and the checklist.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "govern/lineage.h"

namespace heft::govern {

struct LicenceCopy {
    std::string of, file_name, text;  // of: the model whose LICENSE it is
};

// Writes into `folder`, which is made, and must be empty or absent. Returns the names of the files
// that were written. A licence whose text is not among `copies` is named in the checklist, with
// where to get it. Errors: not_found, invalid (a folder with files in it).
Result<std::vector<std::string>> write_duties(const Assessment& assessment,
                                              const std::string& model,
                                              const std::vector<LicenceCopy>& copies,
                                              const std::filesystem::path& folder);

}  // namespace heft::govern
