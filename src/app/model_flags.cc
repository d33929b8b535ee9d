#include "app/model_flags.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/console.h"
#include "app/lora_flags.h"
#include "app/open_options.h"

namespace heft::app {

namespace {

// Empty: nothing was asked for.
Result<std::optional<DType>> parse_cache_type(const char* flag, const std::string& name) {
    if (name.empty()) return std::optional<DType>{};
    for (const kv::TypeName& known : kv::kTypeNames)
        if (name == known.name) return std::optional<DType>{known.type};
    return Error{Code::invalid,
                 fmt::format("{}: \"{}\" is none of f32, f16, bf16 and q8_0", flag, name)};
}

}  // namespace

CLI::Option* add_model(CLI::App& verb, ModelFlags& flags) {
    return verb
        .add_option("MODEL", flags.reference, "a folder, a .gguf or .safetensors file, or tiny")
        ->required();
}

void add_threads(CLI::App& verb, ModelFlags& flags) {
    add_lora(verb, flags.lora);
    verb.add_option("-t,--threads", flags.n_threads, "threads (0: all CPUs)")->type_name("N");
}

void add_precision(CLI::App& verb, ModelFlags& flags, const std::string& usual) {
    verb.add_option("--precision", flags.precision, "f32 or fast (" + usual + ")")->type_name("P");
}

void add_deterministic(CLI::App& verb, ModelFlags& flags) {
    verb.add_flag("--deterministic", flags.deterministic, "same bits in any batch");
}

void add_cache_types(CLI::App& verb, ModelFlags& flags) {
    verb.add_option("--cache-type-k", flags.cache_keys, "-ctk: f32, f16, bf16, q8_0")
        ->type_name("T");
    verb.add_option("--cache-type-v", flags.cache_values, "-ctv: the same, for values")
        ->type_name("T");
}

Result<op::Precision> parse_precision(const std::string& name) {
    if (name == "f32") return op::Precision::f32;
    if (name == "fast") return op::Precision::fast;
    return Error{Code::invalid, fmt::format("--precision: \"{}\" is neither f32 nor fast", name)};
}

Result<engine::Engine> open_with(const std::string& reference, const engine::OpenOptions& options) {
    auto engine = engine::Engine::open(reference, options);
    if (!engine && engine.error().code == Code::not_found)
        engine.error().what +=
            "; a model is a folder, a .gguf or .safetensors file, or \"tiny\", the built-in toy";
    return engine;
}

Result<engine::OpenOptions> open_options_of(const ModelFlags& flags, op::Precision usual) {
    engine::OpenOptions options;
    options.deterministic = flags.deterministic;
    options.precision = usual;
    if (!flags.precision.empty()) {
        HEFT_TRY(options.precision, parse_precision(flags.precision));
    }
    HEFT_TRY(options.cache_keys, parse_cache_type("--cache-type-k", flags.cache_keys));
    HEFT_TRY(options.cache_values, parse_cache_type("--cache-type-v", flags.cache_values));
    if (flags.n_threads < 0)
        return Error{Code::invalid, "--threads: a number of at least 0 is needed"};
    options.n_threads = flags.n_threads;
    for (const std::string& argument : flags.lora) {
        HEFT_TRY(LoraArgument lora, parse_lora(argument));
        options.lora.push_back({std::move(lora.path), lora.scale});
    }
    return options;
}

Result<engine::Engine> open_model(const ModelFlags& flags, op::Precision usual,
                                  const engine::Engine* threads_of) {
    HEFT_TRY(engine::OpenOptions options, open_options_of(flags, usual));
    options.threads_of = threads_of;
    return open_with(flags.reference, options);
}

Result<engine::Engine> open_description(const std::string& reference) {
    engine::OpenOptions options;
    options.weights = false;
    options.n_threads = 1;
    return open_with(reference, options);
}

void tell_degradation(const engine::Engine& engine) {
    const std::string cost = kv::degradation(engine.cache_types());
    if (!cost.empty()) say("heft: degraded: " + cost);
}

}  // namespace heft::app
