// Any bytes as a record of lineage: its seal, what it says of files that are here, its family. A
// record whose own text does not have its digest must never count as whole.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "govern/family.h"
#include "govern/seal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto seal = heft::govern::read_seal(text);
    if (!seal) std::abort();
    if (!seal->record.is_object()) return 0;
    heft::govern::Contents contents;
    if (!contents.add_key("general.architecture", "00") || !contents.add_file("README.md", "01"))
        std::abort();
    if (seal->record.contains("contents")) {
        const auto changes = contents.changes_from(seal->record["contents"]);
        if (!changes) std::abort();
    }
    const auto family = heft::govern::family_of(seal->record, "model");
    if (!family.is_object() || !family["parents"].is_array()) std::abort();
    // A blank more at the end is another text.
    if (seal->is_whole) {
        const auto longer = heft::govern::read_seal(std::string(text) + " ");
        if (!longer || longer->is_whole) std::abort();
    }
    return 0;
}
