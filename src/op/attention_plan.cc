#include "op/attention_plan.h"

#include <algorithm>

namespace heft::op {

namespace {

// Enough rows that packing a block of keys costs little beside using it; their queries and results
// stay in the L2 cache.
constexpr int kMostRows = 192;
constexpr int kTasksPerThread = 4;  // so that threads end together

int pieces(std::int64_t wanted, std::int64_t have, int most) {
    return static_cast<int>(std::clamp<std::int64_t>((wanted + have - 1) / have, 1, most));
}

std::vector<AttentionTile> make_tiles(const AttentionShape& shape, std::span<const Seen> seen,
                                      int most_tokens) {
    std::vector<AttentionTile> tiles;
    std::int64_t slots = 0;
    const int n = static_cast<int>(seen.size());
    for (int t = 0; t < n;) {
        const Seen& begin = seen[static_cast<std::size_t>(t)];
        AttentionTile tile{t, 0, begin.first, begin.last, slots};
        while (t < n && tile.n_tokens < most_tokens) {
            const Seen& next = seen[static_cast<std::size_t>(t)];
            if (next.keys != begin.keys) break;
            tile.first = std::min(tile.first, next.first);
            tile.last = std::max(tile.last, next.last);
            ++tile.n_tokens;
            ++t;
        }
        slots += tile.n_segments() * tile.n_tokens * shape.n_head;
        tiles.push_back(tile);
    }
    return tiles;
}

// How many key/value heads and query heads of each a task takes.
struct Share {
    int kvs;
    int heads;
};

// All heads in one task read the cache in order, so few pieces are best; but several tokens
// use a head's block long enough to have it alone.
Share share_heads(const AttentionShape& shape, int most_heads, bool single, std::int64_t parts,
                  std::int64_t wanted) {
    const int group = shape.n_head / shape.n_kv;
    const int kv_pieces = single ? pieces(wanted, parts, shape.n_kv) : shape.n_kv;
    const std::int64_t tasks = parts * kv_pieces;
    const int head_pieces =
        std::max((group + most_heads - 1) / most_heads, pieces(wanted, 2 * tasks, group));
    return {(shape.n_kv + kv_pieces - 1) / kv_pieces, (group + head_pieces - 1) / head_pieces};
}

}  // namespace

AttentionPlan plan_attention(const AttentionShape& shape, std::span<const Seen> seen,
                             int n_threads) {
    const int group = shape.n_head / shape.n_kv;
    const std::int64_t wanted = n_threads > 1 ? std::int64_t{n_threads} * kTasksPerThread : 1;
    AttentionPlan plan{};
    plan.tiles = make_tiles(shape, seen, std::max(1, kMostRows / group));
    std::int64_t n_segments = 0;
    int most_tokens = 0;
    for (const AttentionTile& tile : plan.tiles) {
        n_segments += tile.n_segments();
        plan.slots += tile.n_segments() * tile.n_tokens * shape.n_head;
        most_tokens = std::max(most_tokens, tile.n_tokens);
    }
    const auto n_tiles = static_cast<std::int64_t>(plan.tiles.size());
    // Heads are what several tokens are cut by; one token reads all heads of a segment in order.
    const bool single = most_tokens == 1;
    plan.split = n_segments > n_tiles && n_tiles * (single ? 1 : shape.n_kv) < wanted;
    const Share share =
        share_heads(shape, kMostRows, single, plan.split ? n_segments : n_tiles, wanted);
    // The tiles of a key/value head one after the other, so that they find its keys in a cache,
    // those with most keys first.
    for (int kv = 0; kv < shape.n_kv; kv += share.kvs)
        for (int head = 0; head < group; head += share.heads)
            for (auto tile = plan.tiles.rbegin(); tile != plan.tiles.rend(); ++tile) {
                AttentionTask task{&*tile,
                                   kv,
                                   std::min(share.kvs, shape.n_kv - kv),
                                   head,
                                   std::min(share.heads, group - head),
                                   0,
                                   plan.split ? 1 : tile->n_segments()};
                for (; task.segment < tile->n_segments(); task.segment += task.n_segments)
                    plan.tasks.push_back(task);
            }
    plan.most_rows = share.kvs * share.heads * most_tokens;
    return plan;
}

}  // namespace heft::op
