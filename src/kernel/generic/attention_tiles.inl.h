// Attention by bfloat16 tiles (types.h): scores turned over, keys times queries, so that a cached
// row is used as it is stored and a lane is a query row; then weights, without sums across lanes;
// then results turned over, values times weights. `Block` multiplies tiles (tile_walk.inl.h). The
// idea of leaving a softmax's scale as it is until scores exceed it by much: FlashAttention-4 (Dao
// 2025).
#pragma once

#include "kernel/generic/attention.inl.h"
#include "kernel/generic/tile_walk.inl.h"

namespace heft::kernel {
namespace {

inline constexpr int kKeyTiles = kTileKeys / kTile;      // of a block, as rows
inline constexpr int kKeyDepth = kTileKeys / kTileCols;  // of a block, as columns

// Numbers i … i + 15 of a row, zeros beyond its end.
template <class L, class Row>
HEFT_INLINE typename L::F column_or_zero(const std::uint8_t* row, int i, int width) {
    return i < width ? load_column<L, Row>(row, i, width) : L::set(0.0F);
}

template <class L, class Row>
void pack_key_tiles(const KvRows& keys, std::uint16_t* out) noexcept {
    const int head_tiles = (keys.width + kTileCols - 1) / kTileCols;
    const auto* row = static_cast<const std::uint8_t*>(keys.at);
    RowsAhead ahead(keys.next, kTileKeys);
    for (int j = 0; j < kTileKeys; ++j, row += keys.stride) {
        ahead.fetch_part();
        std::uint16_t* to = out + j / kTile * head_tiles * kTileNumbers + j % kTile * kTileCols;
        for (int i = 0; i < head_tiles * kTileCols; i += kTileCols, to += kTileNumbers) {
            if (j >= keys.count)
                __builtin_memset(to, 0, kTileCols * sizeof *to);
            else
                L::to_bf16_pair(column_or_zero<L, Row>(row, i, keys.width),
                                column_or_zero<L, Row>(row, i + kTile, keys.width), to);
        }
    }
}

HEFT_INLINE std::uint16_t* value_in(std::uint16_t* tiles, int column, int key) {
    return tiles + (column / kTile * kKeyDepth + key / kTileCols) * kTileNumbers
           + column % kTile * kTileCols + key % kTileCols;
}

// Finds the keys with values that are not finite, and makes zeros of these.
inline bool find_spoilt(const KvRows& values, std::uint16_t* tiles, std::uint8_t* spoilt) {
    constexpr int kExponent = 0x7f80;
    bool any = false;
    for (int j = 0; j < kTileKeys; ++j) {
        spoilt[j] = 0;
        for (int i = 0; j < values.count && i < values.width; ++i)
            if ((*value_in(tiles, i, j) & kExponent) == kExponent) spoilt[j] = 1;
        if (spoilt[j] == 0) continue;
        any = true;
        for (int i = 0; i < values.width; ++i) *value_in(tiles, i, j) = 0;
    }
    return any;
}

template <class L, class Row>
bool pack_value_tiles(const KvRows& values, std::uint16_t* out, std::uint8_t* spoilt) noexcept {
    using F = typename L::F;
    static_assert(L::kWidth == kTile);
    const auto* at = static_cast<const std::uint8_t*>(values.at);
    const int tiles = (values.width + kPair - 1) / kPair * 2;
    const F zero = L::set(0.0F);
    F check = zero;  // becomes NaN of what is not finite
    RowsAhead ahead(values.next, kTileKeys);
    for (int j = 0; j < kTileKeys; j += kTileCols)
        for (int tile = 0; tile < tiles; ++tile) {
            alignas(64) std::uint16_t pairs[kTile][kTileCols];
            const auto load = [&](int key) __attribute__((always_inline)) {
                return key < values.count ? column_or_zero<L, Row>(at + key * values.stride,
                                                                   tile * kTile, values.width)
                                          : zero;
            };
            for (int p = 0; p < kTile; ++p) {
                if (tile < 2) ahead.fetch_part();
                const F first = load(j + 2 * p);
                const F second = load(j + 2 * p + 1);
                check = L::fma(first, zero, L::fma(second, zero, check));
                L::to_bf16_pairs(first, second, pairs[p]);
            }
            // A pair of numbers is as wide as a float, and moved as one.
            std::uint16_t* to = out + (tile * kKeyDepth + j / kTileCols) * kTileNumbers;
            L::transpose(reinterpret_cast<const float*>(pairs), kTile, reinterpret_cast<float*>(to),
                         kTile);
        }
    const float checked = L::sum(check);
    return checked != checked && find_spoilt(values, out, spoilt);
}

// 2^x for x <= about 8, to within 2^-13.7, which bfloat16 does not see; zero below -126.5. NaN
// stays. (Minimax of the relative error, as power_of_two.)
template <class L>
HEFT_INLINE typename L::F rough_power_of_two(typename L::F x) {
    using F = typename L::F;
    using I = typename L::I;
    x = L::greater(L::set(-127.0F), x);
    const F shifter = L::set(12582912.0F + 127.0F);
    const F shifted = x + shifter;
    const F r = x - (shifted - shifter);
    F y = L::fma(L::set(5.517166907e-2F), r, L::set(2.426111222e-1F));
    y = L::fma(y, r, L::set(6.932609855e-1F));
    y = L::fma(y, r, L::set(9.999280735e-1F));
    return y * (F)((I)shifted << 23);
}

// A pair of tiles of rows on its way through a block of keys.
struct PairWork {
    int pair;
    int begin, end;  // tiles of keys that any of its rows sees; both even
    bool whole;      // all rows see all keys
    // [2][kKeyTiles] tiles of 16 keys by 16 rows. Weights take their place from the front: for each
    // of the two [kKeyDepth] tiles of 16 pairs of keys by 16 rows, so that both stay in the nearest
    // cache.
    float* scores;
};

inline constexpr int kTileScores = kTileKeys * kTile;  // of a tile of rows

// Lanes are rows: the keys of a block that each of kTile rows sees, from begin to before end.
template <class L>
struct SeenLanes {
    typename L::I begin, end;
    HEFT_INLINE SeenLanes(const RowTiles& rows, int row, std::int64_t from) {
        std::int32_t at[kTile];
        const auto clamped = [&](const std::int64_t* positions) __attribute__((always_inline)) {
            for (int i = 0; i < kTile; ++i) {
                const std::int64_t p = positions[row + i] - from;
                at[i] = static_cast<std::int32_t>(p < -1 ? -1 : p > kTileKeys ? kTileKeys : p);
            }
            return read<typename L::I>(at);
        };
        begin = clamped(rows.first);
        end = clamped(rows.last) + 1;
    }
};

// A row's weights become smaller only once its scores exceed their scale by so many powers of two.
inline constexpr float kSlack = 8;

template <class L, class Block>
class TileAttention {
  public:
    using F = typename L::F;
    using I = typename L::I;

    TileAttention(const KeyTiles& block, const RowTiles& rows) : block_(block), rows_(rows) {}

    // While vectors make weights of one pair's scores, tiles multiply the pairs before and after
    // it: the processor overlaps what stands near enough in its instructions.
    void run() {
        PairWork before{};
        PairWork now{};
        PairWork after = prepare(0);
        multiply(products(before, after));
        for (int pair = 0; pair < rows_.n_pairs; ++pair) {
            before = now;
            now = after;
            after = pair + 1 < rows_.n_pairs ? prepare(pair + 1) : PairWork{};
            Products beside = products(before, after);
            if (now.begin < now.end) soften(now, beside);
            multiply(beside);
        }
        multiply(products(now, {}));
    }

  private:
    // What is multiplied beside a pair: results of the pair before, then scores of the one after.
    struct Products {
        const PairWork& before;
        const PairWork& after;
        int n_results;  // two by two tiles each
        int n_all;
        int done;
    };

    Products products(const PairWork& before, const PairWork& after) const {
        const int results = before.begin < before.end ? block_.value_tiles / 2 : 0;
        return {before, after, results, results + (after.end - after.begin) / 2, 0};
    }

    void multiply(Products beside) { multiply_until(beside, beside.n_all); }

    HEFT_INLINE void multiply_until(Products& beside, int end) {
        for (; beside.done < end; ++beside.done) {
            if (beside.done < beside.n_results)
                weigh(beside.before, 2 * beside.done);
            else
                score(beside.after, beside.after.begin + 2 * (beside.done - beside.n_results));
        }
    }

    PairWork prepare(int pair) {
        const PairReach& reach = rows_.reach[pair];
        const auto within = [&](std::int64_t position) {
            const std::int64_t key = position - block_.from;
            return static_cast<int>(key < 0 ? 0 : key > kTileKeys ? kTileKeys : key);
        };
        PairWork work{};
        work.pair = pair;
        work.begin = within(reach.least_first) / kTileCols * 2;
        work.end = (within(reach.most_last + 1) + kTileCols - 1) / kTileCols * 2;
        if (work.end < work.begin) work.end = work.begin;
        work.whole =
            reach.most_first <= block_.from && reach.least_last >= block_.from + kTileKeys - 1;
        work.scores = scores_[pair % 2];
        return work;
    }

    // Two tiles of keys, from `tile` on, times the pair's queries.
    void score(const PairWork& work, int tile) {
        const std::int64_t depth = std::int64_t{block_.head_tiles} * kTileNumbers;
        Block::template add<2, 2>(TileOperands{.a = block_.keys + tile * depth,
                                               .a_stride = depth,
                                               .b = rows_.q + 2 * work.pair * depth,
                                               .b_stride = depth,
                                               .c = work.scores + tile * kResultNumbers,
                                               .c_stride = kTileScores,
                                               .k_tiles = block_.head_tiles,
                                               .add = false,
                                               .next_b = nullptr,
                                               .next_line = 0});
    }

    // Two tiles of values, from `tile` on, times the pair's weights.
    void weigh(const PairWork& work, int tile) {
        constexpr std::int64_t kDepth = std::int64_t{kKeyDepth} * kTileNumbers;
        const std::int64_t first = work.begin / 2 * kTileNumbers;
        const std::int64_t stride = std::int64_t{block_.value_tiles} * kResultNumbers;
        Block::template add<2, 2>(
            TileOperands{.a = block_.values + tile * kDepth + first,
                         .a_stride = kDepth,
                         .b = weights_of(work.scores) + first,
                         .b_stride = 2 * kTileScores,
                         .c = rows_.acc + 2 * work.pair * stride + tile * kResultNumbers,
                         .c_stride = stride,
                         .k_tiles = (work.end - work.begin) / 2,
                         .add = true,
                         .next_b = nullptr,
                         .next_line = 0});
    }

    static std::uint16_t* weights_of(float* scores) {
        return reinterpret_cast<std::uint16_t*>(scores);
    }

    void soften(const PairWork& work, Products& beside) {
        const int depth = (work.end - work.begin) / 2;
        for (int t = 0; t < 2; ++t) {
            float* scores = work.scores + t * kTileScores;
            const int row = work.pair * kPair + t * kTile;
            if (!work.whole || block_.cap > 0 || rows_.slope != nullptr) shape(work, row, scores);
            const F shift = raise(work, row, scores);
            F sums[2] = {L::load(rows_.sums + row), L::set(0.0F)};
            for (int d = 0; d < depth; ++d) {
                const int at = work.begin / 2 + d;
                make_weights(scores + at * kTileNumbers, shift,
                             weights_of(scores) + at * kTileNumbers, sums);
                multiply_until(beside, beside.n_all * (t * depth + d + 1) / (2 * depth));
            }
            F sum = sums[0] + sums[1];
            if (block_.spoilt != nullptr) sum = spoil(row, sum);
            L::store(rows_.sums + row, sum);
        }
    }

    // Caps, slopes, and minus infinity for the keys that a row does not see.
    void shape(const PairWork& work, int row, float* scores) {
        const SeenLanes<L> seen(rows_, row, block_.from);
        const SoftCap<L> capped(block_.cap > 0 ? block_.cap : 1.0F);
        const F slope = rows_.slope != nullptr ? L::load(rows_.slope + row) : L::set(0.0F);
        std::int32_t behind[kTile];  // where the block begins, seen from each row
        for (int i = 0; i < kTile; ++i)
            behind[i] = static_cast<std::int32_t>(block_.from - rows_.last[row + i]);
        const I start = read<I>(behind);
        for (int j = work.begin * kTile; j < work.end * kTile; ++j) {
            F score = L::load(scores + j * kTile);
            if (block_.cap > 0) score = capped(score);
            if (rows_.slope != nullptr)
                score = L::fma(__builtin_convertvector(start + j, F), slope, score);
            const I hidden = (seen.begin > j) | (seen.end <= j);
            L::store(scores + j * kTile, select<L>(hidden, L::set(-__builtin_inff()), score));
        }
    }

    // The scale of the rows' weights, raised where scores need it; what they have summed up so far
    // is brought to it.
    F raise(const PairWork& work, int row, const float* scores) {
        constexpr int kAtOnce = 4;
        F most[kAtOnce];
        for (F& m : most) m = L::set(-__builtin_inff());
        for (int j = work.begin * kTile; j < work.end * kTile; j += kAtOnce)
            unroll<kAtOnce>([&](auto i) __attribute__((always_inline)) {
                most[i.value] = L::greater(L::load(scores + (j + i.value) * kTile), most[i.value]);
            });
        const F top = L::greater(L::greater(most[0], most[1]), L::greater(most[2], most[3]));
        const F old = L::load(rows_.shift + row);
        const I grows = (I)(top > old + L::set(kSlack));
        F shift = old;
        if (L::max(-grows) != 0) {
            shift = select<L>(grows, top, old);
            L::store(rows_.shift + row, shift);
            shrink(row, select<L>(grows, power_of_two<L>(old - shift), L::set(1.0F)));
        }
        // A row that has seen no key yet, and sees none here.
        return select<L>((I)(shift == L::set(-__builtin_inff())), L::set(0.0F), shift);
    }

    void shrink(int row, F factor) {
        L::store(rows_.sums + row, L::load(rows_.sums + row) * factor);
        float* acc = rows_.acc + std::int64_t{row} * block_.value_tiles * kTile;
        for (int i = 0; i < block_.value_tiles * kTile; ++i)
            L::store(acc + i * kTile, L::load(acc + i * kTile) * factor);
    }

    // The weights of 32 keys.
    static HEFT_INLINE void make_weights(const float* scores, F shift, std::uint16_t* to,
                                         F (&sums)[2]) {
        unroll<kTile>([&](auto p) __attribute__((always_inline)) {
            const float* pair = scores + 2 * p.value * kTile;
            const F first = rough_power_of_two<L>(L::load(pair) - shift);
            const F second = rough_power_of_two<L>(L::load(pair + kTile) - shift);
            sums[0] += first;
            sums[1] += second;
            L::to_bf16_pairs(first, second, to + p.value * kTileCols);
        });
    }

    // NaN for the rows that see a spoilt key.
    F spoil(int row, F sum) const {
        const SeenLanes<L> seen(rows_, row, block_.from);
        for (int j = 0; j < kTileKeys; ++j) {
            if (block_.spoilt[j] == 0) continue;
            const I sees = (seen.begin <= j) & (seen.end > j);
            sum = select<L>(sees, L::set(__builtin_nanf("")), sum);
        }
        return sum;
    }

    const KeyTiles& block_;
    const RowTiles& rows_;
    alignas(64) float scores_[2][2 * kTileScores];  // of two pairs by turns
};

template <class L, class Block>
void attend_tiles(const KeyTiles& block, const RowTiles& rows) noexcept {
    Block::begin();
    TileAttention<L, Block> attention(block, rows);
    attention.run();
    Block::end();
}

}  // namespace
}  // namespace heft::kernel
