// What a tokenizer.json says of the kinds of tokenizers that GGUF files have: its normalizer,
// pre_tokenizer, decoder and model. Each sets those keys of `out`, which has "added_tokens" and
// null for the others.
#pragma once

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "text/tokenizer.h"

namespace heft::convert {

// An entry of "added_tokens".
nlohmann::ordered_json added_token(text::TokenId id, std::string_view text, bool is_control);

// "gpt2": words of spelled bytes, cut by the patterns that tokenizer.ggml.pre names. Errors:
// unsupported, where nothing is known of that name.
Status set_byte_level(const text::Tokenizer& tokenizer, nlohmann::ordered_json& out);
// "llama": SentencePiece BPE, "▁" for a space, bytes where there is no token.
Status set_sentencepiece(const text::Tokenizer& tokenizer, nlohmann::ordered_json& out);
// "t5": Unigram, spaces as SentencePiece has them.
Status set_unigram(const text::Tokenizer& tokenizer, nlohmann::ordered_json& out);
// "bert": WordPiece. Errors: unsupported, where two tokens would be spelled alike.
Status set_wordpiece(const text::Tokenizer& tokenizer, nlohmann::ordered_json& out);

}  // namespace heft::convert
