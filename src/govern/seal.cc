#include "govern/seal.h"

#include <utility>

#include "base/json_text.h"
#include "base/sha256.h"
#include "govern/passport.h"
#include "govern/tree.h"

namespace heft::govern {

namespace {

constexpr std::size_t kHashDigits = 64;
constexpr const char* kAlgorithm = "Ed25519";

std::string dumped(const Json& record, int indent) {
    return indent < 0 ? json_text(record) : json_text(record, indent) + "\n";
}

// The record with all that belongs to it, its hash and its signature being zeros.
Json with_room(Json record, Json contents, const SigningKey* key) {
    record.erase("contents");
    record.erase("signature");
    contents["record"] = std::string(kHashDigits, '0');
    record["contents"] = std::move(contents);
    if (key != nullptr)
        record["signature"] = {{"algorithm", kAlgorithm},
                               {"public_key", key->public_key()},
                               {"value", std::string(kSignatureDigits, '0')}};
    return record;
}

// Puts digits where others are: at their last place, as the fields are the record's last.
void replace_last(std::string& text, std::string_view from, std::string_view to) {
    const std::size_t at = from.empty() ? std::string::npos : text.rfind(from);
    if (at != std::string::npos) text.replace(at, from.size(), to);
}

// With zeros in place of the digits.
void blank(std::string& text, const std::string& digits) {
    replace_last(text, digits, std::string(digits.size(), '0'));
}

}  // namespace

Result<std::string> sealed(Json record, const Contents& contents, const Sealing& how) {
    HEFT_TRY(Json field, contents.field());
    std::string text = dumped(with_room(std::move(record), std::move(field), how.key), how.indent);
    if (how.length > 0 && text.size() > how.length)
        return Error{Code::invalid, "the record of lineage is longer than its room"};
    if (text.size() > kMostRecordBytes)
        return Error{Code::invalid, "the record of lineage is longer than a record may be"};
    if (how.length > 0) text.resize(how.length, ' ');
    const std::string no_signature(kSignatureDigits, '0');
    const std::size_t end = how.key != nullptr ? text.rfind(no_signature) : text.size();
    const std::size_t at = text.rfind(std::string(kHashDigits, '0'), end - kHashDigits);
    HEFT_TRY(const std::string hash, sha256(as_bytes(text)));
    text.replace(at, kHashDigits, hash);
    if (how.key == nullptr) return text;
    HEFT_TRY(const std::string signature, how.key->sign(as_bytes(text)));
    text.replace(end, kSignatureDigits, signature);
    return text;
}

std::size_t sealed_length(Json record, std::size_t n_tensors, std::size_t n_keys,
                          const Sealing& how) {
    Json contents = Contents::placeholder(n_tensors, n_keys);
    return dumped(with_room(std::move(record), std::move(contents), how.key), how.indent).size();
}

Result<Seal> read_seal(std::string_view text) {
    Seal out;
    out.record = parsed_record(text);
    if (!out.record.is_object()) return out;
    const Json* contents = member(out.record, "contents");
    const Json* signature = member(out.record, "signature");
    out.has_digest = contents != nullptr;
    std::string blanked(text);
    if (signature != nullptr) {
        out.public_key = text_of(*signature, "public_key");
        const std::string value = text_of(*signature, "value");
        blank(blanked, value);
        HEFT_TRY(const bool good, is_signed_by(out.public_key, as_bytes(blanked), value));
        out.signature = good && text_of(*signature, "algorithm") == kAlgorithm ? Signature::good
                                                                               : Signature::broken;
    }
    if (contents == nullptr) return out;
    const std::string hash = text_of(*contents, "record");
    blank(blanked, hash);
    HEFT_TRY(const std::string found, sha256(as_bytes(blanked)));
    out.is_whole = found == hash;
    return out;
}

}  // namespace heft::govern
