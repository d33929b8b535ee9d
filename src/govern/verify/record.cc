#include <algorithm>

#include <fmt/format.h>

#include "base/mapped_file.h"
#include "format/gguf.h"
#include "govern/contents.h"
#include "govern/passport.h"
#include "govern/seal.h"
#include "govern/verify/verify.h"

namespace heft::verify {

namespace {

using govern::Contents;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMostChanges = 20;  // told; the rest is counted
constexpr std::string_view kBegins = R"({"schema":"heft.lineage/)";

// A record under another key: nothing finds it there, and whoever moved it might wish that.
void find_moved(const format::Metadata& metadata, Report& report) {
    for (const format::MetaEntry& entry : metadata.entries())
        if (entry.value.type == format::MetaType::string
            && as_text(entry.value.data).starts_with(kBegins))
            report.add(Severity::problem, "lineage", std::string(entry.key),
                       "a record of lineage stands under this key, which is not its own");
}

void check_signature(const govern::Seal& seal, const std::string& wanted, Report& report) {
    report.record.signature = seal.signature;
    report.record.public_key = seal.public_key;
    const auto print = govern::Signature::none == seal.signature
                           ? Result<std::string>(std::string())
                           : key_fingerprint(seal.public_key);
    report.record.fingerprint = print ? *print : "";
    if (seal.signature == govern::Signature::broken)
        report.add(Severity::problem, "signature", {},
                   "the signature is not that of the record as it stands here: one of them has "
                   "been changed");
    if (wanted.empty() || seal.signature == govern::Signature::broken) return;
    if (seal.signature == govern::Signature::none)
        report.add(Severity::problem, "signature", {}, "is not signed, by the key or at all");
    else if (seal.public_key != wanted)
        report.add(Severity::problem, "signature", {},
                   "is signed with another key, " + report.record.fingerprint);
}

// Bytes between tensors and after them are zeros, and no more than padding takes.
bool is_padding(Bytes bytes, std::uint64_t alignment) {
    return bytes.size() < alignment
           && std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{}; });
}

// What a GGUF file may hold beside what is read of it.
Status check_layout(const std::filesystem::path& path, Report& report) {
    HEFT_TRY(const MappedFile file, MappedFile::open(path));
    HEFT_TRY(const format::Gguf gguf, format::parse_gguf(file.bytes()));
    std::vector<Bytes> tensors;
    for (const TensorView& view : gguf.tensors) tensors.push_back(view.data);
    std::sort(tensors.begin(), tensors.end(), [](Bytes a, Bytes b) { return a.data() < b.data(); });
    tensors.push_back({file.bytes().data() + file.bytes().size(), std::size_t{0}});
    bool is_clean = gguf.version == 3;
    for (std::size_t i = 0; is_clean && i + 1 < tensors.size(); ++i) {
        const std::byte* end = tensors[i].data() + tensors[i].size();
        const std::byte* next = tensors[i + 1].data();
        is_clean = next >= end && is_padding({end, next}, gguf.alignment);
    }
    if (!is_clean)
        report.add(Severity::problem, "contents", path.filename().string(),
                   "is not laid out as heft writes files: it holds bytes that belong to nothing, "
                   "or tensors share theirs");
    return {};
}

void tell(const std::vector<Contents::Change>& changes, bool record_is_whole, Report& report) {
    std::size_t told = 0;
    for (const Contents::Change& change : changes) {
        // Where the record itself has changed, it is no witness but of what it can name.
        if (change.of.empty() && !record_is_whole) continue;
        if (++told <= kMostChanges)
            report.add(change.matters ? Severity::problem : Severity::note, "contents", change.of,
                       change.what);
        if (change.matters) report.record.contents = ContentsState::changed;
    }
    if (told > kMostChanges)
        report.add(Severity::problem, "contents", {},
                   fmt::format("{} more like these are not listed", told - kMostChanges));
}

Status check_contents(const format::WeightFiles& weights, const govern::Seal& seal,
                      ThreadPool& pool, const Progress& progress, Report& report) {
    std::uint64_t read = 0;
    const auto shown = [&](std::uint64_t done, std::uint64_t total) {
        read = total;
        return progress("contents", done, total);
    };
    HEFT_TRY(const Contents contents, govern::contents_of(weights, {}, pool, shown));
    report.n_bytes += read;
    ++report.n_hashes;
    report.record.contents = ContentsState::as_written;
    HEFT_TRY(const auto changes, contents.changes_from(seal.record["contents"]));
    tell(changes, seal.is_whole, report);
    if (weights.kind == format::Kind::gguf)
        for (const std::filesystem::path& file : weights.files) HEFT_OK(check_layout(file, report));
    return {};
}

}  // namespace

const char* state_name(ContentsState state) {
    switch (state) {
        case ContentsState::unknown: return "unknown";
        case ContentsState::not_compared: return "not compared";
        case ContentsState::changed: return "changed";
        case ContentsState::as_written: return "as written";
    }
    return "";
}

const char* signature_name(govern::Signature signature) {
    switch (signature) {
        case govern::Signature::none: return "none";
        case govern::Signature::good: return "good";
        case govern::Signature::broken: return "broken";
    }
    return "";
}

Carrier carrier_of(const format::Checkpoint& checkpoint) {
    Carrier out;
    out.text = govern::carried_text(checkpoint);
    if (checkpoint.kind() == format::Kind::gguf) out.metadata = &checkpoint.metadata();
    out.weights.kind = checkpoint.kind();
    out.weights.folder = checkpoint.folder();
    out.weights.files = checkpoint.files();
    return out;
}

Carrier carrier_of(const format::AdapterFiles& adapter) {
    if (adapter.gguf) return carrier_of(*adapter.gguf);
    Carrier out;
    out.text = govern::carried_text(adapter);
    out.weights.kind = format::Kind::huggingface;
    out.weights.folder = adapter.folder;
    out.weights.files = format::files_of(adapter);
    return out;
}

Status check_record(const Carrier& carrier, const RecordCheck& how, ThreadPool& pool,
                    const Progress& progress, Report& report) {
    if (!carrier.text) {
        if (carrier.metadata != nullptr) find_moved(*carrier.metadata, report);
        if (!how.public_key.empty())
            report.add(Severity::problem, "signature", {},
                       "is not signed: it has no record of lineage");
        return {};
    }
    report.record.is_there = true;
    HEFT_TRY(const govern::Seal seal, govern::read_seal(*carrier.text));
    if (!seal.record.is_object()) {
        report.add(Severity::problem, "lineage", {},
                   "the record of lineage is none that heft wrote: it is no JSON object, or longer "
                   "than 1 MiB");
    } else if (!seal.record.contains("contents")) {
        report.add(
            Severity::problem, "lineage", {},
            "the record of lineage has no digest: it has been changed, or is of an old heft");
    } else if (!seal.has_digest) {
        report.add(Severity::warning, "lineage", {},
                   "nothing can be compared: what is written to a pipe has no digest");
    } else if (!seal.is_whole) {
        report.add(Severity::problem, "lineage", {},
                   "the record of lineage has been changed since heft wrote it");
    }
    check_signature(seal, how.public_key, report);
    if (!seal.has_digest) return {};
    if (!how.with_contents) {
        report.record.contents = ContentsState::not_compared;
        return {};
    }
    return check_contents(carrier.weights, seal, pool, progress, report);
}

}  // namespace heft::verify
