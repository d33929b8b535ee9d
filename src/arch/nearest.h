// What to say of an architecture that heft does not know.
#pragma once

#include <string>
#include <string_view>

#include "arch/arch.h"
#include "arch/config_source.h"

namespace heft::arch {

// Reads a configuration as if it were of this family.
Result<Config> read_config_as(const ConfigSource& source, const Family& family);

// Code::unsupported, naming the family whose tensors and configuration come nearest, and what of
// the checkpoint has no place in it.
Error unknown_family(const format::Checkpoint& checkpoint, const std::string& name,
                     const std::string& nested);

}  // namespace heft::arch
