// A conversation as token ids. The template's own control tokens count as such; the same characters
// inside a message are text, so that nobody can end a turn, or speak as somebody else, from within
// one. Where no message holds such characters, the ids are exactly those of the rendered text.
#pragma once

#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace heft::text {

// `variables` as for ChatTemplate::render(). BOS and EOS come from the template alone. Errors are
// the template's.
Result<std::vector<TokenId>> encode_chat(const ChatTemplate& chat, const Tokenizer& tokenizer,
                                         const nlohmann::ordered_json& variables);

}  // namespace heft::text
