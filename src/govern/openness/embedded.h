// The data files of this folder and the record of the embedded model, as they stand in the tree.
#pragma once

#include <string_view>

namespace heft::openness {

std::string_view embedded_components();   // components.yaml
std::string_view embedded_licences();     // licences.yaml
std::string_view embedded_tiny_record();  // models/tiny/openness.yaml, a MOF record

}  // namespace heft::openness
