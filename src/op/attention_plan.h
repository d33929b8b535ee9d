// How the work of one call of attention is cut up. Only speed depends on it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "op/attention.h"

namespace heft::op {

// Consecutive query tokens of one sequence.
struct AttentionTile {
    int token;  // the first
    int n_tokens;
    std::int64_t first, last;  // keys that any of them sees
    std::int64_t slots;        // where the results of its segments begin, counted in rows

    std::int64_t first_segment() const { return first / kSegment; }
    std::int64_t n_segments() const { return last / kSegment - first_segment() + 1; }
};

struct AttentionTask {
    const AttentionTile* tile;
    int kv, n_kv;          // key/value heads
    int head, n_heads;     // query heads of each of them
    std::int64_t segment;  // counted from the tile's first
    std::int64_t n_segments;
};

struct AttentionPlan {
    std::vector<AttentionTile> tiles;
    std::vector<AttentionTask> tasks;
    bool split;          // whether tasks are of one segment each, to be merged afterwards
    int most_rows;       // of a task
    std::int64_t slots;  // rows of all segments, when split
};

AttentionPlan plan_attention(const AttentionShape& shape, std::span<const Seen> seen,
                             int n_threads);

}  // namespace heft::op
