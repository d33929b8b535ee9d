// Whether a model's files can be relied on before anything opens them for good: formats that can
// run code, files that do not belong, hashes against what was published, shapes against the
// configuration, numbers that are not finite, a template that exceeds its limits; and whether what
// heft wrote is still what it wrote, and signed by whom. Nothing of a file
// is executed. Each check adds findings; none stops the others.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "arch/arch.h"
#include "base/threads.h"
#include "format/adapter_files.h"
#include "format/checkpoint.h"
#include "govern/release_files.h"
#include "govern/seal.h"

namespace heft::verify {

enum class Severity { problem, warning, note };

struct Finding {
    Severity severity = Severity::note;
    // "code", "unexpected", "hash", "shape", "numbers", "template", "lineage", "contents",
    // "signature"
    std::string check;
    std::string file;  // or a tensor, a key; may be empty
    std::string what;  // one sentence
};

// What the files hold, against the record of lineage that they carry.
enum class ContentsState : std::uint8_t { unknown, not_compared, changed, as_written };
const char* state_name(ContentsState state);
const char* signature_name(govern::Signature signature);

struct RecordFound {
    bool is_there = false;
    ContentsState contents = ContentsState::unknown;
    govern::Signature signature = govern::Signature::none;
    std::string public_key, fingerprint;  // of the key that it says it is signed with
};

struct Report {
    std::vector<Finding> findings;
    std::size_t n_files = 0, n_tensors = 0, n_hashes = 0;  // looked at
    std::uint64_t n_numbers = 0;                           // checked for being finite
    std::uint64_t n_bytes = 0;                             // read for hashes and numbers
    RecordFound record;

    void add(Severity severity, std::string check, std::string file, std::string what);
    bool sound() const;  // no problem among the findings
};

// Told now and then; false cancels, and the check answers Code::cancelled.
using Progress =
    std::function<bool(const std::string& what, std::uint64_t done, std::uint64_t total)>;

// What a record of lineage stands in and tells of. What it is made of must outlive it.
struct Carrier {
    std::optional<std::string> text;             // absent: there is none
    const format::Metadata* metadata = nullptr;  // of a GGUF file
    format::WeightFiles weights;
};
Carrier carrier_of(const format::Checkpoint& checkpoint);
Carrier carrier_of(const format::AdapterFiles& adapter);

// The record of lineage (docs/lineage.md) is as heft wrote it, and so is all that it tells of. Who
// signed it may be anybody unless a key is given.
struct RecordCheck {
    std::string public_key;     // that it has to be signed with; empty: any, or none
    bool with_contents = true;  // read everything
};
Status check_record(const Carrier& carrier, const RecordCheck& how, ThreadPool& pool,
                    const Progress& progress, Report& report);

// Names and pickles: what could run code where it is opened, and what a release does not need.
void check_files(const govern::ReleaseFiles& files, Report& report);

// SHA-256 against SHA256SUMS and *.sha256 files, the hub's download metadata and blob names.
Status check_hashes(const govern::ReleaseFiles& files, const Progress& progress, Report& report);

// Every tensor of the family's table is there in the shape that the configuration says.
void check_shapes(const format::Checkpoint& checkpoint, const arch::Config& config, Report& report);

// NaN and infinities in any tensor of a floating-point or quantised type.
Status check_numbers(const std::vector<TensorView>& tensors, ThreadPool& pool,
                     const Progress& progress, Report& report);

// Parses within limits, and answers an ordinary conversation within them.
void check_template(const format::Checkpoint& checkpoint, Report& report);

const char* severity_name(Severity severity);

}  // namespace heft::verify
