// Where a model keeps its chat template.
#pragma once

#include <string>

#include "base/result.h"
#include "format/checkpoint.h"

namespace heft::text {

// GGUF's tokenizer.chat_template; else chat_template.jinja; else tokenizer_config.json's
// chat_template, a text or a list of named ones of which "default" (or the first) counts.
// Code::not_found when there is none.
Result<std::string> template_source(const format::Checkpoint& checkpoint);

}  // namespace heft::text
