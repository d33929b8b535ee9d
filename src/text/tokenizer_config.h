// tokenizer_config.json: which tokens are special, and what is added around a text. Internal to the
// module.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/added_tokens.h"

namespace heft::text {

struct TokenizerConfig {
    std::string bos, eos, unk, pad;  // empty when absent
    std::optional<bool> add_bos, add_eos, legacy, add_prefix_space;
    bool adds_by_flags = false;     // its class obeys add_bos and add_eos, and BOS is the default
    std::vector<AddedToken> added;  // added_tokens_decoder
};

// An empty text is an empty configuration.
Result<TokenizerConfig> read_tokenizer_config(std::string_view json);

// One entry of added_tokens or added_tokens_decoder, but for its id.
AddedToken read_added_token(JsonElement entry);

}  // namespace heft::text
