// The record of lineage that every model which heft writes carries (docs/lineage.md): what it was
// made from, by hash; how; on whose terms, with which duties; and what its inputs say of their own
// making. The one place where such records are made, for every verb that makes models.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "format/adapter_files.h"
#include "format/checkpoint.h"
#include "govern/gate.h"
#include "govern/input_hashes.h"

namespace heft::govern {

// Where the record stands: this key of a GGUF file, this file beside safetensors.
inline constexpr std::string_view kLineageKey = "heft.lineage";
inline constexpr std::string_view kLineageFile = "heft.json";

inline constexpr std::size_t kMostRecordBytes = 1U << 20;
// Null where a text is no JSON object, or too large.
nlohmann::ordered_json parsed_record(std::string_view text);

// A model, an adapter or another file that goes into the new one.
// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct Source {
    Parent parent;
    std::vector<std::filesystem::path> files;  // empty: the embedded model
    nlohmann::ordered_json record;             // its own, null: none
};

// The text of the record that a checkpoint or an adapter carries, if it carries any.
std::optional<std::string> carried_text(const format::Checkpoint& checkpoint);
std::optional<std::string> carried_text(const format::AdapterFiles& adapter);

// The record that a checkpoint carries. Null where there is none or none that can be read: what a
// stranger's file says must not stop anything.
nlohmann::ordered_json carried_record(const format::Checkpoint& checkpoint);

// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct Making {
    std::string verb;                // "quantize"
    std::string made_by;             // "heft 0.1.0"
    nlohmann::ordered_json options;  // all that decides the result
    std::optional<std::uint64_t> seed;
    Use use;
    bool accept_terms = false;
};

// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct Passport {
    GateOutcome outcome;
    std::unique_ptr<InputHashes> hashes;  // on their way, to be put into the record; null: none
};

// May the model be made (gate.h), and the record of it. Where it may not, the record has no hashes:
// nothing is read then. With its hashes, it depends on nothing but the arguments and the files: the
// same inputs and options give the same record. Errors: those of the files.
Result<Passport> passport(const Catalogue& catalogue, const std::vector<Source>& sources,
                          const Making& making);

}  // namespace heft::govern
