// Tile registers made of arrays, for tests: what runs on AMX but for its instructions.
#pragma once

#include <cstring>

#include "kernel/types.h"
#include "tensor/half.h"

namespace heft::kernel {

struct ArrayRegisters {
    struct Tile {
        std::uint8_t bytes[16][64];
        int rows;
        std::size_t row_bytes;
    };
    inline static thread_local Tile tiles[8] = {};
    inline static thread_local bool configured = false;
    inline static thread_local bool misused = false;  // before begin or after end

    static void begin() {
        configured = true;
        for (Tile& tile : tiles) tile = {{}, 16, 64};
    }
    template <int width>
    static void begin_bytes() {
        begin();
        for (const int tile : {4, 5}) tiles[tile].row_bytes = width;
        for (const int tile : {6, 7}) tiles[tile].rows = width / 4;
    }
    static void end() { configured = false; }
    template <int tile>
    static void zero() {
        misused |= !configured;
        std::memset(tiles[tile].bytes, 0, sizeof tiles[tile].bytes);
    }
    template <int tile>
    static void load_rows(const void* at, std::int64_t stride) {
        zero<tile>();
        for (int r = 0; r < tiles[tile].rows; ++r)
            std::memcpy(tiles[tile].bytes[r], static_cast<const std::uint8_t*>(at) + r * stride,
                        tiles[tile].row_bytes);
    }
    template <int tile>
    static void load(const void* at) {
        load_rows<tile>(at, 64);
    }
    template <int tile>
    static void stream(const void* at) {
        load<tile>(at);
    }
    template <int tile>
    static void store(void* at) {
        std::memcpy(at, tiles[tile].bytes, sizeof tiles[tile].bytes);
    }
    // TDPBF16PS, as the manual defines it.
    template <int sum, int a, int b>
    static void multiply() {
        float c[16][16];
        std::uint16_t left[16][32];
        std::uint16_t right[16][32];
        std::memcpy(c, tiles[sum].bytes, sizeof c);
        std::memcpy(left, tiles[a].bytes, sizeof left);
        std::memcpy(right, tiles[b].bytes, sizeof right);
        for (int m = 0; m < 16; ++m)
            for (int k = 0; k < 16; ++k)
                for (int n = 0; n < 16; ++n) {
                    c[m][n] += from_bf16(left[m][2 * k]) * from_bf16(right[k][2 * n]);
                    c[m][n] += from_bf16(left[m][2 * k + 1]) * from_bf16(right[k][2 * n + 1]);
                }
        std::memcpy(tiles[sum].bytes, c, sizeof c);
    }
    // TDPBSSD.
    template <int sum, int a, int b>
    static void multiply_bytes() {
        std::int32_t c[16][16];
        std::int8_t left[16][64];
        std::int8_t right[16][64];
        std::memcpy(c, tiles[sum].bytes, sizeof c);
        std::memcpy(left, tiles[a].bytes, sizeof left);
        std::memcpy(right, tiles[b].bytes, sizeof right);
        misused |= tiles[a].row_bytes != static_cast<std::size_t>(4 * tiles[b].rows);
        for (int m = 0; m < 16; ++m)
            for (int k = 0; k < 4 * tiles[b].rows; ++k)
                for (int n = 0; n < 16; ++n) c[m][n] += left[m][k] * right[k / 4][4 * n + k % 4];
        std::memcpy(tiles[sum].bytes, c, sizeof c);
    }
};

}  // namespace heft::kernel
