// What `heft license` answers, as a document of schema heft.license/1 and for people to read.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "govern/identify.h"
#include "govern/lineage.h"
#include "govern/use.h"

namespace heft::app {

nlohmann::ordered_json license_document(const govern::Identification& model,
                                        const govern::Assessment& assessment,
                                        const govern::Use& use,
                                        const govern::Vocabulary& vocabulary);

// 80 columns; ends with a newline.
std::string license_report(const nlohmann::ordered_json& document);

}  // namespace heft::app
