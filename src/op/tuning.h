// The few numbers that make matrix products fast on one machine and slow on another. The defaults
// are good everywhere; engine/tuning.h measures better ones. They change speed, and which of
// several equally exact sums is made, but never how results depend on threads.
#pragma once

#include "kernel/types.h"

namespace heft::op {

struct Tuning {
    // Far-apart rows that each thread reads at once when one token is multiplied: 1 or kStreams.
    // (Other numbers are read one after the other.)
    int streams = kernel::kStreams;
    // How far ahead of each stream the memory is asked, in bytes. The processor's own prefetching
    // ends with a page.
    int prefetch = 1024;
    // Up to here each row is multiplied as it is stored; beyond, decoding it once for all tokens
    // pays. For weights that are multiplied in floats and in integers, 1 … kMostFewTokens.
    int few_tokens_in_float = 4;
    int few_tokens_in_integer = 8;
    // From there to here quantised weights are multiplied in integers even where tiles of bfloat16
    // take many tokens: decoding is cheap, every token is dear. 0: never.
    int tokens_in_integers = 32;

    bool operator==(const Tuning&) const = default;
};

inline constexpr int kMostPrefetch = 1 << 16;
inline constexpr int kMostFewTokens = 64;
inline constexpr int kMostTokensInIntegers = 128;
inline constexpr int kMostTokensAsAlone = 16;

}  // namespace heft::op
