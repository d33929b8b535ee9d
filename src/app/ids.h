// Lists of token ids and numbers as users write them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/tokenizer.h"

namespace heft::app {

// "1,2,3" or "1 2 3" or a JSON array of numbers. `what` names the option in the error.
Result<std::vector<int>> parse_numbers(std::string_view text, std::string_view what);

// The same, and each must be a token id of a vocabulary of n_vocab (0: unknown, any id).
Result<std::vector<text::TokenId>> parse_ids(std::string_view text, std::string_view what,
                                             int n_vocab);

}  // namespace heft::app
