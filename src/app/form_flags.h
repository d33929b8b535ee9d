// The options that say what form an answer has to have, under llama.cpp's names.
#pragma once

#include <memory>
#include <string>

#include "engine/engine.h"

namespace CLI {
class App;
}

namespace heft::app {

struct FormFlags {
    std::string grammar, grammar_file;  // GBNF
    std::string schema, schema_file;    // JSON Schema
};

void add_form(CLI::App& verb, FormFlags& flags);

// For a model; nullptr if no form is asked for.
Result<std::shared_ptr<grammar::Constraint>> make_constraint(const FormFlags& flags,
                                                             const engine::Engine& engine);

// Holds the answer to it, but for a thought before it, where the model's format has thoughts. The
// request's prompt is there; nothing happens without a constraint.
void hold_to(const std::shared_ptr<grammar::Constraint>& constraint, const engine::Engine& engine,
             engine::Request& request);

}  // namespace heft::app
