// Regular expressions of tokenizer files: compiled by PCRE2's JIT, with Unicode classes. Patterns
// are written for Oniguruma or Rust; the differences that matter are translated, those that cannot
// be are refused. A Regex is immutable and safe to use from many threads, each with its own
// RegexScratch.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace heft::text {

class RegexScratch {
  public:
    RegexScratch();
    RegexScratch(RegexScratch&&) noexcept;
    RegexScratch& operator=(RegexScratch&&) noexcept;
    ~RegexScratch();

    struct Impl;
    Impl& impl() { return *impl_; }

  private:
    std::unique_ptr<Impl> impl_;
};

struct RegexMatch {
    std::size_t begin = 0, end = 0;
};

class Regex {
  public:
    // Errors: unsupported, with the pattern and PCRE2's reason.
    static Result<Regex> compile(std::string_view pattern);
    static Result<Regex> literal(std::string_view text);

    Regex(Regex&&) noexcept;
    Regex& operator=(Regex&&) noexcept;
    ~Regex();

    // The first match at or after `from`; an empty one counts only if `with_empty`. `text` must be
    // valid UTF-8. A match that would take too many steps or too much memory counts as none.
    std::optional<RegexMatch> search(std::string_view text, std::size_t from, RegexScratch& scratch,
                                     bool with_empty = false) const;

  private:
    struct Impl;
    explicit Regex(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace heft::text
