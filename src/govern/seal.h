// What makes a record of lineage checkable (docs/lineage.md): the digest of what the model's files
// hold and that of the record's own text, in its field `contents`, and, where a key is given, a
// signature of the text, in its field `signature`. Both are the record's last fields.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/ed25519.h"
#include "govern/contents.h"

namespace heft::govern {

struct Sealing {
    const SigningKey* key = nullptr;  // nullptr: unsigned
    int indent = -1;                  // as nlohmann's dump() has it
    std::size_t length = 0;           // with spaces up to so many bytes; 0: as it comes
};

// The record's text. Errors: invalid, where it is longer than wanted.
Result<std::string> sealed(nlohmann::ordered_json record, const Contents& contents,
                           const Sealing& how);

// How long the text will be, of a model with so many tensors and keys.
std::size_t sealed_length(nlohmann::ordered_json record, std::size_t n_tensors, std::size_t n_keys,
                          const Sealing& how);

enum class Signature : std::uint8_t { none, good, broken };

// What a text says for itself.
// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct Seal {
    nlohmann::ordered_json record;  // null: it is no record of lineage
    bool has_digest = false;        // `contents` is there, and no null
    bool is_whole = false;          // the text has its digest
    Signature signature = Signature::none;
    std::string public_key;  // that it claims to be signed with; empty: none
};

// Any text may be given. Errors: internal.
Result<Seal> read_seal(std::string_view text);

}  // namespace heft::govern
