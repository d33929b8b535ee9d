// The plain structs that kernels of every instruction set share. Only <cstdint>: this is compiled
// with each instruction set's own flags.
#pragma once

#include <cstdint>

namespace heft::kernel {

// Activations of one token quantised to int8 in blocks of 32, for the integer dot products:
// x[i] ~ scale[i / 32] * q[i]; sum16[i / 16] is the sum of 16 consecutive q, scaled16 and scaled32
// are the sums of 16 and of 32 of them times their scale.
struct QuantisedRow {
    const std::int8_t* q;
    const float* scale;
    const std::int16_t* sum16;
    const float* scaled16;
    const float* scaled32;
};

// Where one is written.
struct QuantisedRoom {
    std::int8_t* q;
    float* scale;
    std::int16_t* sum16;
    float* scaled16;
    float* scaled32;
    QuantisedRow row() const { return {q, scale, sum16, scaled16, scaled32}; }
};

// 256 of a token's quantised activations as the products of few tokens take them: turned, so that
// each lane of a vector stands for one group of 16 columns and no sum crosses lanes. Lane p holds
// group turned_group(p); q[v] has the columns 4 * v … 4 * v + 3 of every group.
inline constexpr int kInputColumns = 256;
constexpr int turned_group(int lane) {
    return lane % 4 * 4 + lane / 4;
}
struct InputChunk {
    alignas(64) std::int8_t q[4][64];
    float scale[16];
    float scaled_sum[16];        // scale * sum of q
    std::int32_t minus_sum[16];  // -sum of q
};

inline constexpr int kStreams = 4;      // rows that are multiplied together as stored, at most
inline constexpr int kPanelRows = 32;   // rows of a panel, at most
inline constexpr int kPanelCols = 256;  // columns of a panel, at most: whole blocks of any type

// Rows as they are stored, far apart at best, times few tokens: out[t * n_rows + r].
struct IntProduct {
    const void* const* w;  // whole blocks
    int n_rows;            // at most kStreams
    std::int64_t n;
    const InputChunk* const* x;  // of each token, as many as hold n; zeros beyond
    int n_tokens;
    int prefetch;  // bytes
    float* out;
    std::int64_t behind = 0;  // bytes after each row's end that may be read; they do not count
};

// A panel of float weights times many tokens:
// out[t * out_stride + r] (+)= sum_k w[r * w_stride + k] * x[t * x_stride + k].
struct PanelProduct {
    const float* w;
    std::int64_t w_stride;
    int n_rows;
    int n_cols;
    const float* x;
    std::int64_t x_stride;
    int n_tokens;
    float* out;
    std::int64_t out_stride;
    bool add;  // to what `out` holds: for all panels of a row but the first
};

// Tiles of bfloat16, 16 by 32 numbers: of weights, 16 rows of 32 columns; of activations, 16 pairs
// of columns of 16 tokens, the two numbers of a pair side by side. Results are tiles of 16 rows by
// 16 tokens of float32. (Intel 64 Software Developer's Manual, TDPBF16PS.)
inline constexpr int kTile = 16;
inline constexpr int kTileCols = 32;
inline constexpr int kTileNumbers = kTile * kTileCols;
inline constexpr int kResultNumbers = kTile * kTile;

// Stored rows to be unpacked into tiles: every 32 of a row's n weights (whole blocks) go to places
// `step` numbers after those before; the rows lie kTileCols apart there.
struct TileRows {
    const void* from;
    std::int64_t stride;  // bytes
    int n_rows;
    std::int64_t n;
    std::uint16_t* to;
    std::int64_t step;
};

// Other work of the thread that makes a product of tiles, in n steps: they are done between the
// product's own, because vectors can be computed while the tile registers multiply. It must not use
// those.
struct WorkBeside {
    void (*run)(const void* work, int begin, int end) noexcept;  // steps begin … end - 1
    const void* work;
    int n;
};

// c[token tile][row tile] (+)= sum over the tiles of columns of a[row tile][k] * b[token tile][k].
struct TileProduct {
    const std::uint16_t* a;  // [row_tiles][k_tiles], tiles side by side
    const std::uint16_t* b;  // [token_tiles][k_tiles]
    std::int64_t b_stride;   // numbers from one token tile to the next
    float* c;                // [token_tiles][row_tiles], 64-byte aligned as a and b are
    int row_tiles;
    int token_tiles;
    int k_tiles;
    bool add;
    WorkBeside beside;  // n 0: none
};

// 256 of the quantised activations of 16 tokens, as products with many tokens take them: lanes of
// vectors are tokens, and four columns of a token lie side by side. Beside them is what
// QuantisedRow has. Zeros stand for tokens and columns that are not there. Of up to half a tile of
// tokens each may have two lanes, side by side, so that two rows are multiplied at once.
struct alignas(64) ByteInput {
    std::int8_t q[kInputColumns / 4][kTile][4];
    float scale[kInputColumns / 32][kTile];
    float scaled16[kInputColumns / 16][kTile];
    float scaled32[kInputColumns / 32][kTile];
    std::int32_t minus_sum[kInputColumns / 16][kTile];  // of q
};

// A panel of quantised rows times 16 tokens each of some tiles: sums[token tile][row tile], tiles
// of results, (+)= sum over 256 columns of w[r] * x[t].
struct BytePanelProduct {
    const void* w;  // of the first row, at the first column
    std::int64_t row_bytes;
    int n_rows;         // at most kPanelRows; what the last tile has beyond is computed as zero
    int n_cols;         // whole blocks, at most kInputColumns
    std::int64_t next;  // bytes from a row's columns to those to be read next: they are asked for
    const ByteInput* x;
    std::int64_t x_stride;  // from one tile of tokens to the next
    int token_tiles;
    float* sums;  // [token_tiles][kPanelRows / kTile]
    bool add;
    // Lanes of a token in x, 1 or 2. If 2, there is one tile of tokens and
    // one of results, whose rows are pairs of rows: the first of a pair is in the first lane of
    // each token, the second in the second.
    int lanes;
};

inline constexpr int kKeys = 64;      // keys of a block of attention
inline constexpr int kKvPad = 16;     // packed keys and values are a multiple of it wide
inline constexpr int kSumLanes = 16;  // floats of the widest vector

// Memory that will be read soon, to be asked for ahead. It is never looked at, so that it may end
// anywhere.
struct WantedRows {
    const void* at = nullptr;
    std::int64_t stride = 0;
    std::int64_t bytes = 0;  // of a row
    int count = 0;
};

// Keys or values of one head as a cache holds them: rows `stride` bytes apart.
struct KvRows {
    const void* at;
    std::int64_t stride;
    int count;  // at most kKeys, or kTileKeys where tiles are made of them
    int width;  // numbers of a row
    WantedRows next = {};
};

// One query head of one token, and its softmax so far. Scores are in units of log2 e, so that
// weights are powers of two.
struct AttentionRow {
    const float* q;      // [d_head], already times the scale
    std::int64_t first;  // positions of the keys it sees, both included
    std::int64_t last;   // and its own position
    float slope;         // times the distance to a key, added to its score
    float max;           // greatest score so far
    float* sums;         // [kSumLanes] weights so far, by the lane of their key
    float* acc;          // [d_value, padded] weights times values so far
};

// Keys and values of one head, packed, from position `from` on; `from` is a multiple of kKeys.
struct KeyBlock {
    const float* keys;    // [d_head][kKeys]
    const float* values;  // [kKeys][d_value, padded]
    std::int64_t from;
    int d_head;
    int d_value;  // padded
    float cap;    // scores become cap * tanh(score / cap); 0: as they are
};

// The greatest of some numbers, and the sum of e^(x - most) over all of them.
struct SoftmaxSum {
    float most;
    double sum;
};

// Attention by tiles of bfloat16: a block of keys at a time, and pairs of tiles of query rows.
inline constexpr int kTileKeys = 128;
inline constexpr int kPair = 2 * kTile;  // rows of a pair of tiles

// Keys and values of one head as tiles, from position `from` on, a multiple of kTileKeys. Zeros
// fill up the last tiles and stand for what is not there.
struct KeyTiles {
    const std::uint16_t* keys;    // [kTileKeys / kTile][head_tiles] of 16 keys by 32 columns
    const std::uint16_t* values;  // [value_tiles][kTileKeys / kTileCols] of 16 columns by 32 keys
    // [kTileKeys]: 1 where a value is not finite. Such a key's values are zeros here, and a row
    // that sees it becomes NaN. nullptr: all are finite.
    const std::uint8_t* spoilt;
    std::int64_t from;
    int head_tiles;
    int value_tiles;  // even
    float cap;        // as KeyBlock's
};

// What the rows of a pair see, all together.
struct PairReach {
    std::int64_t least_first, most_first;
    std::int64_t least_last, most_last;
};

// Query rows, kTile to a tile, two tiles to a pair, and their softmaxes so far. Scores are in units
// of log2 e. Each row of the last pair is there, though nobody may look at it.
struct RowTiles {
    const std::uint16_t* q;     // [2 * n_pairs][head_tiles], as activations, times the scale
    const PairReach* reach;     // [n_pairs]
    const std::int64_t* first;  // per row: positions of the keys it sees, both included
    const std::int64_t* last;
    const float* slope;  // per row: times the distance to a key, added to its score; or nullptr
    float* shift;  // per row: what its weights are scaled by, a power of two; at first -infinity
    float* sums;   // per row: of weights
    float* acc;    // [2 * n_pairs][value_tiles] of 16 columns by 16 rows: weights times values
    int n_pairs;
};

}  // namespace heft::kernel
