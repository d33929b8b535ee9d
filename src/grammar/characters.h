// The characters of a grammar's source, and the numbers in it. Private to this module.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace heft::grammar {

// Reads a text character by character. Past the end, peek() is 0, which no valid source holds.
class Characters {
  public:
    // Code::invalid if the text is not UTF-8, or holds a zero.
    static Result<Characters> of(std::string_view text);

    bool at_end() const { return at_ >= codes_.size(); }
    char32_t peek(std::size_t ahead = 0) const {
        return at_ + ahead < codes_.size() ? codes_[at_ + ahead] : 0;
    }
    char32_t take() { return at_ < codes_.size() ? codes_[at_++] : 0; }
    bool take_if(char32_t code);
    // The whole of an ASCII word, or nothing.
    bool take_word(std::string_view word);
    // Decimal digits; none if there are none or the number is beyond a million.
    std::optional<int> number();
    // Exactly so many hexadecimal digits, at most 8.
    std::optional<char32_t> hex(int digits);

    std::size_t place() const { return at_; }
    void go_to(std::size_t place) { at_ = place; }
    std::size_t line() const;  // from 1

  private:
    std::u32string codes_;
    std::size_t at_ = 0;
};

}  // namespace heft::grammar
