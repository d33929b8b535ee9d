// The toy model inside the program: a GGUF file, made from models/tiny at build time.
#pragma once

#include "base/bytes.h"

namespace heft::engine {

Bytes embedded_model();

}  // namespace heft::engine
