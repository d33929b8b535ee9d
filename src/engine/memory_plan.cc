#include "engine/memory_plan.h"

#include <algorithm>

#include <fmt/format.h>

namespace heft::engine {

namespace {

constexpr double kGiB = 1 << 30;
// A context that nobody asked for is made shorter rather than a model refused, down to this.
constexpr std::int64_t kModestContext = 4096;
// The tokenizer's tables and the tree of tokens that grammars use.
constexpr std::int64_t kBytesPerPiece = 512;
// Rows of logits, and what the sampler makes of each.
constexpr std::int64_t kLogitCopies = 3;
// The matrices that latent attention turns at loading (docs/architecture.md) are kept in float.
std::int64_t turned_bytes(const arch::Config& c) {
    if (c.latent.kv_rank == 0) return 0;
    const std::int64_t rows = c.n_head * std::int64_t{c.d_head - c.latent.d_rope + c.d_value};
    return c.n_layer * rows * c.latent.kv_rank * static_cast<std::int64_t>(sizeof(float));
}

std::int64_t in_blocks(std::int64_t n_tokens) {
    return (n_tokens + kv::kBlock - 1) / kv::kBlock * kv::kBlock;
}

}  // namespace

std::string gibibytes(std::int64_t bytes) {
    return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / kGiB);
}

std::string in_words(const MemoryPlan& plan) {
    const auto amount = [](std::int64_t bytes) { return static_cast<double>(bytes) / kGiB; };
    return fmt::format(
        "{}: {:.1f} of weights, {:.1f} of cache for a context of {} tokens, {:.1f} "
        "to compute",
        gibibytes(plan.least()), amount(plan.weights), amount(plan.least_cache), plan.least_context,
        amount(plan.working));
}

std::int64_t MemoryPlan::cache_within(std::int64_t bytes) const {
    // The other half is for what else the machine does.
    return std::clamp((bytes - weights - working) / 2, least_cache, most_cache);
}

Result<MemoryPlan> plan_memory(const Engine& engine, const SchedulerOptions& options) {
    HEFT_TRY(const arch::Config* config, engine.config());
    const arch::Config& c = *config;
    MemoryPlan plan;
    plan.weights =
        static_cast<std::int64_t>(engine.checkpoint().file_bytes() + engine.adapter_bytes())
        + turned_bytes(c);
    const std::int64_t logits = std::int64_t{options.n_sequences} * c.n_vocab * kLogitCopies;
    plan.working = model::working_bytes(c, options.step_tokens)
                   + logits * static_cast<std::int64_t>(sizeof(float)) + c.n_vocab * kBytesPerPiece
                   + static_cast<std::int64_t>(grammar::ConstraintCache::kBytes);
    std::int64_t per_token = model::cache_bytes_per_token(c, engine.cache_types());
    if (options.draft != nullptr) {
        HEFT_TRY(const arch::Config* smaller, options.draft->config());
        per_token += model::cache_bytes_per_token(*smaller, options.draft->cache_types());
    }
    const std::int64_t n_ctx = options.n_ctx > 0 ? options.n_ctx : c.n_ctx;
    plan.least_context = options.n_ctx > 0 ? n_ctx : std::min(n_ctx, kModestContext);
    plan.least_cache = in_blocks(plan.least_context) * per_token;
    plan.most_cache =
        std::max(in_blocks(n_ctx) * options.n_sequences * per_token, plan.least_cache);
    if (options.cache_bytes > 0) {
        plan.least_cache = plan.most_cache = options.cache_bytes;
        plan.least_context = std::min(n_ctx, options.cache_bytes / per_token);
    }
    return plan;
}

}  // namespace heft::engine
