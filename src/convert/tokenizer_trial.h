// Whether a tokenizer that was written cuts texts as the one that it was made of.
#pragma once

#include <optional>
#include <string>

#include "text/tokenizer.h"

namespace heft::convert {

enum class Compared { ids, ids_and_what_they_say };

// The beginning of a text for which the two differ; nothing where none is found. Tried are texts in
// several scripts, and what the first one's own tokens say.
std::optional<std::string> first_difference(const text::Tokenizer& own, const text::Tokenizer& made,
                                            Compared what);

}  // namespace heft::convert
