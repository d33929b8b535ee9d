// Template text to tokens, with the whitespace rules that transformers uses: trim_blocks and
// lstrip_blocks on, one final newline dropped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace heft::text::jinja {

enum class TokenKind : std::uint8_t {
    data,
    print_begin,
    print_end,
    block_begin,
    block_end,
    name,
    string,
    integer,
    real,
    op,
    end
};

struct Token {
    TokenKind kind = TokenKind::end;
    int line = 1;
    std::string text;  // of a string: its value, escapes resolved
};

Result<std::vector<Token>> tokenize(std::string_view source);

Error syntax_error(int line, const std::string& what);

}  // namespace heft::text::jinja
