// What a release consists of, from its files and card: signs of components (components.yaml) are
// looked for. What shows no sign is unknown, not absent: it may be published elsewhere.
#pragma once

#include <functional>
#include <string>

#include "govern/openness/release.h"
#include "govern/openness/release_files.h"

namespace heft::openness {

// The licence of a component, as written; empty: none found. Whoever identifies licences by their
// texts gives a better one than `declared_licence`.
using LicenceOf = std::function<std::string(const ComponentKind& kind)>;

// What the card or the GGUF file declares, for all components alike.
LicenceOf declared_licence(const Declared& declared);

struct ScanOptions {
    LicenceOf licence_of;
    // An engine under an open licence runs this architecture: its name and licence. Empty: none.
    std::string architecture, engine_licence;
};

Release scan_release(const ReleaseFiles& files, const Declared& declared,
                     const ScanOptions& options);

}  // namespace heft::openness
