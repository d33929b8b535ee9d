// Byte-level BPE by ranks: two symbols merge if their bytes together are a token, the token of the
// lowest id first, and a word that is a token stays whole. Internal to the module.
#pragma once

#include <string>
#include <vector>

#include "text/tokenizer_impl.h"

namespace heft::text {

struct RankedToken {
    std::string bytes;
    TokenId id = kNoToken;
};

// Sets the vocabulary, its control and its added tokens, and the merging. Errors: corrupt, for ids
// out of proportion, given twice, or a vocabulary without tokens.
Status use_ranks(Tokenizer::Impl& impl, const std::vector<RankedToken>& tokens,
                 std::vector<AddedToken> added);

}  // namespace heft::text
