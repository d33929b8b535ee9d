// Options that every verb with a model understands, and how a model is opened for one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace heft::app {

struct ModelFlags {
    std::string reference;
    int n_threads = 0;
    std::string precision;                 // empty: the verb's own default
    std::string cache_keys, cache_values;  // empty: what suits the precision
    std::vector<std::string> lora;
    bool deterministic = false;
};

// MODEL as the verb's first positional.
CLI::Option* add_model(CLI::App& verb, ModelFlags& flags);
void add_threads(CLI::App& verb, ModelFlags& flags);
void add_precision(CLI::App& verb, ModelFlags& flags, const std::string& usual);
void add_deterministic(CLI::App& verb, ModelFlags& flags);

// --cache-type-k and --cache-type-v. llama.cpp's letters -ctk and -ctv are words to CLI11 as they
// are to a shell; heft_main spells them out.
void add_cache_types(CLI::App& verb, ModelFlags& flags);

Result<op::Precision> parse_precision(const std::string& name);

// Opens with weights, threads and precision as asked. An error of "no such model" says what a model
// can be. `threads_of`: computes on the threads of this one, which then outlives it.
Result<engine::Engine> open_model(const ModelFlags& flags, op::Precision usual,
                                  const engine::Engine* threads_of = nullptr);

// Names, numbers and vocabulary only.
Result<engine::Engine> open_description(const std::string& reference);

// On standard error, what a quantised cache costs: for verbs without a reply that would tell it.
void tell_degradation(const engine::Engine& engine);

}  // namespace heft::app
