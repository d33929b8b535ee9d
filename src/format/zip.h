// Reader of zip archives whose entries are stored, not compressed, as PyTorch writes them: each
// entry is a view of the mapped file. Source: PKWARE's APPNOTE.TXT, with its zip64 extensions. A
// library would copy every entry; see docs/decisions/0008-packed-checkpoints.md.
#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace heft::format {

struct ZipEntry {
    std::string_view name;
    Bytes data;
};

// Views into `bytes`, sorted by name; folders are left out. Checksums are not computed: that would
// read every weight. Errors: corrupt; unsupported (compressed or encrypted entries, several disks).
Result<std::vector<ZipEntry>> read_zip(Bytes bytes);

// nullptr: there is none. `entries` sorted by name.
const ZipEntry* find_entry(const std::vector<ZipEntry>& entries, std::string_view name);

}  // namespace heft::format
