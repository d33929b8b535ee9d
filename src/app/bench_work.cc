#include "app/bench_work.h"

#include <algorithm>

namespace heft::app {

namespace {

int sliding_layers(const arch::Config& config) {
    int count = 0;
    for (int layer = 0; layer < config.n_layer; ++layer) count += config.is_sliding(layer) ? 1 : 0;
    return config.window > 0 ? count : 0;
}

// Keys that the layers see together when the tokens from `first` on are computed, `count` of them
// in one pass. Each of them counts once.
double keys_of_pass(const arch::Config& config, double first, double count) {
    const double all = first + count;
    const double within = std::min(all, config.window + count - 1);
    const int sliding = sliding_layers(config);
    return (config.n_layer - sliding) * all + sliding * within;
}

// The same summed over the passes of one sequence.
double keys_read(const arch::Config& config, const BenchTest& test, int chunk) {
    const int step = test.kind == BenchKind::decode ? 1 : chunk;
    double total = 0;
    for (int at = 0; at < test.n_tokens; at += step)
        total += keys_of_pass(config, test.depth + at, std::min<double>(step, test.n_tokens - at));
    return total;
}

// Weights that multiply one token, the output matrix aside.
double active_weights(const engine::Engine& engine) {
    const arch::Config& config = engine.model().config();
    const double table = static_cast<double>(config.n_vocab) * config.d_model;
    double active = static_cast<double>(arch::parameter_count(engine.checkpoint()))
                    - table * (config.tied ? 1 : 2);
    const double expert = (config.block.gated ? 3.0 : 2.0) * config.d_model * config.experts.d_ff;
    for (int layer = 0; layer < config.n_layer; ++layer)
        if (config.is_sparse(layer)) active -= expert * (config.experts.n - config.experts.n_used);
    return active;
}

// Numbers that a head multiplies with a key, and with its value.
double width_of_a_key(const arch::Config& config) {
    const arch::Latent& latent = config.latent;
    return latent.kv_rank > 0 ? 2.0 * latent.kv_rank + latent.d_rope
                              : static_cast<double>(config.d_head + config.d_value);
}

double weight_bytes(const BenchTest& test, const model::Model& model, int chunk) {
    if (test.kind == BenchKind::decode) return test.n_tokens * model.bytes_per_pass(test.batch);
    const std::int64_t all = std::int64_t{test.n_tokens} * test.batch;
    const std::int64_t whole = all / chunk;
    const auto rest = static_cast<double>(all % chunk);
    return static_cast<double>(whole) * model.bytes_per_pass(chunk)
           + (rest > 0 ? model.bytes_per_pass(rest) : 0);
}

}  // namespace

Work work_of(const BenchTest& test, const engine::Engine& engine, int chunk) {
    const arch::Config& config = engine.model().config();
    const double row_bytes =
        static_cast<double>(engine.model().cache_bytes_per_token(engine.cache_types()))
        / config.n_layer;
    const double sequences = test.batch;
    const double n_logits = test.kind == BenchKind::decode ? test.n_tokens : 1;
    Work work;
    work.tokens = test.n_tokens * sequences;
    work.bytes = weight_bytes(test, engine.model(), chunk)
                 + sequences * keys_read(config, test, chunk) * row_bytes;
    work.flop =
        2 * work.tokens * active_weights(engine)
        + 2 * sequences * n_logits * config.n_vocab * config.d_model
        + 2 * sequences * keys_read(config, test, 1) * config.n_head * width_of_a_key(config);
    return work;
}

}  // namespace heft::app
