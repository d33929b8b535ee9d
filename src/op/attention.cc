#include "op/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "op/attention_block.h"
#include "op/attention_plan.h"
#include "op/attention_tiles.h"
#include "op/parallel.h"

namespace heft::op {

namespace {

using kernel::AttentionRow;
using kernel::kKeys;

// Rows for which values are used as they are stored: packing them costs about as much as widening
// them for two tiles of rows.
constexpr int kFewRows = 12;

std::int64_t padded(std::int64_t width) {
    return (width + kernel::kKvPad - 1) / kernel::kKvPad * kernel::kKvPad;
}

// The softmax of one row over some of its keys.
struct Softmax {
    float max = -std::numeric_limits<float>::infinity();
    float sum = 0;
    float* acc = nullptr;  // [d_value]
};

// `to` over the keys of both.
void merge(const Softmax& from, int d_value, Softmax& to) {
    if (from.sum == 0) return;  // no key was seen there
    const float max = std::max(from.max, to.max);
    const float old = std::exp2(to.max - max);
    const float fresh = std::exp2(from.max - max);
    for (int i = 0; i < d_value; ++i) to.acc[i] = to.acc[i] * old + from.acc[i] * fresh;
    to.sum = to.sum * old + from.sum * fresh;
    to.max = max;
}

// Hands out parts of a buffer.
class Parts {
  public:
    explicit Parts(float* at) : at_(at) {}
    float* take(std::int64_t n) {
        float* part = at_;
        at_ += padded(n);
        return part;
    }

  private:
    float* at_;
};

class Attention {
  public:
    Attention(Context& context, const AttentionShape& shape, std::span<const Seen> seen,
              const float* q, float* out)
        : context_(context),
          shape_(shape),
          seen_(seen),
          q_(q),
          out_(out),
          group_(shape.n_head / shape.n_kv),
          value_width_(padded(shape.d_value)),
          plan_(plan_attention(shape, seen, context.pool.size())) {
        const std::int64_t per_row =
            padded(shape.d_head) + 2 * value_width_ + kernel::kSumLanes + 2;
        worker_ = padded(kKeys * (padded(shape.d_head) + value_width_) + plan_.most_rows * per_row
                         + kernel::kKvPad * 5);
        const std::int64_t shared = plan_.split ? plan_.slots * (value_width_ + kSlotHead) : 0;
        const std::int64_t total = context.pool.size() * worker_ + shared;
        workers_ = context.attention.at_least<float>(static_cast<std::size_t>(total));
        slots_ = workers_ + context.pool.size() * worker_;
    }

    void run() {
        rows_.resize(static_cast<std::size_t>(context_.pool.size())
                     * static_cast<std::size_t>(plan_.most_rows));
        for_each(context_, static_cast<int>(plan_.tasks.size()), [this](int index, int thread) {
            compute(plan_.tasks[static_cast<std::size_t>(index)], thread);
        });
        if (!plan_.split) return;
        for (const AttentionTile& tile : plan_.tiles)
            for_each(context_, tile.n_tokens * shape_.n_head,
                     [&](int row, int) { merge_slots(tile, row); });
    }

  private:
    static constexpr std::int64_t kSlotHead = kernel::kKvPad;  // max and sum, before acc

    struct Worker {
        float* keys;
        float* values;
        float* q;
        float* acc;  // of the segment at hand
        float* sums;
        float* merged;  // of the segments before
        AttentionRow* rows;
    };

    Worker worker(int thread) {
        const std::int64_t n = plan_.most_rows;
        Parts parts(workers_ + thread * worker_);
        Worker w{};
        w.keys = parts.take(kKeys * padded(shape_.d_head));
        w.values = parts.take(kKeys * value_width_);
        w.q = parts.take(n * shape_.d_head);
        w.acc = parts.take(n * value_width_);
        w.sums = parts.take(n * kernel::kSumLanes);
        w.merged = parts.take(n * (value_width_ + 2));
        w.rows = rows_.data() + thread * n;
        return w;
    }

    // Rows are ordered by key/value head, then by token: [n_kv][n_tokens][n_heads].
    template <class Body>
    void each_row(const AttentionTask& task, const Body& body) const {
        int row = 0;
        for (int kv = task.kv; kv < task.kv + task.n_kv; ++kv)
            for (int t = 0; t < task.tile->n_tokens; ++t)
                for (int h = task.head; h < task.head + task.n_heads; ++h)
                    body(row++, t, kv * group_ + h);
    }

    void compute(const AttentionTask& task, int thread) {
        const Worker w = worker(thread);
        load_rows(task, w);
        if (plan_.split) {
            segment(task, task.segment, w);
            return each_row(task, [&](int row, int t, int head) {
                const Softmax part = softmax_of(w.rows[row]);
                float* slot = slot_of(*task.tile, task.segment, t * shape_.n_head + head);
                slot[0] = part.max;
                slot[1] = part.sum;
                std::copy_n(part.acc, shape_.d_value, slot + kSlotHead);
            });
        }
        const auto merged = [&](int row) { return w.merged + row * (value_width_ + 2); };
        const auto total = [&](int row) {
            return Softmax{merged(row)[value_width_], merged(row)[value_width_ + 1], merged(row)};
        };
        const auto keep = [&](int row, const Softmax& now) {
            merged(row)[value_width_] = now.max;
            merged(row)[value_width_ + 1] = now.sum;
        };
        each_row(task, [&](int row, int, int head) { keep(row, begin(head, merged(row))); });
        for (std::int64_t s = 0; s < task.n_segments; ++s) {
            segment(task, task.segment + s, w);
            each_row(task, [&](int row, int, int) {
                Softmax sum = total(row);
                merge(softmax_of(w.rows[row]), shape_.d_value, sum);
                keep(row, sum);
            });
        }
        each_row(task, [&](int row, int t, int head) {
            put(total(row), (task.tile->token + t) * std::int64_t{shape_.n_head} + head);
        });
    }

    void load_rows(const AttentionTask& task, const Worker& w) const {
        const float scale = shape_.scale * kLog2E;
        each_row(task, [&](int row, int t, int head) {
            const int token = task.tile->token + t;
            const Seen& range = seen_[static_cast<std::size_t>(token)];
            const float* from = q_ + (token * std::int64_t{shape_.n_head} + head) * shape_.d_head;
            float* q = w.q + std::int64_t{row} * shape_.d_head;
            for (int i = 0; i < shape_.d_head; ++i) q[i] = from[i] * scale;
            const float slope = shape_.slopes == nullptr ? 0 : shape_.slopes[head] * kLog2E;
            w.rows[row] = {q,
                           range.first,
                           range.last,
                           slope,
                           0,
                           w.sums + std::int64_t{row} * kernel::kSumLanes,
                           w.acc + row * value_width_};
        });
    }

    // The softmax of all rows over one segment.
    void segment(const AttentionTask& task, std::int64_t index, const Worker& w) const {
        const int per_kv = task.tile->n_tokens * task.n_heads;
        for (int r = 0; r < task.n_kv * per_kv; ++r)
            w.rows[r].max = -std::numeric_limits<float>::infinity();
        std::fill_n(w.sums, task.n_kv * per_kv * kernel::kSumLanes, 0.0F);
        std::fill_n(w.acc, task.n_kv * per_kv * value_width_, 0.0F);
        const AttentionTile& tile = *task.tile;
        const std::int64_t start = (tile.first_segment() + index) * kSegment;
        const std::int64_t end = std::min(start + kSegment, tile.last + 1);
        for (std::int64_t from = std::max(start, tile.first / kKeys * kKeys); from < end;
             from += kKeys)
            for (int i = 0; i < task.n_kv; ++i)
                block(tile, {task.kv, task.n_kv, i}, from, w,
                      {w.rows + i * per_kv, static_cast<std::size_t>(per_kv)});
    }

    void block(const AttentionTile& tile, const HeadTurn& heads, std::int64_t from, const Worker& w,
               std::span<AttentionRow> rows) const {
        const Seen& range = seen_[static_cast<std::size_t>(tile.token)];
        const CachedBlock cached = cached_block(shape_, range, heads, from, kKeys, tile.last);
        const kernel::Table& kernels = context_.kernels;
        kernels.pack_keys(shape_.key_type, cached.keys, w.keys);
        const kernel::KeyBlock packed{w.keys,
                                      w.values,
                                      from,
                                      shape_.d_head,
                                      static_cast<int>(value_width_),
                                      shape_.cap * kLog2E};
        const int n_rows = static_cast<int>(rows.size());
        if (n_rows <= kFewRows)
            return kernels.attend_stored(shape_.value_type, packed, cached.values, rows.data(),
                                         n_rows);
        kernels.pack_values(shape_.value_type, cached.values, w.values);
        kernels.attend(packed, rows.data(), n_rows);
    }

    static Softmax softmax_of(const AttentionRow& row) {
        // Halves added together, always in the same order, down to one number.
        float lanes[kernel::kSumLanes];
        std::copy_n(row.sums, kernel::kSumLanes, lanes);
        for (int half = kernel::kSumLanes / 2; half > 0; half /= 2)
            for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
        return {row.max, lanes[0], row.acc};
    }

    // What stands beside the keys of a query head.
    Softmax begin(int head, float* acc) const {
        std::fill_n(acc, shape_.d_value, 0.0F);
        Softmax out;
        out.acc = acc;
        if (shape_.sinks == nullptr) return out;
        out.max = shape_.sinks[head] * kLog2E;
        out.sum = 1;
        return out;
    }

    void put(const Softmax& total, std::int64_t row) {
        float* to = out_ + row * shape_.d_value;
        const float inverse = 1 / total.sum;
        for (int i = 0; i < shape_.d_value; ++i) to[i] = total.acc[i] * inverse;
    }

    // [segment of the tile][token of the tile][query head]
    float* slot_of(const AttentionTile& tile, std::int64_t segment_index, std::int64_t row) const {
        const std::int64_t rows = std::int64_t{tile.n_tokens} * shape_.n_head;
        return slots_ + (tile.slots + segment_index * rows + row) * (value_width_ + kSlotHead);
    }

    void merge_slots(const AttentionTile& tile, int row) {
        const std::int64_t at = tile.token * std::int64_t{shape_.n_head} + row;
        Softmax total = begin(row % shape_.n_head, out_ + at * shape_.d_value);
        for (std::int64_t s = 0; s < tile.n_segments(); ++s) {
            float* slot = slot_of(tile, s, row);
            merge({slot[0], slot[1], slot + kSlotHead}, shape_.d_value, total);
        }
        put(total, at);
    }

    Context& context_;
    const AttentionShape& shape_;
    std::span<const Seen> seen_;
    const float* q_;
    float* out_;
    int group_;
    std::int64_t value_width_;
    AttentionPlan plan_;
    std::int64_t worker_;  // floats of a thread
    float* workers_;
    float* slots_;
    std::vector<AttentionRow> rows_;
};

}  // namespace

void attention(Context& context, const AttentionShape& shape, std::span<const Seen> seen,
               const float* q, float* out) {
    HEFT_CHECK(shape.n_kv > 0 && shape.n_head % shape.n_kv == 0);
    HEFT_CHECK(shape.d_head % dtype_info(shape.key_type).block == 0
               && shape.d_value % dtype_info(shape.value_type).block == 0);
    const auto row = [&](std::size_t token, int width) {
        return static_cast<std::ptrdiff_t>(token) * shape.n_head * width;
    };
    // Sequences of many tokens by tiles, all others together.
    std::size_t done = 0;
    const auto compute_until = [&](std::size_t end) {
        if (done < end)
            Attention(context, shape, seen.subspan(done, end - done), q + row(done, shape.d_head),
                      out + row(done, shape.d_value))
                .run();
        done = end;
    };
    for (std::size_t t = 0; t < seen.size();) {
        std::size_t end = t + 1;
        while (end < seen.size() && seen[end].keys == seen[t].keys) ++end;
        if (attends_by_tiles(context, end - t)) {
            compute_until(t);
            attention_by_tiles(context, shape, seen.subspan(t, end - t), q + row(t, shape.d_head),
                               out + row(t, shape.d_value));
            done = end;
        }
        t = end;
    }
    compute_until(seen.size());
}

}  // namespace heft::op
