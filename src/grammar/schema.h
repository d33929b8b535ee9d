// JSON Schema (2020-12, and what OpenAPI and draft 7 add) as rules. Everything that constrains is
// honoured or refused with the keyword's place; the language may be narrower than the schema's,
// never wider (grammar.h says where). Private to this module.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "grammar/draft.h"
#include "grammar/grammar.h"

namespace heft::grammar {

Result<RuleId> write_schema(const nlohmann::ordered_json& schema, JsonOptions options,
                            Draft& draft);

}  // namespace heft::grammar
