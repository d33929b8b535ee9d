// What a release consists of, from its files and card: signs of components (components.yaml) are
// looked for. What shows no sign is unknown, not absent: it may be published elsewhere.
#pragma once

#include <functional>
#include <string>

#include "govern/declared.h"
#include "govern/openness/component_licence.h"
#include "govern/openness/release.h"
#include "govern/release_files.h"

namespace heft::openness {

struct ScanOptions {
    LicenceOf licence_of;  // absent: nothing is known about licences
    // An engine under an open licence runs this architecture: its name and licence. Empty: none.
    std::string architecture, engine_licence;
};

Release scan_release(const govern::ReleaseFiles& files, const govern::Declared& declared,
                     const ScanOptions& options);

}  // namespace heft::openness
