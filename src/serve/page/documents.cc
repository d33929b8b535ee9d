#include "serve/page/documents.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace heft::serve {

namespace {

using Json = nlohmann::ordered_json;
using Stats = engine::Scheduler::Stats;

Json cache_json(const Stats& stats) {
    return {{"tokens", stats.blocks * stats.block_tokens},
            {"tokens_used", stats.blocks_used * stats.block_tokens},
            {"tokens_kept", stats.blocks_kept * stats.block_tokens},
            {"bytes", stats.blocks * stats.block_bytes}};
}

Json degraded_of(const ModelInfo& info) {
    Json notes = Json::array();
    if (info.n_ctx < info.n_ctx_own)
        notes.push_back(fmt::format("context: {} tokens, where the model could have {}", info.n_ctx,
                                    info.n_ctx_own));
    return notes;
}

Json seconds_until(const std::optional<std::chrono::system_clock::time_point>& when) {
    if (!when) return nullptr;
    const std::chrono::duration<double> left = *when - std::chrono::system_clock::now();
    return std::max(0.0, left.count());
}

Json slot_json(const engine::Scheduler::Slot& slot) {
    return {{"id", slot.id},         {"n_prompt", slot.n_prompt},
            {"n_read", slot.n_read}, {"n_cached", slot.n_cached},
            {"n_made", slot.n_made}, {"age_s", slot.age_s}};
}

}  // namespace

Json models_document(const Models& models) {
    const std::vector<Models::Now> now = models.now();
    Json list = Json::array();
    for (const ModelInfo& info : models.models()) {
        const auto loaded = std::find_if(
            now.begin(), now.end(), [&](const Models::Now& one) { return one.name == info.name; });
        list.push_back({
            {"name", info.name},
            {"base", info.base.empty() ? Json() : Json(info.base)},
            {"default", list.empty()},
            {"loaded", info.loaded},
            {"unloads_in_s", info.loaded ? seconds_until(info.expires) : Json()},
            {"n_ctx", info.n_ctx},
            {"degraded", degraded_of(info)},
            {"format", info.format},
            {"family", info.family},
            {"parameters", info.parameter_size},
            {"quantization", info.quantization},
            {"file_bytes", info.file_bytes},
            {"memory_bytes", info.loaded ? Json(info.memory_bytes) : Json()},
            {"cache", loaded == now.end() ? Json() : cache_json(loaded->stats)},
            {"card", info.card == nullptr ? Json() : *info.card},
        });
    }
    return {{"schema", "heft.models/1"}, {"version", models.version()}, {"models", list}};
}

Json live_document(const Models& models, const Caller& caller, bool all_slots) {
    Json list = Json::array();
    for (const Models::Now& one : models.now()) {
        const Stats& stats = one.stats;
        Json slots = Json::array();
        for (const auto& slot : one.slots) {
            if (!all_slots && slot.owner != caller.name) continue;
            slots.push_back(slot_json(slot));
            if (all_slots) slots.back()["owner"] = slot.owner;
        }
        list.push_back({
            {"name", one.name},
            {"running", stats.running},
            {"waiting", stats.waiting},
            {"done", stats.done},
            {"failed", stats.failed},
            {"cancelled", stats.cancelled},
            {"refused", stats.refused},
            {"prompt_tokens", stats.prompt_tokens},
            {"cached_tokens", stats.cached_tokens},
            {"made_tokens", stats.made_tokens},
            {"steps", stats.steps},
            {"busy_s", stats.busy_s},
            {"cache", cache_json(stats)},
            {"slots", std::move(slots)},
        });
    }
    const std::chrono::duration<double> at = Clock::now().time_since_epoch();
    return {{"schema", "heft.live/1"}, {"at_s", at.count()}, {"models", std::move(list)}};
}

}  // namespace heft::serve
