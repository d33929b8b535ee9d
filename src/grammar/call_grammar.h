// Tool calls as a grammar: from the shape that a model's format gives them.
#pragma once

#include "grammar/grammar.h"
#include "text/call_shape.h"

namespace heft::grammar {

// An error is that of a schema within the shape: the shape does not know which tool it is of, so
// whoever has to tell checks the schemas one by one first. Code::exhausted if it is too large.
Result<Grammar> from_call_shape(const text::CallShape& shape, JsonOptions options = {});

}  // namespace heft::grammar
