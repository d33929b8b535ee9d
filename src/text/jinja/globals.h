// What every template finds without being given it: range, namespace, dict, joiner, cycler,
// raise_exception, strftime_now.
#pragma once

#include "text/jinja/heap.h"
#include "text/jinja/scope.h"

namespace heft::text::jinja {

Status install_globals(Heap& heap, Scope& scope);

// date.strftime(format) of a clock in seconds since 1970, or of the local time now.
Result<Value> strftime_now(Interpreter& run, const Value& self, Args& args);

}  // namespace heft::text::jinja
