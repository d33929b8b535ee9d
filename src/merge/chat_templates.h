// The chat templates that recipes may name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "merge/plan.h"

namespace heft::merge {

// The template that the recipe asks for: by name ("chatml"), "auto" for the one that most models
// have (of equals the first), or Jinja as it is. Absent: the recipe says nothing. Errors: invalid,
// for a word that is no name.
Result<std::optional<std::string>> chosen_template(const Plan& plan);

// What is to be said of the models' own templates, where the recipe chooses none.
std::optional<std::string> template_note(const Plan& plan);

}  // namespace heft::merge
