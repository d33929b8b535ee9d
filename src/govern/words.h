// Text as words: runs of letters and digits of any script in lower case, joined by one space.
// Licence texts, names of models and answers of people are compared in this form, which survives
// wrapping, indenting, punctuation, HTML tags and escapes, and the fences of Markdown.
#pragma once

#include <string>
#include <string_view>

namespace heft::govern {

std::string words_of(std::string_view text);

// Whether `phrase` (words) stands in `words` as whole words. An empty phrase does not.
bool has_phrase(std::string_view words, std::string_view phrase);

// Whether `words` begins with `phrase`, as letters: "llama 3 x" begins with "llama".
bool begins_with(std::string_view words, std::string_view phrase);

// "meta-llama/Llama-3.1-8B_x" -> "llama-3.1-8b-x": the last part, lower-case, words joined by "-".
std::string repository_name(std::string_view reference);

// * stands for any characters but "/". Time is at most the product of the lengths.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace heft::govern
