// Standard input and output: data goes to stdout, everything said about it to stderr.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"

namespace heft::app {

bool is_terminal(std::FILE* stream);

// Colours are for terminals, and not where NO_COLOR is set.
bool wants_colour(std::FILE* stream);

// To stdout, byte for byte. Failures to write are found by finish_output().
void put(std::string_view text);

// One document and a newline to stdout; invalid UTF-8 becomes U+FFFD.
void put_json(const nlohmann::ordered_json& document);

// A line to stderr.
void say(std::string_view line);

// Flushes stdout; an error when something could not be written (a full disk).
Status finish_output();

// A verdict of "no": the program then ends with kExitNo where nothing else went wrong.
void answer_no();
bool answered_no();

// The whole of a file, or of stdin for "-". At most `limit` bytes.
Result<std::string> read_input(const std::string& path, std::size_t limit = 1U << 30);

}  // namespace heft::app
