// The encoders of the IQ1, IQ2 and IQ3 types: 256 weights as entries of a codebook, with a small
// odd number as the scale of each group and one float16 for the block: w = unit * (2 s + 1) *
// (level + offset) * sign. This finds the numbers; the types' files pack them.
#pragma once

#include <cstdint>

#include "tensor/quant/codebook.h"

namespace heft::quant {

enum class Signs : std::uint8_t {
    in_levels,  // the levels have signs of their own
    all,        // a sign for each weight
    even,       // an even number of minuses in eight weights
};

// Which of +offset and -offset is added to the levels is chosen for so many weights at once.
struct Offset {
    float size = 0;  // 0: there is none
    int weights = 0;
};

struct BookShape {
    const Codebook* book;
    int group;      // weights that share a scale
    int scale_top;  // s of 0 … scale_top
    float d_units;  // how many units are a d
    Signs signs = Signs::all;
    Offset offset = {};
    // Scales that are tried put the greatest weight at so many times the greatest level.
    float from = 0.75F, to = 1.6F;
};

struct BookBlock {
    std::uint16_t d = 0;           // float16
    std::uint8_t scale[16] = {};   // of each group
    std::uint16_t entry[64] = {};  // of each `width` weights
    bool minus_offset[64] = {};    // likewise
    std::uint8_t signs[32] = {};   // of each eight weights; 1: minus, lowest first
};

// `importance`: of these 256 weights, or nullptr.
BookBlock encode_book(const float* x, const float* importance, const BookShape& shape);

}  // namespace heft::quant
