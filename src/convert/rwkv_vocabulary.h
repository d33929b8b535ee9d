// RWKV's world vocabulary as a file: a line for each token, of its id, its bytes as a Python
// literal, and their number.
#pragma once

#include <string>
#include <string_view>

#include "text/tokenizer.h"

namespace heft::convert {

// Of a tokenizer of this kind: the tokens that texts are cut into. Control tokens, literal
// additions and what pads the table are no lines of the file. text::Tokenizer::from_rwkv() reads
// it.
std::string rwkv_vocabulary(const text::Tokenizer& tokenizer);

// Bytes as Python's repr() spells them: 'text' where they are UTF-8, else b'\xff'.
std::string python_literal(std::string_view bytes);

}  // namespace heft::convert
