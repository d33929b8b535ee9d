// Rotary position embedding (Su et al. 2021): pairs of entries of a head turn by position times
// frequency.
#pragma once

#include <span>

namespace heft::op {

enum class RopePairs : unsigned char { half, neighbour };

// cos and sin of one position, interleaved: [cos 0, sin 0, cos 1, sin 1, …], each times magnitude.
void rope_angles(std::span<const double> frequency, double magnitude, int position, float* out);

// Rotates the first 2 * n_pairs entries of each of n_head heads in place. half: entry i turns with
// entry i + n_pairs; neighbour: entry 2i with entry 2i + 1.
void rope(RopePairs pairs, const float* angles, int n_pairs, int n_head, int d_head, float* heads);

}  // namespace heft::op
