#include "app/spec_flags.h"

#include <CLI/CLI.hpp>

#include "app/help.h"

namespace heft::app {

void add_speculation(CLI::App& verb, SpecFlags& flags) {
    verb.add_option("--spec", flags.guesser, "guesses: off, ngram, a model")->type_name("S");
    const auto add = [&verb](const char* names, auto& target, const char* value,
                             const char* meaning) {
        verb.add_option(names, target, meaning)->type_name(value)->group(kDense);
    };
    add("--spec-max,--draft-max", flags.options.n_max, "N", "guesses checked at once, at most");
    add("--spec-min,--draft-min", flags.options.n_min, "N", "fewer guesses are not checked");
    add("--spec-p-min,--draft-p-min", flags.options.p_min, "P",
        "a draft model's guesses are at least this probable to it");
    verb.add_flag("--spec-always", flags.options.always, "also where it has not paid lately")
        ->group(kDense);
}

Result<Speculation> open_speculation(const SpecFlags& flags, const ModelFlags& model,
                                     const engine::Engine& target) {
    Speculation speculation{flags.options, {}};
    if (!flags.guesser.empty()) speculation.options.guesser = gen::guesser_of(flags.guesser);
    HEFT_OK(gen::validate(speculation.options));
    if (speculation.options.guesser != gen::Guesser::draft) return speculation;
    ModelFlags draft;
    draft.reference = flags.guesser;
    draft.precision = model.precision;
    HEFT_TRY(speculation.draft, open_model(draft, op::Precision::fast, &target));
    return speculation;
}

}  // namespace heft::app
