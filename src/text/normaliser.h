// Normalisation, as tokenizer.json files ask for it: Unicode forms and replacements, applied in
// order to the text between added tokens. Immutable; safe to use from many threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "text/charsmap.h"
#include "text/regex.h"
#include "text/unicode.h"

namespace heft::text {

enum class UnicodeForm { nfc, nfd, nfkc, nfkd };

struct Replace {
    Regex pattern;
    std::string with;
};
struct ReplaceText {  // the common case: every " " is "▁"
    std::string what, with;
};
struct Strip {  // white space at the ends
    bool left = true, right = true;
};
struct Prepend {  // unless the text is empty
    std::string text;
};
struct SpellBytes {};  // every byte as GPT-2's character for it
using SharedCharsmap = std::shared_ptr<const Charsmap>;

using NormaliserStep = std::variant<UnicodeForm, Replace, ReplaceText, CharMap, Strip, Prepend,
                                    SpellBytes, SharedCharsmap>;

class Normaliser {
  public:
    Normaliser() = default;
    explicit Normaliser(std::vector<NormaliserStep> steps) : steps_(std::move(steps)) {}

    bool empty() const { return steps_.empty(); }
    const std::vector<NormaliserStep>& steps() const { return steps_; }
    // Invalid UTF-8 passes through as it is.
    std::string apply(std::string text, RegexScratch& scratch) const;

  private:
    std::vector<NormaliserStep> steps_;
};

// SentencePiece's remove_extra_whitespaces, as patterns of what goes and of what becomes one space.
inline constexpr std::string_view kSpacesAtEnds = R"(\A +|(?<! ) ++\z)";
inline constexpr std::string_view kRunsOfSpaces = " {2,}";

// Single steps. They stop soon after the result has passed `limit` bytes.
inline constexpr std::size_t kNoLimit = ~std::size_t{0};
std::string replace_text(std::string_view text, const ReplaceText& step,
                         std::size_t limit = kNoLimit);
std::string replace_pattern(const std::string& text, const Replace& step, RegexScratch& scratch,
                            std::size_t limit = kNoLimit);
std::string to_form(std::string_view text, UnicodeForm form);

}  // namespace heft::text
