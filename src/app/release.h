// What verbs about releases (openness, bom, verify) have in common: from what a person typed to
// what is known of the release.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "engine/engine.h"
#include "govern/openness/release.h"
#include "govern/openness/release_files.h"

namespace heft::app {

// A model as files, with what could be read of it.
// NOLINTNEXTLINE(bugprone-exception-escape): moving a tree of JSON throws nothing
struct LocalRelease {
    openness::ReleaseFiles files;  // of "tiny": none
    openness::Declared declared;
    std::optional<engine::Engine> engine;  // absent: no weights that can be opened
    std::string why_not_opened;            // then
};
Result<LocalRelease> open_local_release(const std::string& reference);

// The components of a record (.yml, .yaml, .json, with #ID to choose from several), of the embedded
// model, or of a model's files. A record named openness.yaml or mof.yaml among them is believed
// before signs are looked for.
Result<openness::Release> open_release(const std::string& reference);

// The same, for files that are opened already.
Result<openness::Release> release_of(const LocalRelease& local);

}  // namespace heft::app
