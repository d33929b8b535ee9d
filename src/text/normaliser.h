// Normalisation, as tokenizer.json files ask for it: Unicode forms and replacements, applied in
// order to the text between added tokens. Immutable; safe to use from many threads.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "text/regex.h"

namespace heft::text {

enum class UnicodeForm { nfc, nfd, nfkc, nfkd };

struct Replace {
    Regex pattern;
    std::string with;
};
struct ReplaceText {  // the common case: every " " is "▁"
    std::string what, with;
};
struct Lowercase {};
struct Strip {
    bool left = true, right = true;
};

using NormaliserStep = std::variant<UnicodeForm, Replace, ReplaceText, Lowercase, Strip>;

class Normaliser {
  public:
    Normaliser() = default;
    explicit Normaliser(std::vector<NormaliserStep> steps) : steps_(std::move(steps)) {}

    bool empty() const { return steps_.empty(); }
    // Invalid UTF-8 passes through as it is.
    std::string apply(std::string text, RegexScratch& scratch) const;

  private:
    std::vector<NormaliserStep> steps_;
};

std::string to_form(std::string_view text, UnicodeForm form);

}  // namespace heft::text
