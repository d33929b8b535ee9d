// What rank files leave out: tiktoken's files name neither the pattern that cuts texts nor the
// control tokens, so both come from a table of the published ones. Internal to the module.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/token.h"

namespace heft::text {

// Control tokens with consecutive ids. The text of one is `before`; of many, "before7after" with a
// rising number.
struct SpecialRun {
    TokenId first;
    int count;
    std::string_view before;
    int number = 0;
    std::string_view after = {};

    std::string text(int i) const;
};

struct RankPreset {
    std::string_view name;
    std::size_t ranks;         // number of lines; tells the files apart
    std::string_view pattern;  // a row of pre_tokenizers.cc
    std::string_view bos, eos, pad;
    bool add_bos;
    std::vector<SpecialRun> special;
};

// The preset of a file with so many ranks; null if there is none.
const RankPreset* find_rank_preset(std::size_t ranks);
std::string known_rank_presets();  // "Llama 3 (128000), …"

}  // namespace heft::text
