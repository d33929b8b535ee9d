// Large numbers for people.
#pragma once

#include <string>

namespace heft::app {

// "812", "4.46 M", "1.24 G": in powers of a thousand.
std::string scaled(double value);
// "812 B", "4.46 MB".
std::string scaled_bytes(double count);

}  // namespace heft::app
