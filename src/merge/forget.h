// Mapped files that are read through once.
#pragma once

#include "base/bytes.h"

namespace heft::merge {

// Takes mapped bytes out of this process's memory; they come back from the file when they are
// touched. Only for bytes of mapped files.
void forget(Bytes mapped);

}  // namespace heft::merge
