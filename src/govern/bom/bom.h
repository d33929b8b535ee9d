// A model's bill of materials, as the two formats that the industry reads: SPDX 3.0.1 with its AI
// profile (JSON-LD) and CycloneDX 1.6 (ML-BOM). Pure functions of the facts: same facts, same
// bytes.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace heft::bom {

struct File {
    std::string name;  // relative to the release
    std::uint64_t bytes = 0;
    std::string sha256;
};

// What no field of either format can hold: thresholds, use of outputs, territory, naming duties.
struct Term {
    std::string name;  // "threshold.monthly_users"
    std::string text;
};

struct Facts {
    std::string name, version, supplier, description, task;  // empty: not known
    std::string download;                                    // a URL
    std::string architecture;                                // "llama"
    std::string licence;  // SPDX id or, without `is_spdx`, what was declared
    bool is_spdx = false;
    std::string licence_text;  // of a licence that SPDX does not know; may be empty
    std::string tool_version;  // of heft
    std::string created;       // "2026-11-26T12:00:00Z"
    std::string released;      // the same; empty: not known
    std::vector<std::pair<std::string, std::string>> parameters;  // "context length", "8192"
    std::vector<File> files;
    std::vector<std::string> parents;   // models that it was made from
    std::string relation;               // to them: "finetune", "quantized" …; may be empty
    std::vector<std::string> datasets;  // as declared
    std::vector<Term> terms;
};

nlohmann::ordered_json spdx3(const Facts& facts);
nlohmann::ordered_json cyclonedx(const Facts& facts);

// 32 hex digits that follow from the files' names and hashes: the document's identity.
std::string identity(const Facts& facts);

}  // namespace heft::bom
