// Properties and mappings of single characters, as the tokenizers' own implementations define them.
// Safe to use from many threads.
#pragma once

#include <string>

namespace heft::text {

bool is_white_space(char32_t c);  // Unicode's White_Space
bool is_word(char32_t c);         // letters, marks, digits and connecting punctuation
bool is_digit(char32_t c);        // Nd
bool is_number(char32_t c);       // Nd, Nl, No
bool is_printable(char32_t c);    // as Python's repr() has it: no C*, and of Z* the space alone

// A character to what takes its place, which is appended. `out` may get nothing.
using CharMap = void (*)(char32_t c, std::string& out);

void to_lower(char32_t c, std::string& out);          // one character alone, without its context
void drop_marks(char32_t c, std::string& out);        // StripAccents: without M*
void drop_nonspacing(char32_t c, std::string& out);   // BertNormalizer: without Mn
void clean_for_bert(char32_t c, std::string& out);    // controls go, white space becomes a space
void space_around_han(char32_t c, std::string& out);  // BERT: each ideograph is a word
void clean_for_nmt(char32_t c, std::string& out);     // SentencePiece's nmt rules

}  // namespace heft::text
