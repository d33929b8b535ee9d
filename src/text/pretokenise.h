// Pre-tokenisation: a text is cut into words, and merges never cross a cut. Each step works on the
// words that the step before left. Immutable; safe to use from many threads.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "text/regex.h"

namespace heft::text {

// What becomes of the matches of a step's pattern; names as in tokenizer.json.
enum class Cut { isolated, removed, merged_with_previous, merged_with_next, contiguous };

struct CutStep {
    Regex regex;
    Cut cut = Cut::isolated;
    bool invert = false;   // the pattern describes what lies between the matches
    bool spelled = false;  // the pattern sees each byte as GPT-2's character for it
};

// Runs of digits in groups of three, counted from the right: what \d{1,3}(?=(\d{3})*\b) and its
// like say, without their quadratic look-ahead.
struct GroupDigits {
    bool numbers = false;  // of \p{N}, not \d alone
    bool edge = false;     // only runs that no word character follows
    bool isolated = true;  // cut at the run's ends too
};

// Spaces become a mark, and words get one before them.
struct MarkStep {
    enum class When { never, first, always };  // first: only the word that begins the text
    std::string mark;                          // before words that do not begin with it
    When when = When::never;
    bool replace_spaces = false;
};

using PretokeniserStep = std::variant<CutStep, GroupDigits, MarkStep>;

// The words of a text. `buffer` holds them where a step changed them.
struct Words {
    std::vector<std::string_view> list;
    std::string buffer;
};

class Pretokeniser {
  public:
    Pretokeniser() = default;
    explicit Pretokeniser(std::vector<PretokeniserStep> steps) : steps_(std::move(steps)) {}

    // Replaces `words` by those of `text`, in order, as views into it or into words.buffer. Invalid
    // UTF-8 is cut as if every byte of it were a symbol. `begins`: the whole input begins here.
    void split(std::string_view text, bool begins, RegexScratch& scratch, Words& words) const;

  private:
    std::vector<PretokeniserStep> steps_;
};

// Pre-tokenizers that GGUF files name in tokenizer.ggml.pre. Each pattern isolates its matches.
struct PreTokenizerRow {
    std::string_view name;
    std::vector<std::string_view> patterns;
    bool ignore_merges = false;  // a word that is a token is that token, whatever the merges say
    bool add_bos = false;        // unless the file says otherwise
    bool marks = false;          // tokens are characters with "▁" for a space, not spelled bytes
    bool needs_bos = false;      // texts begin with BOS even where the file denies it
};

inline constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// Null when the name is not known; then known_pre_tokenizers() is for the error's sentence.
const PreTokenizerRow* find_pre_tokenizer(std::string_view name);
std::string known_pre_tokenizers();

// What files without a name mean, of an architecture (general.architecture) all of whose models cut
// alike; null for others.
const PreTokenizerRow* usual_pre_tokenizer(std::string_view architecture);

// The name of the row with these patterns, or "": how a tokenizer.json's rules are called in GGUF.
std::string_view pre_tokenizer_name(const std::vector<std::string>& patterns, bool ignore_merges);

// The step that isolates the matches of a pattern.
Result<PretokeniserStep> isolating_step(std::string_view pattern);

Result<Pretokeniser> compile_pre_tokenizer(const PreTokenizerRow& row);

}  // namespace heft::text
