// What the flags of a model come to, before anything is opened.
#pragma once

#include "app/model_flags.h"

namespace heft::app {

// An error names the flag that is wrong.
Result<engine::OpenOptions> open_options_of(const ModelFlags& flags, op::Precision usual);

// An error of "no such model" says what a model can be.
Result<engine::Engine> open_with(const std::string& reference, const engine::OpenOptions& options);

}  // namespace heft::app
