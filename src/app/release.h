// What verbs about releases (license, openness, bom, verify, inspect, compare) have in common: from
// what a person typed to what is known of the release.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "engine/engine.h"
#include "format/adapter_files.h"
#include "govern/declared.h"
#include "govern/lineage.h"
#include "govern/openness/release.h"
#include "govern/release_files.h"

namespace heft::app {

// A model as files, with what could be read of it.
// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct LocalRelease {
    govern::ReleaseFiles files;  // of "tiny": no names
    govern::Declared declared;
    std::optional<engine::Engine> engine;  // absent: no weights that can be opened
    std::string why_not_opened;            // then
};
Result<LocalRelease> open_local_release(const std::string& reference);

// The same of a model that is open already.
Result<LocalRelease> local_release(const std::string& reference, Result<engine::Engine> opened);
// Of an adapter, which no engine opens by itself.
Result<LocalRelease> local_release(const std::string& reference,
                                   const format::AdapterFiles& adapter);

// Which licence governs it, with a pointer into the catalogue. The texts of "tiny" come from there,
// and are added to its files.
Result<govern::Identification> licence_of(const govern::Catalogue& catalogue, LocalRelease& local);

// Its terms and those of what it was made from, as far as the folders beside it tell.
govern::Chain chain_of(const govern::Catalogue& catalogue, const LocalRelease& local,
                       const govern::Identification& licence);

// The components of a release: of a record named openness.yaml or mof.yaml among its files, which
// is believed, else of the signs that there are.
Result<openness::Release> components_of(const LocalRelease& local,
                                        const govern::Identification& licence);

// Whether a reference names a record (.yml, .yaml, .json, with #ID to choose from several).
bool is_record(const std::string& reference);
Result<openness::Release> read_record(const std::string& reference);

}  // namespace heft::app
