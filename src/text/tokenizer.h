// Text to token ids and back, exactly as the model's own tokenizer does it: byte-level BPE (GPT-2,
// Llama 3, Qwen2 …; merges lists and tiktoken ranks), SentencePiece BPE with byte fallback (Llama
// 2, Gemma …), Unigram (T5), WordPiece (BERT), longest match (RWKV). What is read and what is not:
// docs/tokenizers.md. Immutable after loading; safe to use from many threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "format/checkpoint.h"
#include "format/metadata.h"
#include "text/token.h"
#include "text/utf8.h"

namespace heft::text {

struct EncodeOptions {
    bool add_special = true;     // BOS/EOS as the tokenizer's configuration says
    bool parse_special = false;  // "<|im_end|>" in the text is the control token, not characters
};

struct SpecialTokens {
    std::optional<TokenId> bos, eos, unk, pad;
    std::vector<TokenId> end_of_generation;  // every id that ends an answer: eos, eot, eom …
    bool add_bos = false;
    bool add_eos = false;
};

// What a GGUF file stores of a tokenizer; also how it is written back.
struct Vocabulary {
    std::string model;  // GGUF tokenizer.ggml.model: "gpt2", "llama", "t5", "bert" or "rwkv"
    std::string pre;    // GGUF tokenizer.ggml.pre
    std::vector<std::string> tokens;
    std::vector<float> scores;
    std::vector<TokenKind> kinds;
    std::vector<std::string> merges;
    bool add_space_prefix = true;
    bool remove_extra_whitespaces = false;  // of "t5"
    std::string precompiled_charsmap;       // of "t5"; bytes
    bool lowercase = true;                  // of "bert"
    bool strip_accents = true;              // of "bert"
};

// The name of RWKV's world vocabulary in a folder.
inline constexpr std::string_view kRwkvVocabulary = "rwkv_vocab_v20230424.txt";

class Tokenizer {
  public:
    // Finds the tokenizer of a checkpoint: GGUF metadata, tokenizer.json, or tokenizer.model.
    static Result<Tokenizer> load(const format::Checkpoint& checkpoint);

    static Result<Tokenizer> from_gguf(const format::Metadata& metadata);
    // `config_json` is tokenizer_config.json, or empty.
    static Result<Tokenizer> from_tokenizer_json(std::string_view tokenizer_json,
                                                 std::string_view config_json);
    static Result<Tokenizer> from_sentencepiece(Bytes model, std::string_view config_json);
    // Lines of a base64 token and its rank. The file does not say how texts are cut and which ids
    // are special: the number of its tokens tells which of the published ones it is.
    static Result<Tokenizer> from_tiktoken(Bytes ranks, std::string_view config_json);
    // tokenizer.model of either kind, told apart by content.
    static Result<Tokenizer> from_model_file(Bytes file, std::string_view config_json);
    static Result<Tokenizer> from_tekken(std::string_view tekken_json);
    // RWKV's world vocabulary: lines of an id, a Python literal, a length.
    static Result<Tokenizer> from_rwkv(std::string_view lines, std::string_view config_json);

    Tokenizer(Tokenizer&&) noexcept;
    Tokenizer& operator=(Tokenizer&&) noexcept;
    ~Tokenizer();

    std::vector<TokenId> encode(std::string_view text, EncodeOptions options = {}) const;

    // The bytes that the tokens stand for, exactly: for ids that encode() made of valid UTF-8, the
    // text; ids of a model's choosing may spell invalid UTF-8 (to_valid_utf8() mends it). Control
    // tokens are left out unless `with_special`. Invalid ids are an error.
    Result<std::string> decode(std::span<const TokenId> ids, bool with_special = false) const;

    int size() const;                          // number of ids
    std::string_view piece(TokenId id) const;  // as the vocabulary spells it; empty if out of range
    TokenKind kind(TokenId id) const;
    std::optional<TokenId> find(std::string_view piece) const;
    const SpecialTokens& special() const;
    const Vocabulary& vocabulary() const;
    std::string_view description() const;  // "byte-level BPE (llama-bpe)", for inspect

    // The bytes that one token adds when it follows others (not at the start of a text). None for
    // control tokens, unless `with_special`, and for ids out of range.
    std::string_view bytes_of(TokenId id, bool with_special = false) const;

    // Whether decoding drops a space at the very start of a text: encoding had put it there.
    bool drops_first_space() const;
    // Whether decoding drops one at the very end: a word's end is spelled as a space.
    bool drops_last_space() const;
    // Whether a space stands before every token that does not continue a word (WordPiece).
    bool joins_words() const;

    // Bytes that encoding must leave out: no token says them, and there is no unknown token. Some
    // published byte-level vocabularies lack bytes that are in no UTF-8 text, or control
    // characters.
    std::string lacking_bytes() const;

    struct Impl;

  private:
    explicit Tokenizer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// Decodes a stream token by token; holds back bytes until they are whole UTF-8 characters. The
// pieces are valid UTF-8; joined, they are to_valid_utf8() of what decode() gives for all ids at
// once (an unfinished tail comes out of finish() as U+FFFD). Ids out of range add nothing.
class StreamDecoder {
  public:
    explicit StreamDecoder(const Tokenizer& tokenizer, bool with_special = false);
    std::string push(TokenId id);
    std::string finish();

  private:
    const Tokenizer* tokenizer_;  // outlives the decoder
    bool with_special_;
    bool first_ = true;  // nothing has come out yet
    bool held_space_ = false;
    Utf8Stream bytes_;
};

}  // namespace heft::text
