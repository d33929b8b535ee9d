// Pre-tokenisation: a text is cut into words, and merges never cross a cut. Each step cuts the
// words that the step before left. Immutable; safe to use from many threads.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "text/regex.h"

namespace heft::text {

// What becomes of the matches of a step's pattern; names as in tokenizer.json.
enum class Cut { isolated, removed, merged_with_previous, merged_with_next, contiguous };

struct CutStep {
    Regex regex;
    Cut cut = Cut::isolated;
    bool invert = false;  // the pattern describes what lies between the matches
};

class Pretokeniser {
  public:
    Pretokeniser() = default;
    explicit Pretokeniser(std::vector<CutStep> steps) : steps_(std::move(steps)) {}

    // Appends the words of `text`, in order, as views into it. Invalid UTF-8 is cut as if every
    // byte of it were a symbol.
    void split(std::string_view text, RegexScratch& scratch,
               std::vector<std::string_view>& words) const;

  private:
    std::vector<CutStep> steps_;
};

// Pre-tokenizers that GGUF files name in tokenizer.ggml.pre. Each pattern isolates its matches.
struct PreTokenizerRow {
    std::string_view name;
    std::vector<std::string_view> patterns;
    bool ignore_merges = false;  // a word that is a token is that token, whatever the merges say
    bool add_bos = false;        // unless the file says otherwise
};

inline constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// Null when the name is not known; then known_pre_tokenizers() is for the error's sentence.
const PreTokenizerRow* find_pre_tokenizer(std::string_view name);
std::string known_pre_tokenizers();

// The name of the row with these patterns, or "": how a tokenizer.json's rules are called in GGUF.
std::string_view pre_tokenizer_name(const std::vector<std::string>& patterns, bool ignore_merges);

Result<Pretokeniser> compile_pre_tokenizer(const PreTokenizerRow& row);

}  // namespace heft::text
