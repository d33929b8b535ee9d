// How one word becomes ids. Each kind of tokenizer is a WordModel; what comes before (added tokens,
// normalisation, cutting) and after is the same for all. Immutable; safe to use from many threads,
// each with its own scratch.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/bpe.h"
#include "text/tokenizer.h"

namespace heft::text {

struct WordScratch {
    struct Path {  // the best way to a place in the word
        double score = 0;
        std::uint32_t begin = 0;  // of its last piece
        TokenId id = kNoToken;
        bool reached = false;
    };
    Merger merger;
    std::vector<Path> paths;
    std::string spelled;
};

class WordModel {
  public:
    virtual ~WordModel() = default;
    // Appends the ids of `word`, any bytes.
    virtual void encode(std::string_view word, WordScratch& scratch,
                        std::vector<TokenId>& ids) const = 0;
};

// The models read their parts from `impl`, which owns and outlives them and changes no more.

// Byte-pair merging by impl.rules.
std::unique_ptr<WordModel> make_bpe(const Tokenizer::Impl& impl);

// The likeliest split, by impl.scores as log-probabilities; an unknown character counts 10 less
// than the worst piece. Source: Kudo 2018 (arXiv:1804.10959), SentencePiece.
Result<std::unique_ptr<WordModel>> make_unigram(const Tokenizer::Impl& impl);

// From the left, the longest piece that fits; the whole word is unknown if none does at some place.
// A word's first piece is spelled with `first` before it, the others with `rest`.
struct WordPieceRules {
    std::string first;
    std::string rest = "##";
    std::size_t longest_word = 100;  // characters; a longer word is unknown
};
Result<std::unique_ptr<WordModel>> make_wordpiece(const Tokenizer::Impl& impl,
                                                  const WordPieceRules& rules);

// From the left, the longest token that fits (RWKV), by the tokens' bytes.
Result<std::unique_ptr<WordModel>> make_longest_match(const Tokenizer::Impl& impl);

// Ids for a text that is no token: its bytes where all have one, else the unknown token.
void spell_unknown(const Tokenizer::Impl& impl, std::string_view text, std::vector<TokenId>& ids);

}  // namespace heft::text
