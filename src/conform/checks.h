// Checks that rows share.
#pragma once

#include <string>

#include "conform/case.h"

namespace heft::conform {

// Null where there is nothing.
const Json& at(const Json& tree, std::string_view pointer);
std::string text_at(const Json& tree, std::string_view pointer);  // empty where there is none
std::string shown(std::string_view text);                         // short, in one line

std::string unmet(const Expect& expect, const Json& tree);  // what is there instead; empty: met

// Whether the text is a JSON object with the member "color", one of three: what the rows' schemas
// ask.
std::string judge_colour(const std::string& text);

// The member, as text, of all events, joined.
std::string joined(const Reply& reply, std::string_view pointer);

}  // namespace heft::conform
