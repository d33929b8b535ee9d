// Where operations run: threads, kernels, and memory that is used again.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/pages.h"
#include "base/threads.h"
#include "kernel/table.h"
#include "op/tuning.h"

namespace heft::op {

// f32: every product and sum in float32 (for comparing engines). fast: whatever the kernels do
// best, such as int8 activations for quantised weights.
enum class Precision : std::uint8_t { f32, fast };

class MatmulObserver;  // op/matmul.h

// Where operations run. One caller at a time.
struct Context {
    ThreadPool& pool;
    const kernel::Table& kernels;
    Precision precision = Precision::fast;
    // A token gets the same bits whatever is computed beside it: every product by one route,
    // however many tokens there are.
    bool deterministic = false;
    // Up to kMostTokensAsAlone tokens get the bits that each gets alone, though it takes longer.
    bool as_alone = false;
    // So many tokens of a sequence attend by tiles, where there are any: fewer are a small part of
    // the work, and float32 is finer.
    int least_by_tiles = 128;
    WorkMemory scratch = {};      // matmul's: quantised activations, unpacked panels
    WorkMemory attention = {};    // packed keys and values, partial softmaxes
    WorkMemory activations = {};  // the decoder's
    WorkMemory experts = {};      // rows gathered for the experts
    Tuning tuning = {};
    MatmulObserver* observer = nullptr;  // shown all that is multiplied; outlives its use here
};

}  // namespace heft::op
