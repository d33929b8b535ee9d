#include "op/attention_tiles.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "op/attention_block.h"
#include "op/parallel.h"
#include "op/scratch.h"
#include "op/tuning.h"

namespace heft::op {

namespace {

using kernel::kPair;
using kernel::kTile;
using kernel::kTileCols;
using kernel::kTileKeys;

// Rows of a task: as many as leave the second cache to keys and values, too.
constexpr std::int64_t kRowBytes = 512 * 1024;
constexpr std::int64_t kMostRows = 512;
constexpr int kTasksPerThread = 4;  // so that threads end together

constexpr std::int64_t up(std::int64_t n, std::int64_t to) {
    return (n + to - 1) / to * to;
}

// Some rows, [token][query head of the group], of one key/value head.
struct Task {
    int kv;
    std::int64_t row;
    int n_rows;
};

class TileAttention {
  public:
    TileAttention(Context& context, const AttentionShape& shape, std::span<const Seen> seen,
                  const float* q, float* out)
        : context_(context),
          shape_(shape),
          seen_(seen),
          q_(q),
          out_(out),
          group_(shape.n_head / shape.n_kv),
          head_tiles_(static_cast<int>(up(shape.d_head, kTileCols) / kTileCols)),
          value_tiles_(static_cast<int>(up(shape.d_value, kPair) / kTile)),
          n_rows_(static_cast<std::int64_t>(seen.size()) * group_),
          most_rows_(rows_of_task()) {}

    void run() {
        Scratch scratch(context_, worker_bytes() * static_cast<std::size_t>(context_.pool.size()));
        std::vector<Worker> workers;
        workers.reserve(static_cast<std::size_t>(context_.pool.size()));
        for (int i = 0; i < context_.pool.size(); ++i) workers.push_back(make_worker(scratch));
        // The tasks of a head one after the other, so that they find its keys in a cache, those
        // with most keys first.
        std::vector<Task> tasks;
        for (int kv = 0; kv < shape_.n_kv; ++kv)
            for (std::int64_t row = (n_rows_ - 1) / most_rows_ * most_rows_; row >= 0;
                 row -= most_rows_)
                tasks.push_back({kv, row, static_cast<int>(std::min(most_rows_, n_rows_ - row))});
        for_each(context_, static_cast<int>(tasks.size()), [&](int index, int thread) {
            compute(tasks[static_cast<std::size_t>(index)],
                    workers[static_cast<std::size_t>(thread)]);
        });
    }

  private:
    struct Worker {
        std::uint16_t* keys;
        std::uint16_t* values;
        std::uint8_t* spoilt;
        std::uint16_t* q;
        float* acc;
        std::int64_t* first;
        std::int64_t* last;
        float* slope;
        float* shift;
        float* sums;
        kernel::PairReach* reach;
        float* rows;  // a tile of queries or of results, row by row
    };

    std::int64_t rows_of_task() const {
        const std::int64_t bytes = value_tiles_ * kTile * std::int64_t{sizeof(float)}
                                   + head_tiles_ * kTileCols * std::int64_t{sizeof(std::uint16_t)};
        std::int64_t rows = std::clamp<std::int64_t>(kRowBytes / bytes, kPair, kMostRows);
        if (context_.pool.size() > 1) {
            const std::int64_t wanted =
                up(std::int64_t{context_.pool.size()} * kTasksPerThread, shape_.n_kv) / shape_.n_kv;
            rows = std::min(rows, n_rows_ / wanted);
        }
        return std::max<std::int64_t>(rows / kPair, 1) * kPair;
    }

    // What make_worker takes, or counts when it is told to take nothing.
    template <class Take>
    Worker lay_out(const Take& take) const {
        const auto n = static_cast<std::size_t>(most_rows_);
        const auto head = static_cast<std::size_t>(head_tiles_) * kTileCols;
        const auto value = static_cast<std::size_t>(value_tiles_) * kTile;
        Worker w{};
        take(w.keys, kTileKeys * head);
        take(w.values, kTileKeys * value);
        take(w.spoilt, std::size_t{kTileKeys});
        take(w.q, n * head);
        take(w.acc, n * value);
        take(w.first, n);
        take(w.last, n);
        take(w.slope, n);
        take(w.shift, n);
        take(w.sums, n);
        take(w.reach, n / kPair);
        take(w.rows, kTile * std::max(head, value));
        return w;
    }

    std::size_t worker_bytes() const {
        std::size_t bytes = 0;
        lay_out(
            [&]<class T>(T*&, std::size_t count) { bytes += Scratch::aligned(count * sizeof(T)); });
        return bytes;
    }

    Worker make_worker(Scratch& scratch) const {
        return lay_out([&]<class T>(T*& at, std::size_t count) { at = scratch.take<T>(count); });
    }

    std::int64_t token_of(std::int64_t row) const { return row / group_; }
    // Of all query heads of all tokens.
    std::int64_t head_row(const Task& task, std::int64_t row) const {
        return token_of(row) * shape_.n_head + std::int64_t{task.kv} * group_ + row % group_;
    }

    void compute(const Task& task, const Worker& w) const {
        const int n_pairs = static_cast<int>(up(task.n_rows, kPair) / kPair);
        load_rows(task, n_pairs, w);
        kernel::RowTiles rows{
            w.q,     w.reach, w.first, w.last, shape_.slopes != nullptr ? w.slope : nullptr,
            w.shift, w.sums,  w.acc,   n_pairs};
        std::int64_t first = w.first[0];
        std::int64_t last = w.last[0];
        for (int pair = 0; pair < n_pairs; ++pair) {
            first = std::min(first, w.reach[pair].least_first);
            last = std::max(last, w.reach[pair].most_last);
        }
        for (std::int64_t from = first / kTileKeys * kTileKeys; from <= last; from += kTileKeys)
            block(task, from, last, rows, w);
        put(task, w);
    }

    void load_rows(const Task& task, int n_pairs, const Worker& w) const {
        for (int r = 0; r < n_pairs * kPair; ++r) {
            const std::int64_t row = task.row + std::min(r, task.n_rows - 1);
            const Seen& seen = seen_[static_cast<std::size_t>(token_of(row))];
            const auto head = static_cast<std::size_t>(task.kv * group_ + row % group_);
            w.first[r] = seen.first;
            w.last[r] = seen.last;
            w.slope[r] = shape_.slopes == nullptr ? 0 : shape_.slopes[head] * kLog2E;
            // What stands beside the keys: a score with no value.
            w.shift[r] = shape_.sinks == nullptr ? -std::numeric_limits<float>::infinity()
                                                 : shape_.sinks[head] * kLog2E;
            w.sums[r] = shape_.sinks == nullptr ? 0 : 1;
        }
        std::fill_n(w.acc, std::int64_t{n_pairs} * kPair * value_tiles_ * kTile, 0.0F);
        for (int tile = 0; tile < 2 * n_pairs; ++tile) pack_queries(task, tile, w);
        for (int pair = 0; pair < n_pairs; ++pair) {
            const auto [least_first, most_first] =
                std::minmax_element(w.first + pair * kPair, w.first + (pair + 1) * kPair);
            const auto [least_last, most_last] =
                std::minmax_element(w.last + pair * kPair, w.last + (pair + 1) * kPair);
            w.reach[pair] = {*least_first, *most_first, *least_last, *most_last};
        }
    }

    void pack_queries(const Task& task, int tile, const Worker& w) const {
        const float scale = shape_.scale * kLog2E;
        const int n = std::clamp(task.n_rows - tile * kTile, 0, kTile);
        for (int r = 0; r < n; ++r) {
            const float* from = q_ + head_row(task, task.row + tile * kTile + r) * shape_.d_head;
            float* to = w.rows + std::int64_t{r} * shape_.d_head;
            for (int i = 0; i < shape_.d_head; ++i) to[i] = from[i] * scale;
        }
        context_.kernels.pack_tiles(w.rows, shape_.d_head, n, shape_.d_head,
                                    w.q + std::int64_t{tile} * head_tiles_ * kernel::kTileNumbers);
    }

    void block(const Task& task, std::int64_t from, std::int64_t last, const kernel::RowTiles& rows,
               const Worker& w) const {
        const kernel::Table& kernels = context_.kernels;
        const CachedBlock cached =
            cached_block(shape_, seen_.front(), {task.kv, 1, 0}, from, kTileKeys, last);
        kernels.pack_key_tiles(shape_.key_type, cached.keys, w.keys);
        const bool spoilt =
            kernels.pack_value_tiles(shape_.value_type, cached.values, w.values, w.spoilt);
        kernels.attend_tiles({w.keys, w.values, spoilt ? w.spoilt : nullptr, from, head_tiles_,
                              value_tiles_, shape_.cap * kLog2E},
                             rows);
    }

    void put(const Task& task, const Worker& w) const {
        const std::int64_t width = std::int64_t{value_tiles_} * kTile;
        for (int tile = 0; tile * kTile < task.n_rows; ++tile) {
            for (int i = 0; i < value_tiles_; ++i)
                context_.kernels.put_tile(
                    w.acc + (std::int64_t{tile} * value_tiles_ + i) * kernel::kResultNumbers, kTile,
                    kTile, w.rows + i * kTile, width);
            const int n = std::min(kTile, task.n_rows - tile * kTile);
            for (int r = 0; r < n; ++r) {
                const float inverse = 1 / w.sums[tile * kTile + r];
                float* to = out_ + head_row(task, task.row + tile * kTile + r) * shape_.d_value;
                for (int i = 0; i < shape_.d_value; ++i) to[i] = w.rows[r * width + i] * inverse;
            }
        }
    }

    Context& context_;
    const AttentionShape& shape_;
    std::span<const Seen> seen_;
    const float* q_;
    float* out_;
    int group_;
    int head_tiles_;
    int value_tiles_;
    std::int64_t n_rows_;
    std::int64_t most_rows_;  // of a task; whole pairs
};

}  // namespace

bool attends_by_tiles(const Context& context, std::size_t n_tokens) {
    return n_tokens
               >= static_cast<std::size_t>(std::max(context.least_by_tiles, kMostTokensAsAlone + 1))
           && context.precision == Precision::fast && !context.deterministic
           && context.kernels.attend_tiles != nullptr;
}

void attention_by_tiles(Context& context, const AttentionShape& shape, std::span<const Seen> seen,
                        const float* q, float* out) {
    TileAttention(context, shape, seen, q, out).run();
}

}  // namespace heft::op
