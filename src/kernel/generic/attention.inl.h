// Attention over a block of keys, with an online softmax (Milakov & Gimelshein 2018) and tiles of
// several query heads (FlashAttention, Dao et al. 2022). Keys are packed with lanes as keys and
// values with lanes as columns, so that no sum crosses lanes: each row's arithmetic is the same in
// a tile of one row and of many.
#pragma once

#include "kernel/generic/elementwise.inl.h"
#include "tensor/quant/q8_0.h"

namespace heft::kernel {
namespace {

inline constexpr int kTileRows = 6;  // with kKeyVectors vectors of sums they fill the registers

// How a cached row is read: a vector from column i on.
template <class L, class Stored>
struct KvFloats {
    static std::int64_t bytes(int width) { return std::int64_t{width} * Stored::kBytes; }
    static HEFT_INLINE typename L::F load(const std::uint8_t* row, int i) {
        return Stored::load(row + i * Stored::kBytes);
    }
    static HEFT_INLINE typename L::F load_last(const std::uint8_t* row, int i, int count) {
        return load_part<L, Stored>(row + i * Stored::kBytes, count);
    }
};

template <class L>
struct KvQ80 {
    using Block = quant::q8_0::Block;
    static std::int64_t bytes(int width) {
        return width / 32 * static_cast<std::int64_t>(sizeof(Block));
    }
    static HEFT_INLINE typename L::F load(const std::uint8_t* row, int i) {
        const std::uint8_t* block = row + i / 32 * static_cast<int>(sizeof(Block));
        const auto scale = L::set(L::half(read<std::uint16_t>(block)));
        return L::from_i8(block + offsetof(Block, qs) + i % 32) * scale;
    }
    static HEFT_INLINE typename L::F load_last(const std::uint8_t* row, int i, int) {
        return load(row, i);  // rows are whole blocks
    }
};

// Rows that are wanted next on their way into the cache, where no hardware prefetcher looks. Asked
// for a few at a time, as a processor has few misses under way.
class RowsAhead {
  public:
    // In that many equal parts.
    HEFT_INLINE RowsAhead(const WantedRows& rows, int parts)
        : stride_(static_cast<std::uintptr_t>(rows.stride)),
          bytes_(static_cast<std::uintptr_t>(rows.bytes)),
          row_(reinterpret_cast<std::uintptr_t>(rows.at)),
          left_(rows.count),
          lines_of_part_(static_cast<int>(
              ((rows.bytes + kLine - 1) / kLine * rows.count + parts - 1) / parts)) {}

    HEFT_INLINE void fetch_part() {
        for (int n = lines_of_part_; n > 0 && left_ > 0; --n) {
            __builtin_prefetch(reinterpret_cast<const void*>(row_ + line_), 0, 3);
            line_ += kLine;
            if (line_ < bytes_) continue;
            line_ = 0;
            row_ += stride_;
            --left_;
        }
    }

  private:
    static constexpr int kLine = 64;

    std::uintptr_t stride_;
    std::uintptr_t bytes_;
    std::uintptr_t row_;
    std::uintptr_t line_ = 0;
    int left_;
    int lines_of_part_;
};

template <class L, class Row>
HEFT_INLINE typename L::F load_column(const std::uint8_t* row, int i, int width) {
    return width - i >= L::kWidth ? Row::load(row, i) : Row::load_last(row, i, width - i);
}

template <class L, class Row>
void pack_keys(const KvRows& keys, float* out) noexcept {
    constexpr int kW = L::kWidth;
    const auto* at = static_cast<const std::uint8_t*>(keys.at);
    RowsAhead ahead(keys.next, kKeys / kW * ((keys.width + kW - 1) / kW));
    for (int j = 0; j < kKeys; j += kW) {
        for (int i = 0; i < keys.width; i += kW) {
            ahead.fetch_part();
            float tile[kW * kW];
            if (keys.count - j >= kW && keys.width - i >= kW) {
                unroll<kW>([&](auto r) __attribute__((always_inline)) {
                    L::store(tile + r.value * kW, Row::load(at + (j + r.value) * keys.stride, i));
                });
            } else {
                for (int r = 0; r < kW; ++r) {
                    const bool there = j + r < keys.count;
                    const std::uint8_t* row = at + (there ? j + r : 0) * keys.stride;
                    L::store(tile + r * kW,
                             there ? load_column<L, Row>(row, i, keys.width) : L::set(0.0F));
                }
            }
            L::transpose(tile, kW, out + i * kKeys + j, kKeys);
        }
    }
}

template <class L, class Row>
void pack_values(const KvRows& values, float* out) noexcept {
    constexpr int kW = L::kWidth;
    const int whole = values.width / kW * kW;
    const int padded = (values.width + kKvPad - 1) / kKvPad * kKvPad;
    const auto* row = static_cast<const std::uint8_t*>(values.at);
    RowsAhead ahead(values.next, values.count);
    for (int j = 0; j < values.count; ++j, row += values.stride, out += padded) {
        ahead.fetch_part();
        int i = 0;
        for (; i + 2 * kW <= whole; i += 2 * kW) {
            L::store(out + i, Row::load(row, i));
            L::store(out + i + kW, Row::load(row, i + kW));
        }
        for (; i < whole; i += kW) L::store(out + i, Row::load(row, i));
        if (i < values.width) {
            L::store(out + i, Row::load_last(row, i, values.width - i));
            i += kW;
        }
        for (; i < padded; i += kW) L::store(out + i, L::set(0.0F));
    }
}

// 2^x for x <= 0, within one unit in the last place; zero below -126.5. A polynomial of degree 6
// for the fraction (minimax of the relative error) times 2^n by n's bits.
template <class L>
HEFT_INLINE typename L::F power_of_two(typename L::F x) {
    using F = typename L::F;
    using I = typename L::I;
    x = L::greater(L::set(-127.0F), x);  // NaN stays
    // Adding it rounds to an integer, whose bits are then n + 127, a float's exponent.
    const F shifter = L::set(12582912.0F + 127.0F);
    const F shifted = x + shifter;
    const F r = x - (shifted - shifter);
    F y = L::set(1.5345812165e-4F);
    y = L::fma(y, r, L::set(1.3399931209e-3F));
    y = L::fma(y, r, L::set(9.6184889565e-3F));
    y = L::fma(y, r, L::set(5.5503287770e-2F));
    y = L::fma(y, r, L::set(2.4022646891e-1F));
    y = L::fma(y, r, L::set(6.9314720574e-1F));
    y = L::fma(y, r, L::set(1.0F));
    return y * (F)((I)shifted << 23);
}

// Keys begin … end - 1 of a block.
struct KeyRange {
    int begin;
    int end;
};

HEFT_INLINE KeyRange seen_keys(const AttentionRow& row, const KeyBlock& block) {
    const std::int64_t begin = row.first - block.from;
    const std::int64_t end = row.last + 1 - block.from;
    const KeyRange seen{static_cast<int>(begin < 0       ? 0
                                         : begin > kKeys ? kKeys
                                                         : begin),
                        static_cast<int>(end < 0       ? 0
                                         : end > kKeys ? kKeys
                                                       : end)};
    return seen.begin < seen.end ? seen : KeyRange{0, 0};
}

// scores[r][j] = q_r * k_j, at least for j < end.
template <class L, int rows, class Values>
HEFT_INLINE void score_tile(const KeyBlock& block, const Values& values, const AttentionRow* row,
                            int end, float (&scores)[rows][kKeys]) {
    using F = typename L::F;
    constexpr int kV = L::kKeyVectors;
    const float* q[rows];
    unroll<rows>([&](auto r) __attribute__((always_inline)) { q[r.value] = row[r.value].q; });
    const auto fetch = [&values]() __attribute__((always_inline)) {
        values.fetch_ahead();
    };
    for (int j = 0; j < end; j += kV * L::kWidth) {
        F sums[rows][kV] = {};
        add_products<L>(block.keys + j, kKeys, q, block.d_head, sums, fetch);
        unroll<rows>([&](auto r) __attribute__((always_inline)) {
            unroll<kV>([&](auto v) __attribute__((always_inline)) {
                L::store(scores[r.value] + j + v.value * L::kWidth, sums[r.value][v.value]);
            });
        });
    }
}

// Caps, slopes, and minus infinity for the keys that the row does not see.
template <class L>
void shape_scores(const KeyBlock& block, const AttentionRow& row, KeyRange seen, float* scores) {
    using F = typename L::F;
    using I = typename L::I;
    constexpr int kW = L::kWidth;
    std::int32_t counts[kW];
    for (int i = 0; i < kW; ++i) counts[i] = i;
    const I lane = read<I>(counts);
    const SoftCap<L> capped(block.cap > 0 ? block.cap : 1.0F);
    for (int j = 0; j < seen.end; j += kW) {
        F score = L::load(scores + j);
        if (block.cap > 0) score = capped(score);
        if (row.slope != 0) {
            const auto from = static_cast<std::int32_t>(block.from + j - row.last);
            const F distance = __builtin_convertvector(lane + from, F);
            score = L::fma(distance, L::set(row.slope), score);
        }
        const I hidden = (lane + j < seen.begin) | (lane + j >= seen.end);
        L::store(scores + j, select<L>(hidden, L::set(-__builtin_inff()), score));
    }
}

// Scores into weights; what the row has summed up so far is brought to their scale.
template <class L>
HEFT_INLINE void soften(const KeyBlock& block, AttentionRow& row, KeyRange seen, float* scores) {
    using F = typename L::F;
    constexpr int kW = L::kWidth;
    const bool whole = seen.begin == 0 && seen.end == kKeys;
    if (!whole || block.cap > 0 || row.slope != 0) shape_scores<L>(block, row, seen, scores);
    F most = L::load(scores);
    for (int j = kW; j < seen.end; j += kW) most = L::greater(L::load(scores + j), most);
    const float max = L::max(most);
    F sums[kSumLanes / kW];
    for (int s = 0; s < kSumLanes / kW; ++s) sums[s] = L::load(row.sums + s * kW);
    if (max > row.max) {
        const F shrink = power_of_two<L>(L::set(row.max - max));
        row.max = max;
        for (auto& sum : sums) sum *= shrink;
        for (int i = 0; i < block.d_value; i += kW)
            L::store(row.acc + i, L::load(row.acc + i) * shrink);
    }
    const F shift = L::set(row.max);
    for (int j = 0; j < seen.end; j += kW) {
        const F weight = power_of_two<L>(L::load(scores + j) - shift);
        L::store(scores + j, weight);
        sums[j / kW % (kSumLanes / kW)] += weight;
    }
    for (int s = 0; s < kSumLanes / kW; ++s) L::store(row.sums + s * kW, sums[s]);
}

// A block's values, packed.
template <class L>
struct PackedValues {
    const float* at;
    int width;  // padded

    int whole() const { return width; }
    HEFT_INLINE typename L::F load(int key, int i) const { return L::load(at + key * width + i); }
    HEFT_INLINE typename L::F load_any(int key, int i) const { return load(key, i); }
    HEFT_INLINE void fetch_ahead() const {}
};

// A block's values as the cache has them. Beyond a row's end are zeros.
template <class L, class Row>
struct StoredValues {
    const KvRows& rows;
    RowsAhead& ahead;

    int whole() const { return rows.width; }
    HEFT_INLINE const std::uint8_t* row(int key) const {
        return static_cast<const std::uint8_t*>(rows.at) + key * rows.stride;
    }
    HEFT_INLINE typename L::F load(int key, int i) const { return Row::load(row(key), i); }
    HEFT_INLINE typename L::F load_any(int key, int i) const {
        return i < rows.width ? load_column<L, Row>(row(key), i, rows.width) : L::set(0.0F);
    }
    HEFT_INLINE void fetch_ahead() const { ahead.fetch_part(); }
};

template <class L, int rows, int vectors, class Values>
HEFT_INLINE void weigh_columns(const Values& values, const AttentionRow* row,
                               const float (*weights)[kKeys], KeyRange keys, int column) {
    using F = typename L::F;
    F acc[rows][vectors];
    unroll<rows>([&](auto r) __attribute__((always_inline)) {
        unroll<vectors>([&](auto v) __attribute__((always_inline)) {
            acc[r.value][v.value] = L::load(row[r.value].acc + column + v.value * L::kWidth);
        });
    });
    for (int j = keys.begin; j < keys.end; ++j) {
        if (column == 0) values.fetch_ahead();
        F value[vectors];
        unroll<vectors>([&](auto v) __attribute__((always_inline)) {
            const int i = column + v.value * L::kWidth;
            value[v.value] = vectors > 1 ? values.load(j, i) : values.load_any(j, i);
        });
        unroll<rows>([&](auto r) __attribute__((always_inline)) {
            const F weight = L::set(weights[r.value][j]);
            unroll<vectors>([&](auto v) __attribute__((always_inline)) {
                F& sum = acc[r.value][v.value];
                sum = L::fma(value[v.value], weight, sum);
            });
        });
    }
    unroll<rows>([&](auto r) __attribute__((always_inline)) {
        unroll<vectors>([&](auto v) __attribute__((always_inline)) {
            L::store(row[r.value].acc + column + v.value * L::kWidth, acc[r.value][v.value]);
        });
    });
}

// acc_r += sum of weights[r][j] * v_j over `keys`.
template <class L, int rows, class Values>
void weigh(const KeyBlock& block, const Values& values, const AttentionRow* row,
           const float (*weights)[kKeys], KeyRange keys) {
    constexpr int kStep = L::kKeyVectors * L::kWidth;
    int i = 0;
    for (; i + kStep <= values.whole(); i += kStep)
        weigh_columns<L, rows, L::kKeyVectors>(values, row, weights, keys, i);
    for (; i < block.d_value; i += L::kWidth)
        weigh_columns<L, rows, 1>(values, row, weights, keys, i);
}

// Keys that every row sees are weighed for all rows together, those at the edges row by row: a key
// beyond a row's range is not multiplied by zero but left alone, as it may hold anything.
template <class L, int rows, class Values>
void attend_rows(const KeyBlock& block, const Values& values, AttentionRow* row) {
    alignas(64) float scores[rows][kKeys];
    KeyRange seen[rows];
    KeyRange common{0, kKeys};
    int end = 0;
    for (int r = 0; r < rows; ++r) {
        seen[r] = seen_keys(row[r], block);
        if (seen[r].end > end) end = seen[r].end;
        if (seen[r].begin > common.begin) common.begin = seen[r].begin;
        if (seen[r].end < common.end) common.end = seen[r].end;
    }
    if (end == 0) return;
    score_tile<L, rows>(block, values, row, end, scores);
    for (int r = 0; r < rows; ++r)
        if (seen[r].end > 0) soften<L>(block, row[r], seen[r], scores[r]);
    if (common.begin >= common.end) common = {kKeys, kKeys};
    for (int r = 0; r < rows; ++r) {
        const int stop = seen[r].end < common.begin ? seen[r].end : common.begin;
        if (seen[r].begin < stop)
            weigh<L, 1>(block, values, row + r, scores + r, {seen[r].begin, stop});
    }
    if (common.begin == kKeys) return;
    weigh<L, rows>(block, values, row, scores, common);
    for (int r = 0; r < rows; ++r)
        if (common.end < seen[r].end)
            weigh<L, 1>(block, values, row + r, scores + r, {common.end, seen[r].end});
}

template <class L, class Values>
HEFT_INLINE void attend_all(const KeyBlock& block, const Values& values, AttentionRow* rows,
                            int n_rows) {
    int r = 0;
    for (; r + kTileRows <= n_rows; r += kTileRows)
        attend_rows<L, kTileRows>(block, values, rows + r);
    for (; r + 4 <= n_rows; r += 4) attend_rows<L, 4>(block, values, rows + r);
    for (; r + 2 <= n_rows; r += 2) attend_rows<L, 2>(block, values, rows + r);
    if (r < n_rows) attend_rows<L, 1>(block, values, rows + r);
}

template <class L>
void attend(const KeyBlock& block, AttentionRow* rows, int n_rows) noexcept {
    attend_all<L>(block, PackedValues<L>{block.values, block.d_value}, rows, n_rows);
}

template <class L, class Row>
void attend_stored(const KeyBlock& block, const KvRows& values, AttentionRow* rows,
                   int n_rows) noexcept {
    constexpr int kScoring = kKeys / (L::kKeyVectors * L::kWidth);
    RowsAhead ahead(values.next, values.count + kScoring * block.d_head);
    attend_all<L>(block, StoredValues<L, Row>{values, ahead}, rows, n_rows);
}

}  // namespace
}  // namespace heft::kernel
