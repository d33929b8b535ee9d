// The tensors of a Hugging Face folder, encoded on all cores as its files are written.
#pragma once

#include <cstdint>

#include "convert/to_folder.h"
#include "format/safetensors_writer.h"
#include "shape/encoder.h"

namespace heft::shape {

// Returns how many were added. `pairs`: called with weights done that do not pass through the
// encoder; may be empty. The encoder must live until the writer has written.
std::size_t add_tensors(format::SafetensorsWriter& writer, const convert::FolderTensors& tensors,
                        Encoder& encoder, const convert::Advance& pairs);

// Numbers to read, as progress counts them.
std::uint64_t work_of(const convert::FolderTensors& tensors);

}  // namespace heft::shape
