// The parts of a tokenizer, as the readers of the three file formats fill them in. Internal to the
// module.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/added_tokens.h"
#include "text/bpe.h"
#include "text/normaliser.h"
#include "text/pretokenise.h"
#include "text/seams.h"
#include "text/speech.h"
#include "text/token_table.h"
#include "text/tokenizer.h"
#include "text/word_model.h"

namespace heft::text {

inline constexpr std::size_t kMostTokens = std::size_t{1} << 24;  // published ones have 2^18

enum class ModelKind { bpe, unigram, wordpiece, longest_match };

// What a symbol is before anything merges.
enum class Alphabet {
    bytes,       // GPT-2: every byte, spelled as a character
    characters,  // SentencePiece: Unicode characters; unknown ones as <0xXX> byte tokens
};

// A text that goes before the text, once that is normalised.
struct Prefix {
    using When = MarkStep::When;  // "always" is also after control tokens in the text
    std::string text;
    When when = When::never;
    bool after_user_defined = true;
    bool unless_there = false;  // not when the text begins with it already
};

// What BPE's symbols are spelled with besides their characters.
struct Affixes {
    std::string before_rest;  // of all but a word's first
    std::string after_word;   // of its last
    bool empty() const { return before_rest.empty() && after_word.empty(); }
};

struct Tokenizer::Impl {
    ModelKind model = ModelKind::bpe;
    Alphabet alphabet = Alphabet::bytes;
    TokenTable table;
    TokenTable ranked;  // of rank files: each token's bytes, where merges may make it
    std::vector<TokenKind> kinds;
    std::vector<float> scores;          // SentencePiece; empty for merges lists
    std::unique_ptr<MergeRules> rules;  // of BPE
    const PairRules* pairs = nullptr;   // `rules`, when they are pairs
    Affixes affixes;                    // of BPE
    WordPieceRules wordpiece;
    AddedTokens added, added_normalised;
    Normaliser normaliser;
    Prefix prefix;
    Pretokeniser pretokeniser;
    Seams seams;
    bool use_seams = false;
    bool ignore_merges = false;
    bool fuse_unknown = false;
    bool marks_words = false;       // a space mark goes before words, or the text, some other way
    bool collapses_spaces = false;  // before words are made
    Speech speech;
    std::array<TokenId, 256> byte_ids{};  // of each byte as a symbol; kNoToken where there is none
    std::vector<TokenId> before, after;   // what EncodeOptions::add_special adds
    SpecialTokens special;
    std::string pre;  // GGUF's name of the pre-tokenizer; empty when it has none
    std::string description;

    // Filled by finish().
    std::unique_ptr<WordModel> words;
    std::string spoken;                     // the bytes of all tokens
    std::vector<std::uint32_t> spoken_end;  // of token i, in `spoken`

    mutable std::once_flag vocabulary_once;
    mutable Vocabulary vocabulary;

    std::string_view spoken_text(TokenId id) const;  // what token `id`, in range, says

    // Derives what the readers need not know: byte ids, decoded bytes, seams, end of generation.
    // Called once, when all else is set.
    Status finish();

    static Tokenizer wrap(std::unique_ptr<Impl> impl) { return Tokenizer(std::move(impl)); }
};

// Adds ids that are in range and not yet there.
void add_end_of_generation(Tokenizer::Impl& impl, TokenId id);

// Merges by name to pairs of ids. `merge(i)` gives the two texts.
struct MergeNames {
    std::string_view left, right;
};
Result<std::unique_ptr<PairRules>> resolve_merges(const TokenTable& table, const Affixes& affixes,
                                                  const std::vector<MergeNames>& merges);

// "a b" into its halves; the first may itself begin with a space.
Result<MergeNames> split_merge(std::string_view text, std::size_t index);

// Merging by `impl.scores`, one per token. Refuses scores that are not numbers.
Status use_scores(Tokenizer::Impl& impl);

// SentencePiece's spelling: spaces are "▁". `with_spaces` takes it back.
std::string with_spaces(std::string_view text);
void use_space_marks(Tokenizer::Impl& impl);

// SentencePiece's remove_extra_whitespaces: no spaces at the ends, one at a time between.
Status collapse_spaces(std::vector<NormaliserStep>& steps);

// Kinds, for files that do not store them: "<0xAB>" is a byte, bos, eos and unk are what they are.
void mark_by_name(Tokenizer::Impl& impl);

// Makes literal tokens whose text ends an answer control tokens, as some GGUF files fail to.
void mark_endings(Tokenizer::Impl& impl);

// Texts by id, for files that number their tokens. Refuses ids that are out of proportion to
// the number of entries: memory stays within a few times the file.
class NumberedTexts {
  public:
    explicit NumberedTexts(std::size_t entries);
    Status set(std::int64_t id, std::string_view text, TokenKind kind);
    Status build(Tokenizer::Impl& impl) const;  // sets the table and the kinds

    std::string_view text(std::size_t id) const;  // empty when not set
    std::size_t size() const { return texts_.size(); }

  private:
    std::size_t limit_;
    std::vector<std::string_view> texts_;
    std::vector<TokenKind> kinds_;
};

// For error sentences: quoted, shortened, valid UTF-8.
std::string shown(std::string_view text);

}  // namespace heft::text
