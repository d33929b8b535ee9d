// The options of guessing ahead: where guesses come from, and how many.
#pragma once

#include <optional>
#include <string>

#include "app/model_flags.h"
#include "gen/speculation.h"

namespace heft::app {

struct SpecFlags {
    std::string guesser;  // off, ngram or a model; empty: the usual
    gen::SpeculationOptions options;
};

void add_speculation(CLI::App& verb, SpecFlags& flags);

struct Speculation {
    gen::SpeculationOptions options;
    std::optional<engine::Engine> draft;

    const engine::Engine* draft_model() const { return draft ? &*draft : nullptr; }
};

// Opens the draft model, if there is one, to compute on the threads of `target`, which outlives it.
Result<Speculation> open_speculation(const SpecFlags& flags, const ModelFlags& model,
                                     const engine::Engine& target);

}  // namespace heft::app
