// Tile registers made of arrays, for tests: what runs on AMX but for its instructions.
#pragma once

#include <cstring>

#include "kernel/types.h"
#include "tensor/half.h"

namespace heft::kernel {

struct ArrayRegisters {
    struct Tile {
        std::uint8_t bytes[16][64];
    };
    inline static thread_local Tile tiles[8] = {};
    inline static thread_local bool configured = false;
    inline static thread_local bool misused = false;  // before begin or after end

    static void begin() {
        configured = true;
        for (Tile& tile : tiles) tile = {};
    }
    static void end() { configured = false; }
    template <int tile>
    static void zero() {
        misused |= !configured;
        std::memset(tiles[tile].bytes, 0, sizeof tiles[tile].bytes);
    }
    template <int tile>
    static void load(const void* at) {
        misused |= !configured;
        std::memcpy(tiles[tile].bytes, at, sizeof tiles[tile].bytes);
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
};

}  // namespace heft::kernel
